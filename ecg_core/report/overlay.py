"""Beats and waves, drawn along with the tracing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ecg_core.report.drawing import Label, Segments

Kind = Literal["p", "qrs", "t"]
KINDS: tuple[Kind, ...] = ("p", "qrs", "t")
WaveSpan = tuple[Kind, float, float]
"""A wave: its kind, when it begins, when it ends, in seconds."""


@dataclass(frozen=True)
class Overlay:
    """What an analysis found, to be drawn along with the tracing. Times are seconds of the whole recording."""

    beats: Sequence[tuple[float, str]] = ()
    """When, and of which class; ``N`` is not written."""
    waves: Sequence[WaveSpan] = ()
    """Of all leads together."""
    per_lead: Mapping[str, Sequence[WaveSpan]] = field(default_factory=dict)
    """Of single leads; these are drawn in their own instead."""


def draw_marks(
    overlay: Overlay, lead: str, window: tuple[float, float], x: float, y: float, row_height: float, speed_mm_s: float
) -> list[Segments | Label]:
    """Return a tick above each beat of a lead's window, with its class where that is not ``N``, a bar below each wave.

    Parameters
    ----------
    window
        Seconds of the whole recording that are drawn from ``x`` (mm) on.
    y
        The row's middle, in mm.
    """
    begin, end = window
    above, below = y - row_height / 2, y + row_height / 2 - 1.0

    def place(time_s: float) -> float:
        return x + (min(max(time_s, begin), end) - begin) * speed_mm_s

    beats = [(place(time_s), kind) for time_s, kind in overlay.beats if begin <= time_s < end]
    shapes: list[Segments | Label] = [
        Label(at, above + 4.6, kind, 2.6, ink="qrs", anchor="middle", bold=True) for at, kind in beats if kind != "N"
    ]
    if beats:
        shapes.append(Segments(np.array([[at, above + 0.5, at, above + 2.0] for at, _ in beats]), "qrs", 0.3))
    spans = [span for span in overlay.per_lead.get(lead, overlay.waves) if span[1] < end and span[2] > begin]
    for ink in KINDS:
        if bars := [[place(onset), below, place(stop), below] for kind, onset, stop in spans if kind == ink]:
            shapes.append(Segments(np.array(bars), ink, 0.7))
    return shapes
