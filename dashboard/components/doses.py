"""How a figure falls as recordings get worse: a small chart for each kind of trouble, all of one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from api.schemas import ModelMetric
from dashboard import words
from dashboard.components.charts import COLOURS, QUIET, axis

_WIDTH_PX = 230
_HEIGHT_PX = 210
_MARGIN = 0.06
"""Of the range of all figures, above and below them."""


@dataclass(frozen=True)
class Dose:
    """A figure under a condition."""

    kind: str
    level: str
    dose: float | None
    """How much; those of a kind that are of the same are no series."""
    figure: ModelMetric


def doses(conditions: Sequence[Dose], at_first: ModelMetric) -> None:
    """Draw a figure under each condition, kind by kind, beside what it was without any.

    Parameters
    ----------
    conditions
        Those of a kind in order of dose.
    at_first
        The figure of the recordings as they were.
    """
    kinds: dict[str, list[dict[str, Any]]] = {}
    for item in conditions:
        found = item.figure
        if found.value is not None:
            point = {"level": item.level, "value": found.value, "low": found.low, "high": found.high}
            kinds.setdefault(item.kind, []).append({**point, "dose": item.dose})
    numbers = [
        number
        for points in kinds.values()
        for point in points
        for number in (point["value"], point["low"], point["high"])
        if number is not None
    ]
    if not numbers:
        st.caption("It was not looked at under these conditions.")
        return
    numbers += [number for number in (at_first.value, at_first.low, at_first.high) if number is not None]
    margin = _MARGIN * (max(numbers) - min(numbers) or 1.0)
    scale = {"domain": [min(numbers) - margin, max(numbers) + margin], "nice": False}
    with st.container(horizontal=True, gap="medium"):
        for kind, points in kinds.items():
            with st.container(width=_WIDTH_PX):
                st.markdown(f"**{words.literally(words.sentence(kind))}**")
                spec = {"layer": _layers(points, at_first.value, scale)}
                st.vega_lite_chart(spec=spec, height=_HEIGHT_PX, width="stretch")


def _layers(points: list[dict[str, Any]], at_first: float | None, scale: Mapping[str, Any]) -> list[dict[str, Any]]:
    levels = [point["level"] for point in points]
    x = {
        "field": "level",
        "type": "nominal",
        "title": None,
        "sort": levels,
        "axis": {"labelAngle": -30 if len(levels) > 1 else 0, "labelLimit": 150 if len(levels) > 1 else _WIDTH_PX},
    }
    y = axis("value", None, scale=scale, axis={"tickCount": 4})
    layers: list[dict[str, Any]] = []
    if at_first is not None:
        rule = {"type": "rule", "strokeDash": [4, 4], "color": QUIET}
        layers.append({"data": {"values": [{"value": at_first}]}, "mark": rule, "encoding": {"y": y}})
    data = {"values": points}
    bar = {"type": "rule", "strokeWidth": 2, "opacity": 0.6, "color": COLOURS[0]}
    layers.append(
        {"data": data, "mark": bar, "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}}
    )
    tooltip = [{"field": "level", "title": " "}]
    tooltip += [{"field": name, "title": words.sentence(name), "format": ".3f"} for name in ("value", "low", "high")]
    is_series = len({point["dose"] for point in points}) == len(points) > 1
    dot = {"size": 45, "filled": True, "color": COLOURS[0], "opacity": 1}
    line = (
        {"type": "line", "point": dot, "strokeWidth": 2, "color": COLOURS[0]} if is_series else {"type": "point", **dot}
    )
    layers.append({"data": data, "mark": line, "encoding": {"x": x, "y": y, "tooltip": tooltip}})
    return layers
