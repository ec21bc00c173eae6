"""`ecg beats`: where the heartbeats are, how fast the heart beats and how its intervals vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import AsJson, fails_clearly, print_json, show_rows
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options

if TYPE_CHECKING:
    import numpy as np

    from ecg_core.beats import Beats
    from ecg_core.recording import Recording

_HRV_WORDS = {
    "sdnn_ms": "SDNN",
    "rmssd_ms": "RMSSD",
    "pnn50_percent": "pNN50",
    "sd1_ms": "SD1",
    "sd2_ms": "SD2",
    "vlf_ms2": "VLF",
    "lf_ms2": "LF",
    "hf_ms2": "HF",
    "lf_hf": "LF/HF",
}
_MANY = 20
"""Times printed for people."""
_SURE = 0.8
"""Beats of a lower confidence are pointed out."""
_UNITS = {"ms": " ms", "percent": " %", "ms2": " ms²"}


def _methods(incomplete: str) -> list[str]:
    from ecg_core.beats import DETECTORS

    return [name for name in DETECTORS if name.startswith(incomplete)]


def beats(
    file: OneFile,
    lead: Annotated[
        str | None, typer.Option("--lead", help="Lead to search; else all that can be searched as one.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="robust, the network, or fast, the classical detector.",
            autocompletion=_methods,
            metavar="NAME",
        ),
    ] = "robust",
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Find the heartbeats: their times, the heart rate, the RR intervals and heart rate variability.

    A figure that can't be had says why. Variability follows the Task Force of 1996; intervals that are not between
    normal beats are left out and counted.
    """
    from ecg_core.beats import detect_beats

    recording = read_one(file, read_options(fs, units, leads, form))
    found = detect_beats(recording, lead, method)
    if as_json:
        print_json({"file": file.name, "fs": recording.fs, "duration_s": recording.duration_s, **found.to_dict()})
    else:
        _show(recording, found)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg beats 100.hea   ecg beats holter.edf --lead V1 --json   ecg beats x.csv --fs 250"
    )(fails_clearly(beats))


def _show(recording: Recording, found: Beats) -> None:
    """Print the beats for people."""
    show_rows(recording, _rows(found))


def _rows(found: Beats) -> list[tuple[str, str]]:
    """Return label and value of each line."""
    if not len(found):
        return [("beats", f"none: {found.reason}")]
    rows = [("beats", f"{len(found)} in {', '.join(found.leads)}, by {found.method}")]
    rate, rr = found.heart_rate, found.rr
    if rate.bpm is None:
        rows.append(("rate", f"none: {rate.reason}"))
    else:
        rows.append(("rate", f"{rate.bpm:.0f} bpm (mean {rate.mean_bpm:.0f}, {rate.low:.0f} to {rate.high:.0f})"))
        rows.append(
            ("RR", f"{rr.median_ms:.0f} ms median, {rr.mean_ms:.0f} ms mean, {rr.min_ms:.0f} to {rr.max_ms:.0f} ms")
        )
        hrv = found.hrv
        rows.append(("NN", f"{hrv.n_intervals - hrv.n_left_out} of {hrv.n_intervals} intervals"))
        figures = [(word, name, hrv.figures[name]) for name, word in _HRV_WORDS.items()]
        rows += [(word, _number(name, figure.value)) for word, name, figure in figures if figure.value is not None]
        missing: dict[str, list[str]] = {}
        for word, _, figure in figures:
            if figure.reason:
                missing.setdefault(figure.reason, []).append(word)
        rows += [("none", f"{', '.join(words)}: {reason}") for reason, words in missing.items()]
    if found.confidence is not None:
        doubtful = found.times_s[found.confidence < _SURE]
        rows.append(
            ("doubtful", _times(doubtful) if len(doubtful) else f"none: every confidence is {_SURE:.0%} or more")
        )
    rows.append(("times", _times(found.times_s)))
    return rows


def _times(times_s: np.ndarray) -> str:
    more = f", ... ({len(times_s) - _MANY} more with --json)" if len(times_s) > _MANY else ""
    return f"{', '.join(f'{time:.3f}' for time in times_s[:_MANY])}{more} s"


def _number(name: str, value: float) -> str:
    """Return a figure with the unit that its name ends with."""
    return f"{value:.2f}" if name == "lf_hf" else f"{value:.1f}{_UNITS[name.rpartition('_')[2]]}"
