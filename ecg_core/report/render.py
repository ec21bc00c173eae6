"""A `Drawing` as SVG, PDF or PNG, each at its true size."""

from __future__ import annotations

import io
from collections.abc import Callable
from xml.sax.saxutils import escape

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.report.paper import Drawing, Label, Segments, Trace

COLOURS = {
    "paper": "#fffdfc",
    "fine": "#f6cfcf",
    "heavy": "#e79a9a",
    "trace": "#111111",
    "text": "#222222",
    "quiet": "#777777",
}
_MM_TO_POINTS = 72 / 25.4


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
        else:
            parts.append(
                f'<path d="{_path(shape)}" transform="scale(0.01)" fill="none" stroke="{COLOURS[shape.ink]}"'
                f' stroke-width="{shape.width * 100:g}" stroke-linejoin="round"/>'
            )
    parts.append("</svg>\n")
    return "\n".join(parts).encode()


def _path(shape: Segments | Trace) -> str:
    """Return SVG path data in whole hundredths of a millimetre, relative so that it is short."""
    if isinstance(shape, Segments):
        whole = np.rint(shape.lines * 100).astype(int)
        return "".join(f"M{x1} {y1}L{x2} {y2}" for x1, y1, x2, y2 in whole.tolist())
    whole = np.rint(shape.points * 100).astype(int)
    moves = " ".join(f"{dx} {dy}" for dx, dy in np.diff(whole, axis=0).tolist())
    return f"M{whole[0, 0]} {whole[0, 1]}l{moves or '1 0'}"


def to_pdf(drawing: Drawing, *, title: str = "ECG") -> bytes:
    """Return a one-page vector PDF of the drawing's own size; the same drawing gives the same bytes."""
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    page = (drawing.width * _MM_TO_POINTS, drawing.height * _MM_TO_POINTS)
    canvas = Canvas(buffer, pagesize=page, invariant=1)
    canvas.setTitle(title)
    canvas.setFillColor(COLOURS["paper"])
    canvas.rect(0, 0, *page, stroke=0, fill=1)
    canvas.setLineJoin(1)
    for shape in drawing.shapes:
        if isinstance(shape, Label):
            canvas.setFillColor(COLOURS[shape.ink])
            canvas.setFont("Helvetica-Bold" if shape.bold else "Helvetica", shape.size * _MM_TO_POINTS)
            place = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
            text = _printable(shape.text).encode("cp1252", "replace").decode("cp1252")
            place[shape.anchor](shape.x * _MM_TO_POINTS, page[1] - shape.y * _MM_TO_POINTS, text)
            continue
        canvas.setStrokeColor(COLOURS[shape.ink])
        canvas.setLineWidth(shape.width * _MM_TO_POINTS)
        if isinstance(shape, Segments):
            lines = shape.lines * _MM_TO_POINTS
            lines[:, [1, 3]] = page[1] - lines[:, [1, 3]]
            canvas.lines(lines.tolist())
            continue
        points = shape.points * _MM_TO_POINTS
        path = canvas.beginPath()
        path.moveTo(points[0, 0], page[1] - points[0, 1])
        for x, y in points[1:].tolist():
            path.lineTo(x, page[1] - y)
        canvas.drawPath(path)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def to_png(drawing: Drawing, *, dots_per_mm: float = 8.0) -> bytes:
    """Return a PNG of the page that `to_pdf` makes, at ``dots_per_mm``."""
    import pypdfium2

    document = pypdfium2.PdfDocument(to_pdf(drawing))
    try:
        image = document[0].render(scale=dots_per_mm / _MM_TO_POINTS).to_pil()
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
