"""ECG paper in the browser: a calibrated grid, every lead, the beats. Drawn by ``ecg_paper.mjs`` in millimetres."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from pathlib import Path

import streamlit as st

from api.schemas import Analysis, Signal, Waves

_HERE = Path(__file__).parent
_HTML = '<div class="frame"><canvas role="img"></canvas></div>'

_paper = st.components.v2.component(
    "einthoven.ecg_paper",
    html=_HTML,
    css=(_HERE / "ecg_paper.css").read_text("utf-8"),
    js=(_HERE / "ecg_paper.mjs").read_text("utf-8"),
)


def ecg_paper(
    signal: Signal, analysis: Analysis, *, waves: bool = True, note: str = "", key: str = "ecg_paper"
) -> None:
    """Draw a window of a recording with its beats and waves.

    Parameters
    ----------
    signal
        Every lead's samples, in mV. Twelve standard leads are laid out 3 x 4 with a rhythm strip, others row by row.
    analysis
        What was found in the whole recording; of its beats, waves and pacing spikes, those within the window are shown.
    waves
        Whether P, QRS and T are marked.
    note
        What the foot of the paper says beside speed and gain.
    key
        Tells one paper of a page from another.
    """
    n_samples = len(signal.values[0]) if signal.values else 0
    start_s, end_s = signal.start_s, signal.start_s + n_samples / signal.fs
    beats = analysis.beats
    shown = [i for i, time in enumerate(beats.times_s) if start_s <= time < end_s]
    classes: list[str] = [beats.classes[i] for i in shown] if beats.classes else []
    _paper(
        key=key,
        data={
            "fs": signal.fs,
            "leads": signal.leads,
            "samples": encode_samples(signal.values),
            "beats": [beats.times_s[i] - start_s for i in shown],
            "classes": classes,
            "beat_leads": beats.leads,
            "waves": bands(analysis.waves, start_s, end_s) if waves else {},
            "spikes": [time - start_s for time in analysis.pacing.times_s if start_s <= time < end_s],
            "note": note,
            "description": describe(signal, classes or ["N"] * len(shown), n_samples / signal.fs),
        },
    )


def bands(waves: Waves, start_s: float, end_s: float) -> dict[str, list[tuple[str, float, float]]]:
    """Return kind, onset and end of the waves in each lead that reach into a window, in seconds from its start."""
    return {
        lead: [
            (kind, wave.onset_s - start_s, wave.end_s - start_s)
            for beat in beats
            for kind, wave in beat.items()
            if wave.end_s > start_s and wave.onset_s < end_s
        ]
        for lead, beats in waves.leads.items()
    }


def encode_samples(values: list[list[float | None]]) -> str:
    """Return samples as little-endian float32 in base64, lead after lead, NaN where nothing was recorded."""
    packed = array("f", (math.nan if value is None else value for row in values for value in row))
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")


def describe(signal: Signal, classes: list[str], seconds: float) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    leads = "lead" if len(signal.leads) == 1 else "leads"
    others = {letter: classes.count(letter) for letter in sorted(set(classes) - {"N"})}
    found = "".join(f", {count} of class {letter}" for letter, count in others.items())
    return f"ECG, {leads} {', '.join(signal.leads)}, {seconds:.1f} seconds, {len(classes)} beats marked{found}"
