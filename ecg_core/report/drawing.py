"""A sheet of shapes, in millimetres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Ink = Literal["paper", "fine", "heavy", "trace", "text", "quiet", "p", "qrs", "t", "for", "against"]
Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, eq=False)
class Segments:
    """Straight lines, rows of (x1, y1, x2, y2) in mm."""

    lines: np.ndarray
    ink: Ink
    width: float


@dataclass(frozen=True, eq=False)
class Trace:
    """One connected line through points (x, y) in mm, shape (n, 2)."""

    points: np.ndarray
    ink: Ink
    width: float


@dataclass(frozen=True, eq=False)
class Boxes:
    """Filled rectangles without an outline, rows of (x, y, width, height) in mm, y of the upper edge."""

    boxes: np.ndarray
    ink: Ink
    strength: float = 1.0
    """Share of the ink in its mixture with the paper. It is mixed beforehand: what is painted on a box hides it."""


@dataclass(frozen=True)
class Label:
    """Text with its baseline at (x, y) mm; ``size`` is the font size in mm."""

    x: float
    y: float
    text: str
    size: float
    ink: Ink = "text"
    anchor: Anchor = "start"
    bold: bool = False


Shape = Segments | Trace | Boxes | Label


@dataclass(frozen=True, eq=False)
class Drawing:
    """Shapes on a sheet, in millimetres from the top left corner, painted in order."""

    width: float
    height: float
    shapes: tuple[Shape, ...]

    def moved(self, right: float, down: float) -> Drawing:
        """Return the drawing so many mm further on a sheet that is as much larger."""
        shapes = tuple(_moved(shape, right, down) for shape in self.shapes)
        return Drawing(self.width + right, self.height + down, shapes)


def stack(drawings: Iterable[Drawing]) -> Drawing:
    """Return drawings beneath each other, on one sheet."""
    width, height, shapes = 0.0, 0.0, list[Shape]()
    for drawing in drawings:
        shapes.extend(drawing.moved(0.0, height).shapes)
        width, height = max(width, drawing.width), height + drawing.height
    return Drawing(width, height, tuple(shapes))


def _moved(shape: Shape, right: float, down: float) -> Shape:
    if isinstance(shape, Label):
        return replace(shape, x=shape.x + right, y=shape.y + down)
    if isinstance(shape, Segments):
        return replace(shape, lines=np.add(shape.lines, (right, down, right, down)))
    if isinstance(shape, Boxes):
        return replace(shape, boxes=np.add(shape.boxes, (right, down, 0.0, 0.0)))
    return replace(shape, points=np.add(shape.points, (right, down)))
