"""What the pages of a report share: sheet, head and foot, columns, lines and paragraphs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from ecg_core.report import words
from ecg_core.report.render import MM, for_pdf

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

PAGES_MM = {"a4": (297.0, 210.0), "letter": (279.4, 215.9)}
"""Width and height of a sheet on its long side."""
EDGE = 7.0
HEAD = 13.0
FOOT = 9.0
GAP = 4.0
RED = "#9c1c1c"


def write_head(canvas: Canvas, title: str, beside: str, under: str, size: tuple[float, float]) -> None:
    """Write the title, what stands beside and under it, and, to the right, what the page is not."""
    right, high, low = size[0] - EDGE, size[1] - EDGE - 4.2, size[1] - EDGE - 9.2
    canvas.setFillColor("#000000")
    after = write_line(canvas, EDGE, high, title, right - 60.0, font="Helvetica-Bold", size=13)
    write_line(canvas, max(after + GAP, EDGE + 32), high, beside, right - 60.0, size=8.5)
    write_line(canvas, EDGE, low, under, right - 48.0)
    canvas.setFillColor(RED)
    canvas.setFont("Helvetica-Bold", 8.5)
    canvas.drawRightString(right * MM, high * MM, words.UNCONFIRMED)
    canvas.setFont("Helvetica", 7)
    canvas.drawRightString(right * MM, low * MM, words.NOTICE)
    canvas.setFillColor("#000000")


def write_columns(canvas: Canvas, columns: Iterable[tuple[float, list[Any]]], left: float, top: float) -> None:
    """Write columns, width and content each, beside each other, as small as they must be to fit.

    They reach from ``top`` mm above the lower edge of the page down to the foot.
    """
    from reportlab.platypus import KeepInFrame

    room = top - EDGE - FOOT
    for wide, content in columns:
        frame = KeepInFrame(wide * MM, room * MM, content, mode="shrink")
        _, used = frame.wrapOn(canvas, wide * MM, room * MM)
        frame.drawOn(canvas, left * MM, top * MM - used)
        left += wide + GAP


def write_foot(canvas: Canvas, analysis: Mapping[str, Any], number: str, width: float) -> None:
    """Write what made the page, from which file, and which page it is."""
    software = analysis["provenance"]["software"]
    made = f"{software['name'].capitalize()} {software['version']}, analysed {analysis['provenance']['analysed_at']}"
    canvas.setFillColor("#000000")
    after = write_line(
        canvas, EDGE, EDGE, f"{made}   sha256 {(analysis['recording']['sha256'] or '')[:16]}", width - 130.0
    )
    write_line(canvas, after + 2 * GAP, EDGE, number, width - 106.0)


def write_line(
    canvas: Canvas, x: float, y: float, text: str, end: float, *, font: str = "Helvetica", size: float = 7.0
) -> float:
    """Write a line that is cut before ``end``, and return where it ends, in mm."""
    shown = text = for_pdf(text)
    while shown and x + canvas.stringWidth(shown, font, size) / MM > end:
        text = text[:-1]
        shown = text.rstrip() + "..."
    canvas.setFont(font, size)
    canvas.drawString(x * MM, y * MM, shown)
    return float(x + canvas.stringWidth(shown, font, size) / MM)


def heading(text: str) -> Any:
    """Return a heading of a column."""
    return paragraph(text, size=8, bold=True, before=1.5)


def paragraph(text: str, *, size: float = 7.0, bold: bool = False, colour: str = "#111111", before: float = 0.0) -> Any:
    """Return a paragraph of a column; what stands in the text means nothing to the library."""
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
