"""The report on a page: identity, tracing at true scale, measurements, findings, doubts, and a place to sign.

A second page tells why: the tracing with what stretches weighed for a model's answer, and the parts of that as a sum.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording
from ecg_core.report import words
from ecg_core.report.drawing import Drawing, stack
from ecg_core.report.explanation import ROW, SHOWN_S, draw_parts, overlay_of, shown_from
from ecg_core.report.overlay import Overlay
from ecg_core.report.page import (
    EDGE,
    FOOT,
    GAP,
    HEAD,
    PAGES_MM,
    RED,
    heading,
    paragraph,
    write_columns,
    write_foot,
    write_head,
)
from ecg_core.report.paper import Paper, draw, is_cut
from ecg_core.report.render import MM, new_canvas, paint

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_TEXT_LEAST = 56.0
"""Height that the text needs at least, in mm."""
_CROWDED_MM = 30.0
"""Half of the leads are taller than this: rows are not."""
_STRIPS = {1: 3, 2: 2}
"""Leads to the strips of ten seconds that there is room for beneath each other; of more leads one."""
_WHY = 118.0
"""Width of the table of parts, in mm."""
_WHY_LEAST = 8
"""Parts that it shows at least."""
_WHY_MOST = 30
_WHY_OTHERS = 6
"""Lines that it may have beside the parts."""


def to_report(
    analysis: Mapping[str, Any],
    recording: Recording,
    *,
    page: str = "a4",
    notes: str = "",
    explanation: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the report as a PDF of one page, all of it lines and letters; the same analysis gives the same bytes.

    Parameters
    ----------
    analysis
        `Analysis.to_dict` of it.
    recording
        What was analysed.
    page
        ``a4`` or ``letter``.
    notes
        The reader's own.
    explanation
        `Explanation.to_dict` of an answer of the analysis, for a second page.
    """
    if page not in PAGES_MM:
        raise InvalidValue("no such page", field="page", found=page, options=tuple(PAGES_MM))
    size = PAGES_MM[page]
    buffer = io.BytesIO()
    canvas = new_canvas(buffer, (size[0] * MM, size[1] * MM), "ECG report")
    canvas.setSubject(f"{words.NOTICE} {words.UNCONFIRMED}.")
    _findings_page(canvas, analysis, recording, notes, size, "" if explanation is None else "Page 1 of 2")
    if explanation is not None:
        _why_page(canvas, analysis, recording, explanation, size)
    canvas.save()
    return buffer.getvalue()


def _findings_page(
    canvas: Canvas,
    analysis: Mapping[str, Any],
    recording: Recording,
    notes: str,
    size: tuple[float, float],
    number: str,
) -> None:
    width, height = size
    who = f"{words.person(analysis)}   |   {_when(analysis)}"
    write_head(canvas, "ECG report", who, _what(analysis), size)
    room = height - 2 * EDGE - HEAD - FOOT - _TEXT_LEAST
    top = _put(canvas, _tracing(recording, analysis["waves"]["start_s"], room), size)
    columns: tuple[tuple[float, list[Any]], ...] = (
        (82.0, [_table(analysis)]),
        (width - 2 * EDGE - 2 * GAP - 82.0 - 88.0, _findings(analysis, notes)),
        (88.0, _basis(analysis)),
    )
    write_columns(canvas, columns, EDGE, height - top)
    write_foot(canvas, analysis, number, width)
    canvas.setStrokeColor("#000000")
    canvas.setLineWidth(0.4)
    canvas.line((width - 105) * MM, (EDGE + 0.5) * MM, (width - EDGE) * MM, (EDGE + 0.5) * MM)
    canvas.setFont("Helvetica", 6)
    canvas.drawString((width - 105) * MM, (EDGE - 2.2) * MM, "Confirmed by (name, signature, date)")
    canvas.showPage()


def _why_page(
    canvas: Canvas,
    analysis: Mapping[str, Any],
    recording: Recording,
    explanation: Mapping[str, Any],
    size: tuple[float, float],
) -> None:
    width, height = size
    who = f"{words.person(analysis)}   |   {_when(analysis)}   |   {_what(analysis)}"
    write_head(canvas, words.why(explanation), "", who, size)
    top, overlay = EDGE + HEAD, overlay_of(explanation)
    if overlay is not None:
        room = height - 2 * EDGE - HEAD - FOOT - (_WHY_LEAST + _WHY_OTHERS) * ROW - GAP / 2
        top = _put(canvas, _tracing(recording, shown_from(explanation), room, overlay), size)
    most = min(int((height - top - EDGE - FOOT - GAP / 2) // ROW) - _WHY_OTHERS, _WHY_MOST)
    parts = draw_parts(explanation, width=_WHY, most=most)
    paint(canvas, parts, EDGE, height - top - GAP / 2 - parts.height)
    half = (width - 2 * EDGE - _WHY - 2 * GAP - 4.0) / 2
    columns = ((half, _said(explanation)), (half, _made(explanation)))
    write_columns(canvas, columns, EDGE + _WHY + GAP + 4.0, height - top)
    write_foot(canvas, analysis, "Page 2 of 2", width)
    canvas.showPage()


def _put(canvas: Canvas, drawing: Drawing, size: tuple[float, float]) -> float:
    """Paint the tracing beneath the head, and return how many mm of the page are then taken."""
    top = EDGE + HEAD + drawing.height
    paint(canvas, drawing, (size[0] - drawing.width) / 2, size[1] - top)
    canvas.setFillColor("#000000")
    return top


def _tracing(recording: Recording, start_s: float, room: float, overlay: Overlay | None = None) -> Drawing:
    """Return the tracing, a recording of few leads in several strips where it goes on.

    It is drawn at 10 mm/mV, or at half of that where most leads would run into each other, or one would be cut.
    """
    whole = max(1, round((recording.duration_s - start_s) / SHOWN_S))
    n_strips = min(whole, _STRIPS.get(len(recording.leads), 1)) if overlay is None else 1
    first, last = (round(at * recording.fs) for at in (start_s, start_s + n_strips * SHOWN_S))
    known = [lead[~np.isnan(lead)] for lead in recording.signal[:, first:last]]
    spans_mm = [10.0 * float(np.ptp(lead)) for lead in known if len(lead)]

    def strips(gain: float, n: int) -> list[Drawing]:
        papers = [Paper(start_s=start_s + at * SHOWN_S, gain_mm_mv=gain) for at in range(n)]
        return [draw(recording, paper, overlay=overlay, height_mm=room / n) for paper in papers]

    if not spans_mm or np.median(spans_mm) <= _CROWDED_MM:
        for fewer in range(n_strips, 0, -1):
            drawn = strips(10.0, fewer)
            if not any(map(is_cut, drawn)):
                return stack(drawn)
    return stack(strips(5.0, n_strips))


def _when(analysis: Mapping[str, Any]) -> str:
    return (analysis["recording"]["start"] or "time of recording unknown").replace("T", " ")


def _what(analysis: Mapping[str, Any]) -> str:
    recording = analysis["recording"]
    leads = f"{len(recording['leads'])} lead" + "s" * (len(recording["leads"]) != 1)
    return (
        f"{recording['name']}   {recording['format']}, {leads}, {recording['duration_s']:.1f} s, {recording['fs']:g} Hz"
    )


def _table(analysis: Mapping[str, Any]) -> Any:
    from reportlab.platypus import Table, TableStyle

    rows = [("", "measured", "usual", ""), *words.measured(analysis)]
    style: list[Any] = [
        ("FONT", (0, 0), (-1, -1), "Helvetica", 7),
        ("FONT", (1, 1), (1, -1), "Helvetica-Bold", 7),
        ("TEXTCOLOR", (0, 0), (-1, 0), "#666666"),
        ("TEXTCOLOR", (2, 1), (2, -1), "#444444"),
        ("TOPPADDING", (0, 0), (-1, -1), 0.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0.9),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("LINEBELOW", (0, 0), (-1, -2), 0.2, "#dddddd"),
    ]
    style += [("TEXTCOLOR", (1, at), (3, at), RED) for at, row in enumerate(rows) if row[3] in ("low", "high")]
    return Table(rows, colWidths=[27 * MM, 21 * MM, 24 * MM, 10 * MM], style=TableStyle(style), hAlign="LEFT")


def _findings(analysis: Mapping[str, Any], notes: str) -> list[Any]:
    urgent = [item for item in analysis["findings"] if item["kind"] == "urgent"]
    others = [item for item in analysis["findings"] if item["kind"] not in ("urgent", "risk")]
    said = [heading(analysis["summary"]["diagnosis"] or "Nothing could be stated")]
    said += [paragraph(f"CRITICAL BY RULE: {words.finding(item)}", colour=RED, bold=True) for item in urgent]
    for item in others:
        grounds = _grounds(item)
        said.append(paragraph(f"- {words.finding(item)}" + (f": {grounds}" if grounds else "")))
    if notes.strip():
        said += [heading("Notes"), paragraph(notes)]
    return said


def _grounds(item: Mapping[str, Any]) -> str:
    return "; ".join([*item["evidence"], *(f"against: {text}" for text in item["against"])])


def _basis(analysis: Mapping[str, Any]) -> list[Any]:
    risks = [item for item in analysis["findings"] if item["kind"] == "risk"]
    return [
        heading("Risk of atrial fibrillation"),
        *(paragraph(line) for line in words.af_risk(analysis)),
        *(paragraph(_grounds(item), size=5.5) for item in risks),
        heading("Quality and exclusions"),
        *(paragraph(line) for line in words.quality(analysis)),
        heading("Models"),
        paragraph(", ".join(words.models(analysis)), size=6),
    ]


def _said(explanation: Mapping[str, Any]) -> list[Any]:
    span = f"Explained on {explanation['start_s']:.1f} to {explanation['end_s']:.1f} s"
    read = f", from {', '.join(explanation['leads'])}: the leads that the model read" if explanation["heat"] else ""
    return [
        heading("In words"),
        paragraph(explanation["sentence"], size=8),
        paragraph(f"{span}{read}."),
        heading("With care"),
        paragraph("It tells what the model went by, which need not be what is wrong with the heart."),
        *(paragraph(words.sentence(text)) for text in explanation["cautions"]),
    ]


def _made(explanation: Mapping[str, Any]) -> list[Any]:
    settings = "; ".join(f"{name}: {json.dumps(value)}" for name, value in explanation["settings"].items())
    method = words.METHODS[explanation["method"]]
    model = explanation["model"]
    return [
        heading("How it was made"),
        paragraph(words.sentence(method)),
        paragraph(settings.replace("_", " ").replace('"', "")),
        heading("Model"),
        paragraph(f"{model['name']} {model['version']}, {explanation['label']}; sha256"),
        paragraph(model["sha256"], size=5.5),
    ]
