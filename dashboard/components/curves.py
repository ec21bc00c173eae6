"""Curves of a model, as the API has them, with their intervals where they were measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.components.charts import QUIET, axis, by_name, show_chart, show_rows

_HEIGHT_PX = 450
_NAME_PX = 24
_WIDTH_PX = 660
_LEAST_BENEFIT = -0.05
"""Net benefit below which nobody looks: it would be harm."""


@dataclass(frozen=True)
class Axes:
    """What a kind of curve is called, what stands on its axes, and how it is read."""

    title: str
    x: str
    y: str
    x_title: str
    y_title: str
    about: str
    chance: bool = False
    """Whether the diagonal means something."""


AXES = {
    "roc": Axes(
        "ROC",
        "false_positive_rate",
        "sensitivity",
        "False positive rate",
        "Sensitivity",
        "On the diagonal, it would be guessing.",
        chance=True,
    ),
    "precision_recall": Axes(
        "Precision and recall",
        "sensitivity",
        "ppv",
        "Sensitivity",
        "Positive predictive value",
        "The higher, the fewer false alarms at that sensitivity; it depends on how common the label is.",
    ),
    "reliability": Axes(
        "Calibration",
        "predicted",
        "observed",
        "Predicted probability",
        "Observed share",
        "Each point is an equal share of the records. On the diagonal, probabilities mean what they say.",
        chance=True,
    ),
    "decision": Axes(
        "Decision curves",
        "threshold",
        "model",
        "Probability from which one would act",
        "Net benefit per record",
        "Solid: acting as the model says; dashed: acting on everybody; at zero: on nobody.",
    ),
}


def curves(kind: str, found: Mapping[str, Mapping[str, Sequence[float]]], source: str) -> None:
    """Show the curves of some labels, by title.

    Parameters
    ----------
    kind
        One of `AXES`.
    found
        Title to axis to values, as `ModelDetails.curves` has them.
    source
        Data and split that they were measured on.
    """
    axes = AXES[kind]
    points = [point for label, values in found.items() for point in _points(axes, label, values)]
    has_intervals = any("low" in point for point in points)
    sources = [
        source,
        "Intervals of 95 %." if has_intervals else "",
        "Points as kept; lines lead from one to the next.",
    ]
    show_chart(
        _layers(kind, points, list(found)),
        height=_HEIGHT_PX + _NAME_PX * len(found),
        width=_WIDTH_PX,
        source=" ".join(part for part in sources if part),
        about=axes.about,
    )
    names = {"x": axes.x_title, "y": axes.y_title, "low": "From", "high": "To", "all": "Everybody", "n": "Records"}
    show_rows(
        [
            {"Label": point["label"], **{title: point[name] for name, title in names.items() if name in point}}
            for point in points
        ]
    )


def _points(axes: Axes, label: str, values: Mapping[str, Sequence[float]]) -> list[dict[str, Any]]:
    more = {name: values[name] for name in ("low", "high", "all", "n") if name in values}
    return [
        {"label": label, "order": at, "x": x, "y": y, **{name: row[at] for name, row in more.items() if at < len(row)}}
        for at, (x, y) in enumerate(zip(values[axes.x], values[axes.y], strict=False))
    ]


def _layers(kind: str, points: list[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    axes = AXES[kind]
    x, y = axis("x", axes.x_title), axis("y", axes.y_title)
    if kind == "decision":
        y["scale"] = {"domainMin": _LEAST_BENEFIT}
    else:
        x["scale"] = y["scale"] = {"domain": [0, 1]}
    x["axis"] = y["axis"] = {"tickCount": 6}
    shared = {"x": x, "color": by_name(names), "order": {"field": "order"}}
    data = {"values": points}
    layers: list[dict[str, Any]] = []
    if axes.chance:
        layers.append(_rule(axes, [{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
    if kind == "decision":
        ends = [point["x"] for point in points]
        layers.append(_rule(axes, [{"x": end, "y": 0} for end in (min(ends), max(ends))]))
        dashed = {"type": "line", "strokeDash": [6, 4], "strokeWidth": 1.5, "clip": True}
        layers.append({"data": data, "mark": dashed, "encoding": {**shared, "y": {**y, "field": "all"}}})
    if any("low" in point for point in points):
        band = kind == "decision"
        mark = {"type": "area", "opacity": 0.18, "clip": True} if band else {"type": "rule", "opacity": 0.6}
        spread = {**shared, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        layers.append({"data": data, "mark": mark, "encoding": spread})
    line = {"type": "line", "point": {"size": 30, "filled": True}, "strokeWidth": 2, "clip": True}
    tooltip = [
        {"field": "label", "title": "Label"},
        {"field": "x", "title": axes.x_title, "format": ".3f"},
        {"field": "y", "title": axes.y_title, "format": ".3f"},
    ]
    layers.append({"data": data, "mark": line, "encoding": {**shared, "y": y, "tooltip": tooltip}})
    return layers


def _rule(axes: Axes, ends: list[dict[str, float]]) -> dict[str, Any]:
    mark = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": QUIET}
    encoding = {"x": axis("x", axes.x_title), "y": axis("y", axes.y_title)}
    return {"data": {"values": ends}, "mark": mark, "encoding": encoding}
