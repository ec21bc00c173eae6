"""Beats, waves, and what stretches weighed for a model, drawn along with the tracing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ecg_core.report.drawing import Boxes, Ink, Label, Segments

if TYPE_CHECKING:
    from ecg_core.explain.value import Heat

Kind = Literal["p", "qrs", "t"]
KINDS: tuple[Kind, ...] = ("p", "qrs", "t")
WaveSpan = tuple[Kind, float, float]
"""A wave: its kind, when it begins, when it ends, in seconds."""

LEAST_HEAT = 0.04
"""Of the greatest: weaker stretches stay clear."""
_DENSEST = 0.6
"""Share of ink in the strongest stretch."""
_LEVELS = 25
_BAR = (0.2, 2.2)
"""Height in mm of the bar at the edge of the weakest and the strongest stretch."""
_INSET = 0.3
"""Between a bar and the next row, in mm."""
_UNDER = 0.15
"""How far in mm a stretch goes on beneath a stronger neighbour, so that no paper shines through between them."""


@dataclass(frozen=True)
class Overlay:
    """What an analysis found, to be drawn along with the tracing. Times are seconds of the whole recording."""

    beats: Sequence[tuple[float, str]] = ()
    """When, and of which class; ``N`` is not written."""
    waves: Sequence[WaveSpan] = ()
    """Of all leads together."""
    per_lead: Mapping[str, Sequence[WaveSpan]] = field(default_factory=dict)
    """Of single leads; these are drawn in their own instead."""
    heat: Heat | None = None
    """What stretches weighed for a model, on one scale for all leads; a lead without its own stays clear."""
    heat_says: tuple[str, str] = ("speaks for it", "speaks against it")
    """What heat above and below zero means."""


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


class HeatCell(NamedTuple):
    """A stretch of a row: how strong (below zero: against), where it is seen, and where it is painted, in mm."""

    level: int
    area: tuple[float, float, float, float]
    bar: tuple[float, float, float, float]


def heat_cells(
    heat: Heat, lead: str, window: tuple[float, float], x: float, y: float, row_height: float, speed_mm_s: float
) -> list[HeatCell]:
    """Return the stretches of a lead's window that weighed; arguments as of `draw_marks`.

    Each has a bar at its edge, above where it speaks for the answer and below where it speaks against it, higher the
    more it does: so signs differ in grey, too.
    """
    begin, end = window
    greatest = max((float(np.nanmax(np.abs(values), initial=0.0)) for values in heat.leads.values()), default=0.0)
    if lead not in heat.leads or not greatest:
        return []
    weights = np.nan_to_num(heat.leads[lead]) / greatest
    steps = np.sign(weights) * np.ceil(np.abs(weights) * _LEVELS - 1e-9)
    levels = np.where(np.abs(weights) < LEAST_HEAT, 0, steps).astype(int)
    borders = x + (np.clip(heat.start_s + heat.step_s * np.arange(len(levels) + 1), begin, end) - begin) * speed_mm_s
    seen = np.diff(borders) > 0
    levels, lefts, rights = levels[seen], borders[:-1][seen], borders[1:][seen]
    first = np.flatnonzero(np.diff(levels, prepend=0))
    last = np.append(first[1:], len(levels))[: len(first)] - 1
    runs = [(int(levels[i]), float(lefts[i]), float(rights[j])) for i, j in zip(first, last, strict=True)]
    others = [0, *(level for level, _, _ in runs), 0]
    cells = []
    for at, (level, left, right) in enumerate(runs):
        if not level:
            continue
        beside = (others[at], others[at + 2])
        area = [_UNDER * ((abs(other), other) > (abs(level), level)) for other in beside]
        bar = [_UNDER * (other * level > level**2) for other in beside]
        high = _BAR[0] + (_BAR[1] - _BAR[0]) * abs(level) / _LEVELS
        above, below = y - row_height / 2, y + row_height / 2 - high
        cells.append(
            HeatCell(
                level,
                (left - area[0], above, right - left + sum(area), row_height),
                (left - bar[0], above + _INSET if level > 0 else below - _INSET, right - left + sum(bar), high),
            )
        )
    return cells


def paint_heat(cells: Iterable[HeatCell]) -> tuple[list[Boxes], list[Boxes]]:
    """Return the stretches of all rows as shapes, the weakest first, and their bars, which go on top of the grid."""
    by_level: dict[int, list[HeatCell]] = {}
    for cell in cells:
        by_level.setdefault(cell.level, []).append(cell)
    areas, bars = [], []
    for level in sorted(by_level, key=lambda level: (abs(level), level)):
        ink: Ink = "for" if level > 0 else "against"
        strength = _DENSEST * abs(level) / _LEVELS
        areas.append(Boxes(np.array([cell.area for cell in by_level[level]]), ink, strength))
        bars.append(Boxes(np.array([cell.bar for cell in by_level[level]]), ink))
    return areas, bars


def heat_legend(overlay: Overlay, x: float, y: float, size: float) -> list[Boxes | Label]:
    """Return what heat means, beginning at ``x`` on the baseline ``y`` (mm)."""
    shapes: list[Boxes | Label] = []
    inks: tuple[Ink, Ink] = ("for", "against")
    for ink, says, bar_y in zip(inks, overlay.heat_says, (y - 2.8, y - 0.2), strict=True):
        shapes.append(Boxes(np.array([[x, y - 2.8, 7.0, 3.4]]), ink, _DENSEST / 2))
        shapes.append(Boxes(np.array([[x, bar_y, 7.0, 0.8]]), ink))
        shapes.append(Label(x + 8.5, y, says, size))
        x += 8.5 + 0.53 * size * len(says) + 5.0
    return shapes
