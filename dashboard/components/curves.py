"""Curves of a model, as the API has them: colours that colour-blind people tell apart, in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard import words

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a8a8a", "#e69f00", "#56b4e9", "#7a5195")
"""After Okabe and Ito, of such lightness that all can be seen on white and on black."""
_HEIGHT_PX = 420


@dataclass(frozen=True)
class Axes:
    """What a kind of curve is called, and what stands on its axes."""

    title: str
    x: str
    y: tuple[str, ...]
    chance: bool = False
    """Whether the diagonal means something."""
    about: str = ""


AXES = {
    "roc": Axes("ROC", "false_positive_rate", ("sensitivity",), True, "On the diagonal, it would be guessing."),
    "precision_recall": Axes("Precision and recall", "sensitivity", ("ppv",)),
    "reliability": Axes(
        "Calibration", "predicted", ("observed",), True, "On the diagonal, probabilities mean what they say."
    ),
    "decision": Axes(
        "Net benefit", "threshold", ("model", "all"), about="`all` is what it would be worth to call everybody."
    ),
}
_AXIS = {
    "false_positive_rate": "False positive rate",
    "sensitivity": "Sensitivity",
    "ppv": "Positive predictive value",
    "predicted": "Predicted probability",
    "observed": "Observed share",
    "threshold": "Threshold",
}


def curves(kind: str, found: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Show the curves of some labels, by title.

    Parameters
    ----------
    kind
        One of `AXES`.
    found
        Title to axis to values, as `ModelDetails.curves` has them.
    """
    axes = AXES[kind]
    points = [
        {"x": x, "y": y, "label": title if name == axes.y[0] else f"{title}: {name}", "order": at}
        for title, values in found.items()
        for name in axes.y
        for at, (x, y) in enumerate(zip(values[axes.x], values.get(name, ()), strict=False))
    ]
    names = list(dict.fromkeys(point["label"] for point in points))
    y_title = _AXIS.get(axes.y[0], "Net benefit")
    x_title = _AXIS[axes.x]
    unit = [0, 1] if kind != "decision" else None
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": points},
            "mark": {"type": "line", "point": {"size": 25}, "strokeWidth": 2, "interpolate": "linear"},
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "title": x_title, "scale": _scale(unit)},
                "y": {"field": "y", "type": "quantitative", "title": y_title, "scale": _scale(unit)},
                "order": {"field": "order"},
                "color": {
                    "field": "label",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": names, "range": [_COLOURS[at % len(_COLOURS)] for at in range(len(names))]},
                    "legend": {"orient": "bottom", "columns": 2, "labelLimit": 320},
                },
                "tooltip": [
                    {"field": "label", "title": "Label"},
                    {"field": "x", "title": x_title, "format": ".3f"},
                    {"field": "y", "title": y_title, "format": ".3f"},
                ],
            },
        }
    ]
    if axes.chance:
        layers.append(
            {
                "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": "#8a8a8a"},
                "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
            }
        )
    with st.container(width=600):
        st.vega_lite_chart(spec={"layer": layers}, height=_HEIGHT_PX, width="stretch")
        if axes.about:
            st.caption(axes.about)
    with st.expander("The same as a table"):
        st.dataframe(
            [{"Label": point["label"], x_title: point["x"], y_title: point["y"]} for point in points],
            hide_index=True,
        )
    st.caption(
        words.literally("Points as they were kept when the model was measured; lines lead from one to the next.")
    )


def _scale(domain: Sequence[int] | None) -> dict[str, Any]:
    return {} if domain is None else {"domain": list(domain)}
