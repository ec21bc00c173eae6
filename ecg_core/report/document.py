"""The report on a page: identity, tracing at true scale, measurements, findings, doubts, and a place to sign."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording
from ecg_core.report import words
from ecg_core.report.drawing import Drawing
from ecg_core.report.paper import Paper, draw
from ecg_core.report.render import MM, for_pdf, paint

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

PAGES_MM = {"a4": (297.0, 210.0), "letter": (279.4, 215.9)}
"""Width and height of a sheet on its long side."""

_EDGE = 7.0
_HEAD = 13.0
_FOOT = 9.0
_TEXT_LEAST = 56.0
"""Height that the text needs at least, in mm."""
_GAP = 4.0
_CROWDED_MM = 30.0
"""Half of the leads are taller than this: rows are not."""


def to_report(analysis: Mapping[str, Any], recording: Recording, *, page: str = "a4", notes: str = "") -> bytes:
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
    """
    if page not in PAGES_MM:
        raise InvalidValue("no such page", field="page", found=page, options=tuple(PAGES_MM))
    from reportlab.pdfgen.canvas import Canvas

    width, height = PAGES_MM[page]
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(width * MM, height * MM), invariant=1, pageCompression=1)
    canvas.setTitle("ECG report")
    canvas.setSubject(f"{words.NOTICE} {words.UNCONFIRMED}.")
    _head(canvas, analysis, width, height)
    drawing = _tracing(recording, analysis["waves"]["start_s"], height - 2 * _EDGE - _HEAD - _FOOT - _TEXT_LEAST)
    top = _EDGE + _HEAD + drawing.height
    paint(canvas, drawing, (width - drawing.width) / 2, height - top)
    _columns(canvas, analysis, notes, width, height, top)
    _foot(canvas, analysis, width)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _tracing(recording: Recording, start_s: float, room: float) -> Drawing:
    """Return the tracing: at 10 mm/mV, or at half of that where most leads would run into each other."""
    drawing = draw(recording, Paper(start_s=start_s), height_mm=room)
    first, last = (round(edge * recording.fs) for edge in (start_s, start_s + 10.0))
    known = [lead[~np.isnan(lead)] for lead in recording.signal[:, first:last]]
    spans_mm = [10.0 * float(np.ptp(lead)) for lead in known if len(lead)]
    if spans_mm and np.median(spans_mm) > _CROWDED_MM:
        drawing = draw(recording, Paper(start_s=start_s, gain_mm_mv=5.0), height_mm=room)
    return drawing


def _head(canvas: Canvas, analysis: Mapping[str, Any], width: float, height: float) -> None:
    recording = analysis["recording"]
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(_EDGE * MM, (height - _EDGE - 4.2) * MM, "ECG report")
    canvas.setFont("Helvetica", 8.5)
    when = recording["start"] or "time of recording unknown"
    _line(canvas, _EDGE + 32, height - _EDGE - 4.2, f"{words.person(analysis)}   |   {when.replace('T', ' ')}")
    canvas.setFont("Helvetica", 7)
    leads = f"{len(recording['leads'])} lead" + "s" * (len(recording["leads"]) != 1)
    what = (
        f"{recording['name']}   {recording['format']}, {leads}, {recording['duration_s']:.1f} s, {recording['fs']:g} Hz"
    )
    _line(canvas, _EDGE, height - _EDGE - 9.2, what)
    canvas.setFont("Helvetica-Bold", 8.5)
    canvas.setFillColor("#9c1c1c")
    canvas.drawRightString((width - _EDGE) * MM, (height - _EDGE - 4.2) * MM, words.UNCONFIRMED)
    canvas.setFont("Helvetica", 7)
    canvas.drawRightString((width - _EDGE) * MM, (height - _EDGE - 9.2) * MM, words.NOTICE)
    canvas.setFillColor("#000000")


def _columns(canvas: Canvas, analysis: Mapping[str, Any], notes: str, width: float, height: float, top: float) -> None:
    """Write the table, the findings and the rest beside each other, as small as they must be to fit."""
    from reportlab.platypus import KeepInFrame

    columns: tuple[tuple[float, list[Any]], ...] = (
        (82.0, [_table(analysis)]),
        (width - 2 * _EDGE - 2 * _GAP - 82.0 - 88.0, _findings(analysis, notes)),
        (88.0, _basis(analysis)),
    )
    room, left = height - top - _EDGE - _FOOT, _EDGE
    for wide, content in columns:
        frame = KeepInFrame(wide * MM, room * MM, content, mode="shrink")
        _, used = frame.wrapOn(canvas, wide * MM, room * MM)
        frame.drawOn(canvas, left * MM, (height - top) * MM - used)
        left += wide + _GAP


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
    style += [("TEXTCOLOR", (1, at), (3, at), "#9c1c1c") for at, row in enumerate(rows) if row[3] in ("low", "high")]
    return Table(rows, colWidths=[27 * MM, 21 * MM, 24 * MM, 10 * MM], style=TableStyle(style), hAlign="LEFT")


def _findings(analysis: Mapping[str, Any], notes: str) -> list[Any]:
    urgent = [item for item in analysis["findings"] if item["kind"] == "urgent"]
    others = [item for item in analysis["findings"] if item["kind"] != "urgent"]
    said = [_heading(analysis["summary"]["diagnosis"] or "Nothing could be stated")]
    said += [_paragraph(f"CRITICAL BY RULE: {words.finding(item)}", colour="#9c1c1c", bold=True) for item in urgent]
    for item in others:
        grounds = "; ".join([*item["evidence"], *(f"against: {text}" for text in item["against"])])
        said.append(_paragraph(f"- {words.finding(item)}" + (f": {grounds}" if grounds else "")))
    if notes.strip():
        said += [_heading("Notes"), _paragraph(notes)]
    return said


def _basis(analysis: Mapping[str, Any]) -> list[Any]:
    return [
        _heading("Risk of atrial fibrillation"),
        *(_paragraph(line) for line in words.af_risk(analysis)),
        _heading("Quality and exclusions"),
        *(_paragraph(line) for line in words.quality(analysis)),
        _heading("Models"),
        _paragraph(", ".join(words.models(analysis)), size=6),
    ]


def _foot(canvas: Canvas, analysis: Mapping[str, Any], width: float) -> None:
    canvas.setFont("Helvetica", 7)
    software = analysis["provenance"]["software"]
    made = f"{software['name'].capitalize()} {software['version']}, analysed {analysis['provenance']['analysed_at']}"
    _line(canvas, _EDGE, _EDGE, f"{made}   sha256 {(analysis['recording']['sha256'] or '')[:16]}")
    canvas.setLineWidth(0.4)
    canvas.line((width - 105) * MM, (_EDGE + 0.5) * MM, (width - _EDGE) * MM, (_EDGE + 0.5) * MM)
    canvas.setFont("Helvetica", 6)
    canvas.drawString((width - 105) * MM, (_EDGE - 2.2) * MM, "Confirmed by (name, signature, date)")


def _line(canvas: Canvas, x: float, y: float, text: str) -> None:
    canvas.drawString(x * MM, y * MM, for_pdf(text))


def _heading(text: str) -> Any:
    return _paragraph(text, size=8, bold=True, before=1.5)


def _paragraph(
    text: str, *, size: float = 7.0, bold: bool = False, colour: str = "#111111", before: float = 0.0
) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "text",
        fontName="Helvetica-Bold" if bold else "Helvetica",
        fontSize=size,
        leading=size * 1.2,
        textColor=HexColor(colour),
        spaceBefore=before,
        spaceAfter=0.8,
    )
    return Paragraph(escape(for_pdf(text)), style)
