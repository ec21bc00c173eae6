"""Small charts as SVG: panels side by side, each with axes, lines, bands, points with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#aa4499", "#8a8a8a"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
"""Told apart by the colour-blind too."""
_INK, _RULE = "#333", "#e3e3e3"
_FONT = "system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 44.0, 8.0, 24.0, 34.0, 14.0
_TITLE = 30.0


@dataclass(frozen=True)
class Line:
    """A line through points; with ``low`` and ``high``, a band around it."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str = BLUE
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dashed: bool = False
    dots: bool = False
    bars: bool = False
    """Bars from ``low`` to ``high`` instead of a band."""


@dataclass(frozen=True)
class Panel:
    """One chart. ``x`` and ``y`` are the ranges shown, ``ticks`` of x (value, words) where they are not plain."""

    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    lines: Sequence[Line] = ()
    x_title: str = ""
    y_title: str = ""
    ticks: Sequence[tuple[float, str]] = ()
    note: str = ""
    marks: Sequence[float] = field(default=())
    """Dashed rules across, at these values of y."""


def draw_panels(
    title: str,
    alt: str,
    panels: Sequence[Panel],
    *,
    columns: int = 3,
    size: tuple[float, float] = (236.0, 196.0),
    legend: Sequence[tuple[str, str]] = (),
) -> str:
    """Return an SVG document of panels in rows, with a title, a legend of (words, colour) and a description."""
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    width, head = columns * size[0] + _GAP, _TITLE + (18.0 if legend else 0.0)
    parts = [_text(_GAP, 20, title, 14, weight="600")]
    x = _GAP
    for words, colour in legend:
        parts.append(f'<rect x="{x:g}" y="{_TITLE:g}" width="12" height="4" fill="{colour}"/>')
        parts.append(_text(x + 16, _TITLE + 6, words, 11))
        x += 30 + 6.2 * len(words)
    for at, panel in enumerate(panels):
        parts.append(
            f'<g transform="translate({(at % columns) * size[0]:g} {head + (at // columns) * size[1]:g})">'
            f"{_panel(panel, *size)}</g>"
        )
    return _document(max(width, x), head + rows * size[1], title, alt, parts)


@dataclass(frozen=True)
class Row:
    """A row of a forest plot: value and interval in each column, None where not measured."""

    name: str
    values: Sequence[tuple[float, float, float] | None]
    heading: bool = False


def draw_forest(title: str, alt: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    """Return an SVG document of differences with their intervals, a column a metric, a rule at no difference."""
    name_width, column_width, row_height, head = 150.0, 148.0, 18.0, 56.0
    width, height = name_width + column_width * len(columns) + _GAP, head + row_height * len(rows) + 30
    parts = [_text(_GAP, 20, title, 14, weight="600")]
    for number, row in enumerate(rows):
        y = head + row_height * (number + 0.5)
        parts.append(_text(_GAP + (0 if row.heading else 8), y + 4, row.name, 11, weight="600" if row.heading else ""))
    for at, column in enumerate(columns):
        left = name_width + at * column_width + 8
        inner = column_width - 20
        told = [value for row in rows if not row.heading for value in (row.values[at],) if value is not None]
        reach = max([abs(end) for value in told for end in value[1:]], default=0.0) or 0.01
        reach = min(reach, 4 * max([abs(value[0]) for value in told], default=reach) + 0.01)

        def place(value: float, left: float = left, inner: float = inner, reach: float = reach) -> float:
            return left + inner * (min(max(value, -reach), reach) / reach + 1) / 2

        parts.append(_text(left + inner / 2, head - 8, column, 11, anchor="middle", weight="600"))
        bottom = head + row_height * len(rows)
        parts.append(_rule(place(0), head, place(0), bottom, "#999"))
        for end in (-reach, 0.0, reach):
            anchor = {-reach: "start", reach: "end"}.get(end, "middle")
            parts.append(_text(place(end), bottom + 14, f"{end:+.2g}" if end else "0", 10, anchor=anchor))
        for number, row in enumerate(rows):
            value = None if row.heading else row.values[at]
            if value is None:
                continue
            y, clear = head + row_height * (number + 0.5), value[1] > 0 or value[2] < 0
            colour = ORANGE if clear else BLUE
            parts.append(_rule(place(value[1]), y, place(value[2]), y, colour, 1.6))
            parts.append(f'<circle cx="{place(value[0]):.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
    return _document(width, height, title, alt, parts)


def _panel(panel: Panel, width: float, height: float) -> str:
    right, bottom = width - _RIGHT, height - _BOTTOM
    (x0, x1), (y0, y1) = panel.x, panel.y

    def at(x: float, y: float) -> tuple[float, float]:
        share_x, share_y = (x - x0) / ((x1 - x0) or 1), (y - y0) / ((y1 - y0) or 1)
        return _LEFT + share_x * (right - _LEFT), bottom - min(max(share_y, -0.02), 1.02) * (bottom - _TOP)

    parts = [_text(_LEFT, 14, panel.title, 12, weight="600")]
    if panel.note:
        parts.append(_text(right, 14, panel.note, 10, anchor="end", colour="#666"))
    for value in _ticks(y0, y1):
        y = at(x0, value)[1]
        parts += [_rule(_LEFT, y, right, y, _RULE), _text(_LEFT - 5, y + 3.5, f"{value:g}", 10, anchor="end")]
    for value, words in panel.ticks or [(value, f"{value:g}") for value in _ticks(x0, x1)]:
        x = at(value, y0)[0]
        parts += [_rule(x, bottom, x, bottom + 3, "#999"), _text(x, bottom + 14, words, 10, anchor="middle")]
    parts.append(_rule(_LEFT, bottom, right, bottom, "#999"))
    parts += [_rule(*at(x0, mark), *at(x1, mark), GREY, 1, dashed=True) for mark in panel.marks]
    for line in panel.lines:
        points = [at(x, y) for x, y in zip(line.x, line.y, strict=True)]
        if line.low and line.bars:
            for x, low, high in zip(line.x, line.low, line.high, strict=True):
                parts.append(_rule(*at(x, low), *at(x, high), line.colour, 1.2))
        elif line.low:
            upper = [at(x, y) for x, y in zip(line.x, line.high, strict=True)]
            lower = [at(x, y) for x, y in zip(line.x, line.low, strict=True)][::-1]
            parts.append(f'<path d="{_path([*upper, *lower])}Z" fill="{line.colour}" fill-opacity="0.15"/>')
        if len(points) > 1 and not (line.bars and line.dots and line.dashed):
            dash = ' stroke-dasharray="4 3"' if line.dashed else ""
            parts.append(
                f'<path d="{_path(points)}" fill="none" stroke="{line.colour}" stroke-width="1.6"{dash}'
                ' stroke-linejoin="round"/>'
            )
        if line.dots:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{line.colour}"/>' for x, y in points]
    parts.append(_text((_LEFT + right) / 2, height - 4, panel.x_title, 10, anchor="middle", colour="#666"))
    if panel.y_title:
        middle = (_TOP + bottom) / 2
        parts.append(
            f'<text transform="translate(11 {middle:g}) rotate(-90)" font-size="10" text-anchor="middle" fill="#666">'
            f"{escape(panel.y_title)}</text>"
        )
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Return three to six round values within a range."""
    span = high - low
    power = 10 ** math.floor(math.log10(span / 3)) if span > 0 else 1.0
    step = next(step * power for step in (1, 2, 5, 10) if span / (step * power) <= 5)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _document(width: float, height: float, title: str, alt: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" font-family="{_FONT}"><title>{escape(title)}</title>'
        f'<desc>{escape(alt)}</desc><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dash}/>'


def _text(
    x: float, y: float, words: str, size: float, *, anchor: str = "start", weight: str = "", colour: str = _INK
) -> str:
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"{bold} fill="{colour}">'
        f"{escape(words)}</text>"
    )
