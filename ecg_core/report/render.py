"""A `Drawing` as SVG, PDF or PNG, each at its true size."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.report.drawing import Boxes, Drawing, Label, Segments, Trace

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

COLOURS = {
    "paper": "#fffdfc",
    "fine": "#f6cfcf",
    "heavy": "#e79a9a",
    "trace": "#111111",
    "text": "#222222",
    "quiet": "#777777",
    "p": "#2a7f4f",
    "qrs": "#1f4e9e",
    "t": "#9a5b00",
    "for": "#d95f02",
    "against": "#2166ac",
}
MM = 72 / 25.4
"""Points of a PDF in a millimetre."""


def to_svg(drawing: Drawing) -> bytes:
    """Return an SVG document whose user unit is a millimetre."""
    size = (
        f'width="{drawing.width:g}mm" height="{drawing.height:g}mm" viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="100%" height="100%" fill="{COLOURS["paper"]}"/>',
    ]
    for shape in drawing.shapes:
        if isinstance(shape, Label):
            weight = ' font-weight="bold"' if shape.bold else ""
            parts.append(
                f'<text x="{shape.x:g}" y="{shape.y:g}" font-size="{shape.size:g}" text-anchor="{shape.anchor}"'
                f' font-family="Helvetica, Arial, sans-serif"{weight} fill="{COLOURS[shape.ink]}">'
                f"{escape(_printable(shape.text))}</text>"
            )
        elif isinstance(shape, Boxes):
            parts.append(f'<path d="{_path(shape)}" transform="scale(0.01)" fill="{_mixed(shape)}"/>')
        else:
            parts.append(
                f'<path d="{_path(shape)}" transform="scale(0.01)" fill="none" stroke="{COLOURS[shape.ink]}"'
                f' stroke-width="{shape.width * 100:g}" stroke-linejoin="round"/>'
            )
    parts.append("</svg>\n")
    return "\n".join(parts).encode()


def _path(shape: Segments | Trace | Boxes) -> str:
    """Return SVG path data in whole hundredths of a millimetre, relative so that it is short."""
    if isinstance(shape, Boxes):
        corners = np.rint(np.column_stack([shape.boxes[:, :2], shape.boxes[:, :2] + shape.boxes[:, 2:]]) * 100)
        whole = corners.astype(int).tolist()
        return "".join(f"M{x1} {y1}h{x2 - x1}v{y2 - y1}h{x1 - x2}z" for x1, y1, x2, y2 in whole)
    if isinstance(shape, Segments):
        whole = np.rint(shape.lines * 100).astype(int)
        return "".join(f"M{x1} {y1}L{x2} {y2}" for x1, y1, x2, y2 in whole.tolist())
    whole = np.rint(shape.points * 100).astype(int)
    moves = " ".join(f"{dx} {dy}" for dx, dy in np.diff(whole, axis=0).tolist())
    return f"M{whole[0, 0]} {whole[0, 1]}l{moves or '1 0'}"


def _mixed(shape: Boxes) -> str:
    """Return the colour of boxes: their ink thinned with the paper."""
    ink, paper = (bytes.fromhex(COLOURS[name][1:]) for name in (shape.ink, "paper"))
    mixed = (round(shape.strength * a + (1.0 - shape.strength) * b) for a, b in zip(ink, paper, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def to_pdf(drawing: Drawing, *, title: str = "ECG") -> bytes:
    """Return a one-page vector PDF of the drawing's own size; the same drawing gives the same bytes."""
    buffer = io.BytesIO()
    page = (drawing.width * MM, drawing.height * MM)
    canvas = new_canvas(buffer, page, title)
    canvas.setFillColor(COLOURS["paper"])
    canvas.rect(0, 0, *page, stroke=0, fill=1)
    paint(canvas, drawing)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def new_canvas(buffer: io.BytesIO, page: tuple[float, float], title: str) -> Canvas:
    """Return an empty PDF with pages of so many points, which always becomes the same bytes."""
    from reportlab import rl_config
    from reportlab.pdfgen.canvas import Canvas

    rl_config.useA85 = 0  # else the library writes pages in letters, a quarter longer; it knows no other way to say so
    canvas = Canvas(buffer, pagesize=page, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    return canvas


def paint(canvas: Canvas, drawing: Drawing, left: float = 0.0, below: float = 0.0) -> None:
    """Paint a drawing on a page of a PDF, so many mm from its left edge and above its lower one."""
    x0, top = left * MM, (below + drawing.height) * MM
    canvas.setLineJoin(1)
    for shape in drawing.shapes:
        if isinstance(shape, Label):
            canvas.setFillColor(COLOURS[shape.ink])
            canvas.setFont("Helvetica-Bold" if shape.bold else "Helvetica", shape.size * MM)
            place = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            place[shape.anchor](x0 + shape.x * MM, top - shape.y * MM, for_pdf(shape.text))
            continue
        if isinstance(shape, Boxes):
            canvas.setFillColor(_mixed(shape))
            area = canvas.beginPath()
            for x, y, width, height in (shape.boxes * MM).tolist():
                area.rect(x0 + x, top - y - height, width, height)
            canvas.drawPath(area, stroke=0, fill=1, fillMode=1)  # 1: boxes that overlap make no hole
            continue
        canvas.setStrokeColor(COLOURS[shape.ink])
        canvas.setLineWidth(shape.width * MM)
        if isinstance(shape, Segments):
            lines = shape.lines * MM
            lines[:, [0, 2]] += x0
            lines[:, [1, 3]] = top - lines[:, [1, 3]]
            canvas.lines(lines.tolist())
            continue
        # Hundredths of a point are a 280th of a mm, and make a file half as long as all digits do.
        points = np.round(np.array([x0, top]) + shape.points * [MM, -MM], 2).tolist()
        path = canvas.beginPath()
        path.moveTo(*points[0])
        for x, y in points[1:]:
            path.lineTo(x, y)
        canvas.drawPath(path)


def for_pdf(text: str) -> str:
    """Return text as the fonts of every PDF reader can show it."""
    return _printable(text).encode("cp1252", "replace").decode("cp1252")


def to_png(drawing: Drawing, *, dots_per_mm: float = 8.0) -> bytes:
    """Return a PNG of the page that `to_pdf` makes, at ``dots_per_mm``."""
    import pypdfium2

    document = pypdfium2.PdfDocument(to_pdf(drawing))
    try:
        image = document[0].render(scale=dots_per_mm / MM).to_pil()
    finally:
        document.close()
    buffer = io.BytesIO()
    dpi = dots_per_mm * 25.4
    image.save(buffer, "PNG", dpi=(dpi, dpi))
    return buffer.getvalue()


RENDERERS: dict[str, Callable[[Drawing], bytes]] = {"svg": to_svg, "png": to_png, "pdf": to_pdf}


def render(drawing: Drawing, kind: str) -> bytes:
    """Return ``drawing`` as ``svg``, ``png`` or ``pdf``."""
    if kind not in RENDERERS:
        raise InvalidValue("no such kind of picture", field="format", found=kind, options=tuple(RENDERERS))
    return RENDERERS[kind](drawing)


def _printable(text: str) -> str:
    return "".join(ch if ch.isprintable() else " " for ch in text)
