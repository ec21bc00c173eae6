"""Why a model answers as it does, on paper: heat on the tracing, and what the parts add, as numbers and bars.

Explanations are taken as JSON, as `ecg_core.explain.Explanation.to_dict` gives them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.explain.value import Heat
from ecg_core.recording import Recording
from ecg_core.report import words
from ecg_core.report.drawing import Boxes, Drawing, Label, Segments, Shape, stack
from ecg_core.report.overlay import Overlay
from ecg_core.report.paper import Paper, draw

SHOWN_S = 10.0
"""Seconds that are drawn; of a longer explanation those that speak most for the answer."""
ROW = 4.0
"""Height in mm of a line of the table of parts."""
MOST_PARTS = 14
"""That are shown one by one; of the rest the sum is shown."""

_MARGIN = 8.0
_TEXT = 2.6
_NAME, _LONG_NAME = 42.0, 62.0
"""Widths in mm of the name of a stretch, and of a figure."""
_NUMBER, _TAIL = 14.0, 25.0
"""Widths in mm of what a part adds, and of what else is known of it."""
_WIDTH = 150.0


@dataclass(frozen=True)
class Row:
    """A line of the table of parts."""

    name: str
    value: float | None = None
    """What it adds; None in the heading."""
    tail: tuple[str, ...] = ()
    part: bool = False
    """Whether it is a part of the tracing, or a figure, and has a bar."""
    total: bool = False


def rows_of(explanation: Mapping[str, Any], most: int = MOST_PARTS) -> list[Row]:
    """Return what adds or takes off most, and, where the parts sum to the answer, all else that does."""
    unit, segments = explanation["unit"], explanation["segments"]
    parts = list(_parts(explanation))
    shown = [row for row in parts[:most] if round(row.value or 0.0, _digits(explanation))]
    if not explanation["adds_up"]:
        return [Row(f"adds, {unit}", tail=("straight", "usual")), *shown]
    sure = {name: explanation[name] for name in ("base", "trees", "residual")}
    rest = explanation["answer"] - sum(sure.values()) - sum(row.value or 0.0 for row in shown)
    nothing = "nothing known" if explanation["figures"] else "a straight line in each lead"
    rows = [Row(f"adds, {unit}", tail=("of all for it",) if segments else ()), Row(nothing, sure["base"]), *shown]
    if more := len(parts) - len(shown):
        rows.append(Row(f"{more} other" + "s" * (more > 1), rest))
    elif not parts:
        rows.append(Row("the tracing", rest))
    if sure["trees"]:
        rows.append(Row("trees on measured figures", sure["trees"]))
    if not explanation["figures"]:
        rows.append(Row("left unexplained", sure["residual"]))
    chance = "" if explanation["probability"] is None else words.percent(explanation["probability"])
    return [*rows, Row("sum: the answer", explanation["answer"], tail=(chance,) if chance else (), total=True)]


def _digits(explanation: Mapping[str, Any]) -> int:
    return 1 if explanation["unit"] == "years" else 2


def _parts(explanation: Mapping[str, Any]) -> Iterator[Row]:
    for item in explanation["figures"]:
        yield Row(words.figure(item), item["added"], part=True)
    for item in explanation["segments"]:
        share = () if item["share"] is None else (words.percent(item["share"]),)
        replaced = [item[name] for name in ("without", "usual")]
        tail = share if explanation["adds_up"] else tuple("-" if p is None else words.percent(p) for p in replaced)
        yield Row(words.segment(item), item["value"], tail, part=True)


def overlay_of(explanation: Mapping[str, Any]) -> Overlay | None:
    """Return the heat of an explanation, to be drawn with the tracing; None where it has none."""
    if (heat := explanation["heat"]) is None:
        return None
    leads = {lead: np.asarray(values, dtype=np.float64) for lead, values in heat["leads"].items()}
    says = (f"speaks for: {explanation['title']} (bar above)", "speaks against (bar below)")
    if explanation["unit"] == "years":
        says = ("adds years (bar above)", "takes years off (bar below)")
    return Overlay(heat=Heat(heat["start_s"], heat["step_s"], leads), heat_says=says)


def shown_from(explanation: Mapping[str, Any]) -> float:
    """Return from which second on an explanation is drawn."""
    start_s, end_s, heat = explanation["start_s"], explanation["end_s"], explanation["heat"]
    if heat is None or end_s - start_s <= SHOWN_S:
        return float(start_s)
    total = np.sum([np.clip(values, 0.0, None) for values in heat["leads"].values()], axis=0)
    held = max(1, round(SHOWN_S / heat["step_s"]))
    first = int(np.convolve(total, np.ones(held), mode="valid").argmax()) if len(total) > held else 0
    return float(min(max(heat["start_s"] + first * heat["step_s"], start_s), end_s - SHOWN_S))


def draw_parts(explanation: Mapping[str, Any], *, width: float = _WIDTH, most: int = MOST_PARTS) -> Drawing:
    """Draw `rows_of` an explanation: names, numbers, and bars to the right for it and to the left against it."""
    rows = rows_of(explanation, most)
    values = [row.value or 0.0 for row in rows if row.part]
    low, high = min([0.0, *values]), max([0.0, *values])
    names = _LONG_NAME if explanation["figures"] else _NAME
    left = names + _NUMBER + 3.0
    tail = 0.0 if explanation["figures"] else _TAIL
    scale = (width - left - tail) / (high - low) if high > low else 0.0
    zero, digits = left - low * scale, _digits(explanation)
    shapes: list[Shape] = []
    for at, row in enumerate(rows):
        y = at * ROW + 3.0
        ink, bold = ("quiet", False) if row.value is None else ("text", row.part or row.total)
        shapes.append(Label(0.0, y, words.short(row.name, int(names / (0.5 * _TEXT))), _TEXT, ink=ink, bold=row.total))  # type: ignore[arg-type]
        if row.value is not None:
            number = f"{row.value:{'' if row.total else '+'}.{digits}f}"
            shapes.append(Label(names + _NUMBER, y, number, _TEXT, anchor="end", bold=bold))
        for place, text in enumerate(reversed(row.tail)):
            shapes.append(Label(width - place * 12.0, y, text, _TEXT, ink=ink, anchor="end"))  # type: ignore[arg-type]
        if row.part and row.value and scale:
            x, long = zero + min(row.value, 0.0) * scale, abs(row.value) * scale
            box = np.array([[x, y - 2.4, max(long, 0.1), 2.8]])
            shapes.append(Boxes(box, "for" if row.value > 0 else "against", 0.85))
        if row.total:
            shapes.append(Segments(np.array([[0.0, y - 3.1, width, y - 3.1]]), "quiet", 0.15))
    if scale:
        parts = [at for at, row in enumerate(rows) if row.part]
        lines = np.array([[zero, parts[0] * ROW + 0.2, zero, (parts[-1] + 1) * ROW - 0.2]])
        shapes.append(Segments(lines, "quiet", 0.15))
    return Drawing(width, len(rows) * ROW, tuple(shapes))


def draw_explanation(recording: Recording, explanation: Mapping[str, Any]) -> Drawing:
    """Draw an explanation whole: the tracing with its heat where there is one, the sentence, and the parts."""
    title, overlay = words.why(explanation), overlay_of(explanation)
    sheets = []
    if overlay is not None:
        paper = Paper(start_s=shown_from(explanation), length_s=SHOWN_S)
        sheets.append(draw(recording, paper, title=title, overlay=overlay))
    width = max([2 * _MARGIN + _WIDTH, *(sheet.width for sheet in sheets)])
    letters = int((width - 2 * _MARGIN) / (0.5 * 3.0))
    name = f"{recording.source.name}: " if recording.source else ""
    model = f"{name}{words.identity(explanation['model'])}; {words.METHODS[explanation['method']]}."
    cautions = [words.sentence(text) for text in explanation["cautions"]]
    told: list[tuple[str, float, bool]] = [] if sheets else [(title, 4.2, True)]
    told += [(line, 3.2, True) for line in textwrap.wrap(explanation["sentence"], letters)]
    told += [(line, 2.6, False) for text in (model, *cautions) for line in textwrap.wrap(text, letters)]
    told += [] if sheets else [(f"{words.NOTICE} {words.UNCONFIRMED}.", 2.6, False)]
    shapes, y = list[Shape](), 0.0 if sheets else _MARGIN
    for text, size, bold in told:
        y += 1.5 * size
        shapes.append(Label(_MARGIN, y, text, size, bold=bold))
    sheets.append(Drawing(width, y + 4.0, tuple(shapes)))
    sheets.append(draw_parts(explanation).moved(_MARGIN, 0.0))
    return stack([*sheets, Drawing(0.0, _MARGIN, ())])
