"""ECG paper in the browser: a calibrated grid, every lead, the beats. Drawn by ``ecg_paper.mjs`` in millimetres."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from pathlib import Path

import streamlit as st

from api.schemas import Beats, Signal

_HERE = Path(__file__).parent
_HTML = '<div class="frame"><canvas role="img"></canvas></div>'

_paper = st.components.v2.component(
    "einthoven.ecg_paper",
    html=_HTML,
    css=(_HERE / "ecg_paper.css").read_text("utf-8"),
    js=(_HERE / "ecg_paper.mjs").read_text("utf-8"),
)


def ecg_paper(signal: Signal, beats: Beats, *, note: str = "", key: str = "ecg_paper") -> None:
    """Draw a window of a recording with its beats.

    Parameters
    ----------
    signal
        Every lead's samples, in mV. Twelve standard leads are laid out 3 x 4 with a rhythm strip, others row by row.
    beats
        Beats of the whole recording; those within the window are marked, more clearly in the leads that were searched.
    note
        What the foot of the paper says beside speed and gain.
    key
        Tells one paper of a page from another.
    """
    n_samples = len(signal.values[0]) if signal.values else 0
    end_s = signal.start_s + n_samples / signal.fs
    shown = [time - signal.start_s for time in beats.times_s if signal.start_s <= time < end_s]
    _paper(
        key=key,
        data={
            "fs": signal.fs,
            "leads": signal.leads,
            "samples": encode_samples(signal.values),
            "beats": shown,
            "beat_leads": beats.leads,
            "note": note,
            "description": describe(signal, len(shown), n_samples / signal.fs),
        },
    )


def encode_samples(values: list[list[float | None]]) -> str:
    """Return samples as little-endian float32 in base64, lead after lead, NaN where nothing was recorded."""
    packed = array("f", (math.nan if value is None else value for row in values for value in row))
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")


def describe(signal: Signal, n_beats: int, seconds: float) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    leads = "lead" if len(signal.leads) == 1 else "leads"
    return f"ECG, {leads} {', '.join(signal.leads)}, {seconds:.1f} seconds, {n_beats} beats marked"
