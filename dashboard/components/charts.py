"""What the charts of figures share: colours that colour-blind people tell apart, a source, and a table beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import words

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a8a8a", "#e69f00", "#56b4e9", "#7a5195")
"""After Okabe and Ito, of such lightness that all can be seen on white and on black."""
QUIET = "#8a8a8a"
"""Of what things are compared with: chance, no change, as recorded."""
_MOST_PX = 420
DIFFERENCE = ".difference"
"""Ends the name of by how much a figure differs from that of all others, or from that of the recording as it was."""


def axis(field: str, title: str | None, **more: Any) -> dict[str, Any]:
    """Return the encoding of a number."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def by_name(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return the colours of series, each its own, with their names beneath."""
    return {
        "field": "label",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": [COLOURS[at % len(COLOURS)] for at in range(len(names))]},
        "legend": {"orient": "bottom", "columns": 1, "labelLimit": 320, "symbolOpacity": 1},
        **more,
    }


def show_chart(layers: Sequence[Mapping[str, Any]], *, height: int, width: int, source: str, about: str = "") -> None:
    """Show a chart, what it says, and what was measured on what.

    Parameters
    ----------
    layers
        Of Vega-Lite.
    height, width
        In pixels; the width at most.
    source
        Data, split and intervals.
    about
        How it is read.
    """
    with st.container(width=width):
        st.vega_lite_chart(spec={"layer": list(layers)}, height=height, width="stretch")
        st.caption(words.literally(" ".join(part for part in (about, source) if part)))


def show_rows(rows: Sequence[Mapping[str, Any]], *, title: str = "The same as a table", digits: int = 3) -> None:
    """Show the numbers of a chart as a table, for who cannot see it, or wants to copy them."""
    with st.expander(title):
        numbers = {name for row in rows for name, value in row.items() if isinstance(value, float)}
        st.dataframe(
            list(rows),
            hide_index=True,
            height=min(_MOST_PX, 36 * len(rows) + 38),
            column_config={name: st.column_config.NumberColumn(format=f"%.{digits}f") for name in numbers},
        )


def differences_left_out(names: Sequence[str]) -> list[str]:
    """Return the names of figures, without the differences that go with them."""
    return [name for name in dict.fromkeys(names) if not name.endswith(DIFFERENCE)]
