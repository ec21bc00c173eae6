"""A sheet of shapes, in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Ink = Literal["paper", "fine", "heavy", "trace", "text", "quiet", "p", "qrs", "t"]
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


@dataclass(frozen=True, eq=False)
class Drawing:
    """Shapes on a sheet, in millimetres from the top left corner, painted in order."""

    width: float
    height: float
    shapes: tuple[Segments | Trace | Label, ...]
