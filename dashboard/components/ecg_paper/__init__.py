"""ECG paper in the browser: a calibrated grid, every lead, what was found, and calipers to measure it with."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from api.schemas import Beats, Pacing, Quality, Signal, Waves
from dashboard.components.ecg_paper.packing import (
    Heat,
    bands,
    beats_in,
    describe,
    encode_samples,
    pack_heat,
    pack_quality,
    span_of,
)
from dashboard.components.ecg_paper.selection import Caliper, Selection, read_selection

__all__ = ["Caliper", "Heat", "Layout", "Overlay", "Selection", "ecg_paper"]

Layout = Literal["3x4+1", "6x2", "12x1", "strip"]
"""``12x1`` is every lead on a row of its own, however many there are."""
Overlay = Literal["peaks", "classes", "waves", "spikes", "reference", "quality", "heat"]
Fetch = Callable[[float, float], Signal]
"""Returns the samples of a window, from its start and length in seconds."""

_SPEEDS = (12.5, 25, 50)
_HERE = Path(__file__).parent
_MODULES = (
    "geometry",
    "record",
    "camera",
    "calipers",
    "keys",
    "marks",
    "telling",
    "pens",
    "drawing",
    "surroundings",
    "saving",
    "pages",
    "controls",
    "hand",
    "ecg_paper",
)
"""In such an order that each needs only those before it."""


def join_modules() -> str:
    """Return the component as the one module that Streamlit takes; in the folder they import one another."""
    text = "\n".join((_HERE / f"{name}.mjs").read_text("utf-8") for name in _MODULES)
    return re.sub(r"^export (?!default)", "", re.sub(r"^import [^;]+;\n", "", text, flags=re.M), flags=re.M)


_paper = st.components.v2.component(
    "einthoven.ecg_paper",
    html=(_HERE / "ecg_paper.html").read_text("utf-8"),
    css=(_HERE / "ecg_paper.css").read_text("utf-8"),
    js=join_modules(),
)


def ecg_paper(
    signal: Signal,
    *,
    beats: Beats | None = None,
    waves: Waves | None = None,
    pacing: Pacing | None = None,
    quality: Quality | None = None,
    heat: Heat | None = None,
    reference: Sequence[float] = (),
    layout: Layout | None = None,
    speed: float = 25,
    gain: Literal[5, 10, 20] = 10,
    hidden: Collection[Overlay] = (),
    filter_text: str = "unfiltered",
    note: str = "",
    title: str = "",
    duration_s: float | None = None,
    fetch: Fetch | None = None,
    overview: Signal | None = None,
    on_select: Literal["ignore", "rerun"] = "ignore",
    key: str = "ecg_paper",
) -> Selection:
    """Draw a window of a recording with what was found in it.

    Layout, speed, gain and marks are where the reader begins; the paper has its own controls for them. What was found
    in the whole recording may be given whole: what lies within the window is shown.

    Parameters
    ----------
    signal
        Every lead's samples, in mV, of the window to begin with.
    beats, waves, pacing, quality
        What the analysis says; none is not shown.
    heat
        How much each stretch weighed for what a model says.
    reference
        Beats as a reference has them, in seconds from the first sample of the recording.
    layout
        How the leads stand; by default 3 x 4 with a rhythm strip for the twelve standard leads, else a row for each.
    speed, gain
        12.5, 25 or 50 mm/s, and 5, 10 or 20 mm/mV.
    hidden
        Overlays that are off to begin with.
    filter_text
        What the foot says of the filter.
    note
        What it says beside.
    title
        What the recording is called, in the names of saved pictures.
    duration_s
        Length of the whole recording, in seconds, where ``signal`` is a part of it.
    fetch
        Gives another window of it, when the reader turns the page.
    overview
        One lead of the whole recording, thinned out, for the bar that leads through it.
    on_select
        Whether the page runs again when the reader has chosen something.
    key
        Tells one paper of a page from another.
    """
    if speed not in _SPEEDS:
        raise ValueError(f"speed of {speed:g} mm/s: the paper has {', '.join(f'{known:g}' for known in _SPEEDS)}")
    first = encode_samples(signal.values)
    record = hashlib.sha256(f"{signal.start_s} {signal.fs} {signal.leads} {first}".encode()).hexdigest()[:16]
    sent = st.session_state.get(key)
    state = sent if isinstance(sent, Mapping) else {}
    window = signal
    if fetch and (asked := _asked_window(state.get("window"), record)):
        window = _fetched(fetch, asked, f"{key} window of {record}")
    span = span_of(window)
    shown = beats_in(beats, span)
    total_s = max(duration_s or 0.0, span_of(signal).end_s) if fetch else span.end_s
    _paper(
        key=key,
        data={
            "record": record,
            "fs": window.fs,
            "start_s": window.start_s,
            "leads": window.leads,
            "samples": first if window is signal else encode_samples(window.values),
            "duration_s": total_s,
            "beats": shown.times_s,
            "beat_offset": shown.offset,
            "classes": shown.classes,
            "beat_leads": beats.leads if beats else [],
            "waves": bands(waves, span),
            "spikes": span.within(pacing.times_s) if pacing else [],
            "reference": span.within(reference),
            "quality": pack_quality(quality),
            "heat": pack_heat(heat),
            "overview": encode_samples(overview.values[:1]) if overview and overview.values else None,
            "layout": layout,
            "speed": speed,
            "gain": gain,
            "hidden": list(hidden),
            "filter": filter_text,
            "note": note,
            "title": title,
            "description": describe(window, shown),
            "select": on_select == "rerun",
        },
        default={"window": None, "selection": None},
        on_window_change=_nothing,
        on_selection_change=_nothing,
    )
    return read_selection(state.get("selection"), record, len(beats.times_s) if beats else 0)


def _nothing() -> None:
    """Let the page run again; what changed is in the state."""


def _asked_window(sent: object, record: str) -> tuple[float, float] | None:
    """Return start and length (s) of the window that the reader turned to, if it is one of this record."""
    if not isinstance(sent, Mapping) or sent.get("record") != record:
        return None
    start, length = sent.get("start_s"), sent.get("length_s")
    if not isinstance(start, int | float) or not isinstance(length, int | float) or start < 0 or length <= 0:
        return None
    return float(start), float(length)


def _fetched(fetch: Fetch, asked: tuple[float, float], key: str) -> Signal:
    """Return a window, fetched once: Streamlit runs the page again at every touch."""
    kept: tuple[tuple[float, float], Signal] | None = st.session_state.get(key)
    if kept is None or kept[0] != asked:
        kept = asked, fetch(*asked)
        st.session_state[key] = kept
    return kept[1]
