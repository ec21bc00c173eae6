"""Figures with their intervals beneath one another, beside what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from api.schemas import ModelMetric
from dashboard import words
from dashboard.components.charts import COLOURS, QUIET, axis, show_chart

_ROW_PX = 34
_AXIS_PX = 60
_WIDTH_PX = 760


@dataclass(frozen=True)
class Line:
    """A row: what it is of, and its figure."""

    label: str
    figure: ModelMetric


def forest(lines: Sequence[Line], title: str, *, compared_with: float | None, source: str, about: str = "") -> None:
    """Draw figures with their intervals.

    Parameters
    ----------
    lines
        From above; those without a value are left out.
    title
        Of the axis.
    compared_with
        Where no difference would be.
    source, about
        As of `charts.show_chart`.
    """
    points = [
        {"label": line.label, "value": line.figure.value, "low": line.figure.low, "high": line.figure.high}
        for line in lines
        if line.figure.value is not None
    ]
    if not points:
        st.caption("None of them has this figure.")
        return
    labels = [point["label"] for point in points]
    rows = {"field": "label", "type": "nominal", "title": None, "sort": labels, "axis": {"labelLimit": 300}}
    number = axis("value", title, scale={"zero": False})
    layers: list[dict[str, Any]] = []
    if compared_with is not None:
        rule = {"type": "rule", "strokeDash": [4, 4], "color": QUIET}
        layers.append({"data": {"values": [{"at": compared_with}]}, "mark": rule, "encoding": {"x": axis("at", title)}})
    data = {"values": points}
    if any(point["low"] is not None for point in points):
        bar = {"type": "rule", "strokeWidth": 2, "color": COLOURS[0]}
        spread = {"y": rows, "x": {**number, "field": "low"}, "x2": {"field": "high"}}
        layers.append({"data": data, "mark": bar, "encoding": spread})
    tooltip = [{"field": "label", "title": " "}]
    tooltip += [{"field": name, "title": words.sentence(name), "format": ".3f"} for name in ("value", "low", "high")]
    dot = {"type": "point", "filled": True, "size": 70, "color": COLOURS[0], "opacity": 1}
    layers.append({"data": data, "mark": dot, "encoding": {"y": rows, "x": number, "tooltip": tooltip}})
    show_chart(layers, height=_ROW_PX * len(points) + _AXIS_PX, width=_WIDTH_PX, source=source, about=about)
