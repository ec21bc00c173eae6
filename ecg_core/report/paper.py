"""An ECG as a clinician expects to see it: true-scale grid, layouts, labels, calibration pulse, footer.

`draw` places everything in millimetres on a `Drawing`, a short list of shapes that `ecg_core.report.render` turns into
SVG, PDF or PNG. 1 mm is 0.04 s and 0.1 mV at the usual 25 mm/s and 10 mm/mV, with a heavier line each 5 mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording
from ecg_core.report.drawing import Drawing, Label, Segments, Shape, Trace
from ecg_core.report.overlay import KINDS, HeatCell, Overlay, draw_marks, heat_cells, heat_legend, paint_heat
from ecg_core.report.words import filters, short

SPEEDS_MM_S = (12.5, 25.0, 50.0)
GAINS_MM_MV = (5.0, 10.0, 20.0)
LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "3x4+1": (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6")),
    "6x2": tuple(zip(STANDARD_12[:6], STANDARD_12[6:], strict=True)),
    "12x1": tuple((name,) for name in STANDARD_12),
}
"""Leads of each row, left to right; ``strip`` (every lead in a row of its own) is the layout for other lead sets."""

_MARGIN = 8.0
_PULSE = 10.0
_HEADER = 12.0
_FOOTER = 10.0
_LEGEND = 4.5
"""Height that the footer takes more where it says what heat means."""
_ROW = 30.0
"""Height of a row where there is room."""
_DENSE_ROW = 20.0
"""Height to which rows move together on a page that says all else, so that tall waves stay on the paper."""


@dataclass(frozen=True)
class Paper:
    """How to draw."""

    layout: str | None = None
    """``3x4+1``, ``6x2``, ``12x1`` or ``strip``; None takes ``3x4+1`` for a 12-lead recording, else ``strip``."""
    speed_mm_s: float = 25.0
    gain_mm_mv: float = 10.0
    rhythm_lead: str = "II"
    start_s: float = 0.0
    length_s: float = 10.0

    def __post_init__(self) -> None:
        for name, value, choices in (("speed", self.speed_mm_s, SPEEDS_MM_S), ("gain", self.gain_mm_mv, GAINS_MM_MV)):
            if value not in choices:
                raise InvalidValue("not a usual paper", field=name, found=value, options=[f"{c:g}" for c in choices])
        if self.layout is not None and self.layout not in (*LAYOUTS, "strip"):
            raise InvalidValue("no such layout", field="layout", found=self.layout, options=(*LAYOUTS, "strip"))
        if not (math.isfinite(self.length_s) and 0 < self.length_s <= 120):
            raise InvalidValue("not a drawable length", field="length_s", found=self.length_s, expected="0 to 120 s")


def draw(
    recording: Recording,
    paper: Paper | None = None,
    *,
    title: str | None = None,
    overlay: Overlay | None = None,
    offset_s: float = 0.0,
    whole_s: float | None = None,
    height_mm: float | None = None,
) -> Drawing:
    """Draw a window of ``recording``.

    Each lead's median is drawn on its baseline; nothing else is done to the signal, and the footer names the filters
    that its history holds. Where nothing was recorded the pen is up.

    Parameters
    ----------
    overlay
        Beats and waves: a tick above each beat, a bar below each wave. Heat: cells under the grid, and what they mean.
    offset_s, whole_s
        Where ``recording`` is a part of a longer one: seconds of that before it, and in all. The footer says them.
    height_mm
        What it may take of a page that says all else: no header, hardly a margin, and rows as low as that asks for.
    """
    paper = paper or Paper()
    start = min(max(paper.start_s, 0.0), max(recording.duration_s - 1 / recording.fs, 0.0))
    length = min(paper.length_s, recording.duration_s - start)
    layout = paper.layout or ("3x4+1" if set(STANDARD_12) <= set(recording.leads) else "strip")
    rows = _rows(recording, layout, length, paper)
    width_s = sum(cell.length_s for cell in rows[0])
    chart_width = _up_to_5(_PULSE + width_s * paper.speed_mm_s)
    heat = overlay.heat if overlay is not None else None
    margin, header, footer = (_MARGIN, _HEADER, _FOOTER) if height_mm is None else (0.5, 0.0, 6.0)
    footer += _LEGEND if heat is not None else 0.0
    if height_mm is None:
        row_height = _row_height(recording, start, length, paper, dense=len(rows) > 4)
        above, below = _overhangs(recording, rows, start, paper, row_height)
    else:
        row_height, above, below = _fit(recording, rows, start, paper, height_mm - footer - 2 * margin)
    chart_height = above + row_height * len(rows) + below
    left, top = margin, margin + header
    shapes: list[Shape] = []
    cells: list[HeatCell] = []
    for index, row in enumerate(rows):
        middle = top + above + (index + 0.5) * row_height
        shapes.append(_pulse(left + 1.0, middle, paper.gain_mm_mv))
        x = left + _PULSE
        for cell in row:
            width = cell.length_s * paper.speed_mm_s
            shapes.extend(_traces(recording, cell, start, x, middle, (top, top + chart_height), paper))
            mark = "*" if cell.lead in recording.derived else ""
            shapes.append(Label(x + 1.0, middle - row_height / 2 + 5.0, cell.lead + mark, 3.6, bold=True))
            if overlay is not None:
                begin = offset_s + start + cell.offset_s
                window = (begin, begin + cell.length_s)
                shapes.extend(draw_marks(overlay, cell.lead, window, x, middle, row_height, paper.speed_mm_s))
                if heat is not None:
                    cells.extend(heat_cells(heat, cell.lead, window, x, middle, row_height, paper.speed_mm_s))
            if cell is not row[0]:
                tick = np.array([[x, middle - 5.0, x, middle - 2.5], [x, middle + 2.5, x, middle + 5.0]])
                shapes.append(Segments(tick, "trace", 0.2))
            x += width
    if height_mm is None:
        shapes.extend(_header(recording, title, left, top))
    shown = f"{offset_s + start:.1f} to {offset_s + start + length:.1f} s of {whole_s or recording.duration_s:.1f} s"
    marked = overlay is not None and bool(overlay.beats or overlay.waves or overlay.per_lead)
    under = top + chart_height
    labels = _footer(recording, paper, shown, left, under, chart_width, marked=marked)
    shapes.extend(labels if height_mm is None else labels[:2])
    if overlay is not None and heat is not None:
        shapes.extend(heat_legend(overlay, left, under + footer - 1.5, 3.0))
    height = chart_height + 2 * margin + header + footer
    areas, bars = paint_heat(cells)
    grid = _grid(left, top, chart_width, chart_height)
    return Drawing(chart_width + 2 * margin, height, (*areas, *grid, *bars, *shapes))


def is_cut(drawing: Drawing) -> bool:
    """Return whether a wave of what `draw` drew reaches the edge of the paper, where it is cut."""
    edges = [shape.lines[:, 1] for shape in drawing.shapes if isinstance(shape, Segments) and shape.ink == "heavy"]
    top, bottom = np.min(edges), np.max(edges)
    traces = [shape.points[:, 1] for shape in drawing.shapes if isinstance(shape, Trace)]
    return any(trace.min() <= top or trace.max() >= bottom for trace in traces)


@dataclass(frozen=True)
class _Cell:
    lead: str
    offset_s: float
    length_s: float


def _rows(recording: Recording, layout: str, length: float, paper: Paper) -> list[list[_Cell]]:
    if layout == "strip":
        return [[_Cell(name, 0.0, length)] for name in recording.leads]
    grid = LAYOUTS[layout]
    missing = [name for row in grid for name in row if name not in recording.leads]
    if missing:
        raise InvalidValue(
            f"the layout {layout} needs all twelve leads",
            field="layout",
            found=f"without {', '.join(missing)}",
            options=("strip", "derive the limb leads first"),
        )
    part = length / len(grid[0])
    rows = [[_Cell(name, column * part, part) for column, name in enumerate(row)] for row in grid]
    if layout == "3x4+1":
        recording.lead(paper.rhythm_lead)
        rows.append([_Cell(paper.rhythm_lead, 0.0, length)])
    return rows


def _row_height(recording: Recording, start: float, length: float, paper: Paper, *, dense: bool) -> float:
    """Return a row height in whole 5 mm: the usual one, more where most leads need it."""
    window = recording.signal[:, int(start * recording.fs) : int((start + length) * recording.fs) + 1]
    known = [row[~np.isnan(row)] for row in window]
    spans = [float(np.percentile(row, 99.8) - np.percentile(row, 0.2)) for row in known if len(row)]
    needed = float(np.percentile(spans, 75)) * paper.gain_mm_mv if spans else 0.0
    usual = (15.0 if dense else _ROW) * max(1.0, paper.gain_mm_mv / 10.0)
    return _up_to_5(min(max(usual, needed), 3 * usual))


def _fit(
    recording: Recording, rows: list[list[_Cell]], start: float, paper: Paper, room: float
) -> tuple[float, float, float]:
    """Return the height of rows and of the paper above and below them, in all whole 5 mm that ``room`` holds.

    Rows are as high as may be; they move together where that keeps the outer ones from being cut.
    """
    room = 5.0 * (room // 5.0)
    usual = min(_ROW, room / len(rows))
    for row_height in np.arange(usual, min(usual, _DENSE_ROW) - 0.5, -0.5).tolist():
        above, below = _overhangs(recording, rows, start, paper, row_height)
        whole = _up_to_5(above + row_height * len(rows) + below)
        if whole <= room:
            return row_height, above, whole - above - row_height * len(rows)
    return usual, 0.0, _up_to_5(usual * len(rows)) - usual * len(rows)


def _up_to_5(value: float) -> float:
    return 5.0 * math.ceil(value / 5.0 - 1e-9)


def _grid(left: float, top: float, width: float, height: float) -> list[Segments]:
    """Return fine lines each 1 mm and heavy ones each 5 mm."""
    result = []
    for ink, step, thickness in (("fine", 1.0, 0.08), ("heavy", 5.0, 0.18)):
        xs = left + np.arange(0.0, width + step / 2, step)
        ys = top + np.arange(0.0, height + step / 2, step)
        if ink == "fine":
            xs, ys = xs[np.arange(len(xs)) % 5 != 0], ys[np.arange(len(ys)) % 5 != 0]
        vertical = np.column_stack([xs, np.full_like(xs, top), xs, np.full_like(xs, top + height)])
        horizontal = np.column_stack([np.full_like(ys, left), ys, np.full_like(ys, left + width), ys])
        result.append(Segments(np.concatenate([vertical, horizontal]), ink, thickness))  # type: ignore[arg-type]
    return result


def _pulse(x: float, y: float, gain: float) -> Trace:
    """Return the calibration pulse: 1 mV high, 5 mm long."""
    steps = [(0.0, 0.0), (1.5, 0.0), (1.5, -gain), (6.5, -gain), (6.5, 0.0), (8.0, 0.0)]
    return Trace(np.array(steps) + np.array([x, y]), "trace", 0.25)


def _window(recording: Recording, cell: _Cell, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a cell's samples: seconds from the cell's left edge, and millivolts from the lead's median there."""
    first = math.ceil((start + cell.offset_s) * recording.fs - 1e-6)
    last = math.floor((start + cell.offset_s + cell.length_s) * recording.fs + 1e-6)
    part = recording.lead(cell.lead)[first : last + 1].astype(np.float64)
    seconds = (first + np.arange(len(part))) / recording.fs - start - cell.offset_s
    return seconds, part - (0.0 if np.isnan(part).all() else float(np.nanmedian(part)))


def _overhangs(
    recording: Recording, rows: list[list[_Cell]], start: float, paper: Paper, row_height: float
) -> tuple[float, float]:
    """Return the paper needed above the first row and below the last one, in whole 5 mm, so that no wave is cut."""
    reach = [0.0, 0.0]
    for which, (row, sign) in enumerate(((rows[0], 1.0), (rows[-1], -1.0))):
        for cell in row:
            _, part = _window(recording, cell, start)
            if not np.isnan(part).all():
                reach[which] = max(reach[which], float(np.nanmax(sign * part)) * paper.gain_mm_mv)
    above, below = (min(_up_to_5(max(tall + 1.0 - row_height / 2, 0.0)), 40.0) for tall in reach)
    return above, below


def _traces(
    recording: Recording,
    cell: _Cell,
    start: float,
    x: float,
    y: float,
    limits: tuple[float, float],
    paper: Paper,
) -> list[Trace]:
    """Return one trace for each recorded stretch of a cell."""
    seconds, part = _window(recording, cell, start)
    points = np.column_stack([x + seconds * paper.speed_mm_s, y - part * paper.gain_mm_mv])
    np.clip(points[:, 1], *limits, out=points[:, 1])
    edges = np.flatnonzero(np.diff(np.isnan(part).astype(np.int8))) + 1
    return [Trace(run, "trace", 0.25) for run in np.split(points, edges) if len(run) and not np.isnan(run[0, 1])]


def _header(recording: Recording, title: str | None, left: float, top: float) -> list[Label]:
    subject = recording.subject
    who = [
        subject.id,
        f"{subject.age:.0f} y" if subject.age is not None else None,
        subject.sex,
        recording.start.strftime("%Y-%m-%d %H:%M:%S") if recording.start else None,
    ]
    name = title or (recording.source.name if recording.source else "")
    return [
        Label(left, top - 6.5, short(name, 80), 4.2, bold=True),
        Label(left, top - 2.0, short("   ".join(part for part in who if part), 110), 3.2),
    ]


def _footer(
    recording: Recording, paper: Paper, shown: str, left: float, under: float, width: float, *, marked: bool
) -> list[Label]:
    scale = f"{paper.speed_mm_s:g} mm/s   {paper.gain_mm_mv:g} mm/mV   {filters(recording)}   {recording.fs:g} Hz"
    if any(name in recording.derived for name in recording.leads):
        shown += "   * derived"
    labels = [
        Label(left, under + 4.5, scale, 3.0),
        Label(left + width, under + 4.5, shown, 3.0, anchor="end"),
        Label(left, under + 8.5, "Research use, not a medical device. Unconfirmed.", 2.6, ink="quiet"),
    ]
    if marked:
        labels += [
            Label(left + width - back, under + 8.5, ink.upper(), 2.6, ink=ink, anchor="end", bold=True)
            for ink, back in zip(KINDS, (13.0, 5.0, 0.0), strict=True)
        ]
    return labels
