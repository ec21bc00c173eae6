"""What came of a batch as a table: urgent first, sifted by rhythm, level and quality, a row to be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import words

_LEVELS = ("urgent", "abnormal", "borderline", "normal", "undetermined")
_COLUMNS = {
    "hr_bpm": "Rate (/min)",
    "pr_ms": "PR (ms)",
    "qrs_ms": "QRS (ms)",
    "qt_ms": "QT (ms)",
    "qtc_fridericia_ms": "QTc (ms)",
}
_MOST_PX = 520
_FILTER_PX = 210


def results_table(rows: Sequence[dict[str, str]], *, key: str) -> dict[str, str] | None:
    """Show the rows of a batch that pass the filters; return the one that is chosen.

    Parameters
    ----------
    rows
        As the API's table has them, those that failed left out.
    key
        Tells one table from another.
    """
    shown = _sift(rows, key)
    st.caption(f"{len(shown)} of {len(rows)} recordings. Click a heading to sort; choose a row to open it.")
    if not shown:
        st.info("No recording passes these filters.", icon=":material/filter_alt_off:")
        return None
    event = st.dataframe(
        [_row(row) for row in shown],
        hide_index=True,
        height=min(_MOST_PX, 36 * len(shown) + 38),
        on_select="rerun",
        selection_mode="single-row",
        key=f"table {key} {len(shown)}",
        column_config={
            "File": st.column_config.TextColumn(width="medium", pinned=True),
            "Diagnosis": st.column_config.TextColumn(width="large"),
            **{title: st.column_config.NumberColumn(format="%.0f") for title in _COLUMNS.values()},
            "Confidence": st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0, width="small"),
        },
    )
    chosen = event["selection"]["rows"]
    return shown[chosen[0]] if chosen and chosen[0] < len(shown) else None


def _sift(rows: Sequence[dict[str, str]], key: str) -> list[dict[str, str]]:
    """Ask what is to be seen; return those, the most pressing first."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = st.text_input("File or diagnosis", key=f"text {key}", icon=":material/search:", width=_FILTER_PX)
        kinds = {"rhythm": _kinds(rows, "rhythm"), "level": _levels(rows), "quality": _kinds(rows, "quality")}
        asked = {
            name: st.multiselect(
                words.sentence(name), options, key=f"{name} {key}", placeholder="Any", width=_FILTER_PX
            )
            for name, options in kinds.items()
        }
        is_urgent = st.toggle("Urgent", key=f"urgent {key}", help="Critical by rule.", width="content")
    passing = [
        row
        for row in rows
        if all(not wanted or row[name] in wanted for name, wanted in asked.items())
        and (row["urgent"] or not is_urgent)
        and found.casefold() in f"{row['file']} {row['diagnosis']}".casefold()
    ]
    return sorted(passing, key=lambda row: (not row["urgent"], _rank(row["level"])))


def _kinds(rows: Sequence[dict[str, str]], name: str) -> list[str]:
    return sorted({row[name] for row in rows if row[name]})


def _levels(rows: Sequence[dict[str, str]]) -> list[str]:
    return sorted({row["level"] for row in rows}, key=_rank)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else len(_LEVELS)


def _row(row: dict[str, str]) -> dict[str, Any]:
    return {
        "File": row["file"],
        "Level": words.sentence(row["level"]),
        "Urgent": row["urgent"].replace("_", " "),
        "Diagnosis": row["diagnosis"],
        "Confidence": _number(row["confidence"]),
        "Rhythm": words.sentence(row["rhythm"]),
        **{title: _number(row[name]) for name, title in _COLUMNS.items()},
        "Quality": words.sentence(row["quality"]),
    }


def _number(text: str) -> float | None:
    return float(text) if text else None
