"""What was called and what was there, as counts: four cells of a label, or a square of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboard.components.charts import COLOURS, show_chart

_CELL_PX = 74
_EDGE_PX = 90
_WIDTH_PX = 230
_TOP = {"orient": "top", "labelAngle": 0}


def confusion(counts: Sequence[Sequence[int]], there: Sequence[str], said: Sequence[str], *, source: str) -> None:
    """Draw a table of confusion; a cell is the darker, the greater its share of what was there.

    Parameters
    ----------
    counts
        A row for each of ``there``, in columns of ``said``.
    there, said
        Their names.
    source
        Data and split that it was measured on.
    """
    cells: list[dict[str, Any]] = [
        {"there": row, "said": column, "n": count, "share": count / sum(line) if sum(line) else 0.0}
        for row, line in zip(there, counts, strict=True)
        for column, count in zip(said, line, strict=True)
    ]
    x = {"field": "said", "type": "nominal", "title": "Called", "sort": list(said), "axis": _TOP}
    y = {"field": "there", "type": "nominal", "title": "Truth", "sort": list(there)}
    scale = {"domain": [0, 1], "range": ["#ffffff", COLOURS[0]], "interpolate": "rgb"}
    shade = {"field": "share", "type": "quantitative", "scale": scale}
    ink = {"condition": {"test": "datum.share > 0.6", "value": "#ffffff"}, "value": "#14171c"}
    tooltip = [{"field": "n", "title": "Records"}, {"field": "share", "title": "Of those there", "format": ".1%"}]
    data = {"values": cells}
    layers = [
        {
            "data": data,
            "mark": {"type": "rect", "stroke": "#8a8a8a", "strokeWidth": 1},
            "encoding": {"x": x, "y": y, "color": {**shade, "legend": None}, "tooltip": tooltip},
        },
        {
            "data": data,
            "mark": {"type": "text", "fontSize": 16},
            "encoding": {"x": x, "y": y, "text": {"field": "n", "format": ",d"}, "color": ink, "tooltip": tooltip},
        },
    ]
    height, width = _CELL_PX * len(there) + _EDGE_PX, 110 * len(said) + _WIDTH_PX
    show_chart(layers, height=height, width=width, source=source, about="Darker: a greater share of those there.")
