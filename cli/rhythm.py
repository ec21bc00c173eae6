"""`ecg rhythm`: normal, atrial fibrillation, other or too noisy, from one lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import AsJson, fails_clearly, print_json, show_rows
from cli.reading import Format, Fs, LeadNames, OneFile, Units, read_one, read_options

if TYPE_CHECKING:
    from ecg_core.recording import Recording
    from ecg_core.rhythm import Rhythm

_MANY = 30
"""Episodes printed for people."""


def rhythm(
    file: OneFile,
    lead: Annotated[
        str | None, typer.Option("--lead", help="Lead to read; else II, else the first that is not poor.")
    ] = None,
    as_json: AsJson = False,
    fs: Fs = None,
    units: Units = None,
    leads: LeadNames = None,
    form: Format = None,
) -> None:
    """Tell the rhythm from one lead, of 5 seconds to days: normal, atrial fibrillation, other, or too noisy.

    Up to about a minute there is one answer; of a longer recording the episodes are listed, with the share of the time
    in atrial fibrillation. Where nothing can be said, the reason is. Not a diagnosis.
    """
    from ecg_core.rhythm import read_rhythm

    recording = read_one(file, read_options(fs, units, leads, form))
    found = read_rhythm(recording, lead)
    if as_json:
        print_json({"file": file.name, "fs": recording.fs, "duration_s": recording.duration_s, **found.to_dict()})
    else:
        _show(recording, found)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Examples:  ecg rhythm watch.csv --fs 512 --units uV   ecg rhythm holter.edf --lead V1 --json")(
        fails_clearly(rhythm)
    )


def _show(recording: Recording, found: Rhythm) -> None:
    """Print the rhythm for people."""
    show_rows(recording, _rows(found))


def _rows(found: Rhythm) -> list[tuple[str, str]]:
    """Return label and value of each line."""
    from ecg_core.rhythm import TITLES

    if found.label is None or found.probabilities is None:
        return [("rhythm", f"none: {found.reason}")]
    rows = [("rhythm", f"{found.title}, from lead {found.lead}")]
    rows.append(("probability", ", ".join(f"{TITLES[label]} {p:.2f}" for label, p in found.probabilities.items())))
    if len(found.episodes) > 1 and found.af_burden is not None:
        rows.append(("AF burden", f"{found.af_burden:.1%} of the time with a readable rhythm"))
    if found.unread_s:
        rows.append(("not read", f"{_clock(found.unread_s)} without signal or beats"))
    if len(found.episodes) > 1:
        for number, episode in enumerate(found.episodes[:_MANY]):
            span = f"{_clock(episode.start_s)} - {_clock(episode.end_s)}"
            text = f"{span}  {TITLES[episode.label]} ({episode.probability:.2f})"
            rows.append(("" if number else "episodes", text))
        if len(found.episodes) > _MANY:
            rows.append(("", f"... ({len(found.episodes) - _MANY} more with --json)"))
    return rows


def _clock(seconds: float) -> str:
    """Return hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
