"""Which recordings to list: search, filters, order, kept while the reader looks elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from dashboard import session, words
from dashboard.views import memory

_SORTS: Mapping[str, tuple[str, str]] = {
    "Sent last": ("created_at", "desc"),
    "Sent first": ("created_at", "asc"),
    "Recorded last": ("start", "desc"),
    "Name": ("name", "asc"),
    "Patient": ("subject_id", "asc"),
    "Longest": ("duration_s", "desc"),
}
_QUALITIES = {"Good": "good", "Usable": "usable", "Poor": "poor"}
_ANALYSED = {"Analysed": True, "Not analysed": False}
_ANY = "Any"
_KEPT = "listed"


def ask_filters() -> dict[str, Any]:
    """Ask what is sought; return it as the API takes it, short of the order."""
    was: dict[str, Any] = st.session_state.setdefault(_KEPT, {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        was["search"] = st.text_input(
            "Search",
            was.get("search", ""),
            placeholder="Name, notes or patient",
            icon=":material/search:",
            key="search",
        )
        was["sort"] = _choose("Order", list(_SORTS), was.get("sort"), "sort", width=180)
        with st.popover(_label(was), icon=":material/filter_list:"):
            _ask_more(was)
    return {name: value for name, value in _query(was).items() if value not in (None, "")}


def clear_filters() -> None:
    """Ask for nothing in particular again."""
    st.session_state.pop(_KEPT, None)
    # Fields that are only forgotten here would go on in the browser, and come back with the next touch.
    chosen = dict.fromkeys(_CHOSEN, _ANY)
    st.session_state.update(
        {"search": "", "sort": next(iter(_SORTS)), "from": None, "to": None, "urgent": False} | chosen
    )


def _ask_more(was: dict[str, Any]) -> None:
    left, right = st.columns(2)
    formats = [_ANY, *(item.name for item in session.info().formats)]
    with left:
        was["format"] = _choose("Format", formats, was.get("format"), "format")
        was["rhythm"] = _choose("Rhythm", [_ANY, *words.RHYTHMS.values()], was.get("rhythm"), "rhythm")
        was["from"] = st.date_input("Sent from", was.get("from"), key="from")
    with right:
        was["quality"] = _choose("Signal quality", [_ANY, *_QUALITIES], was.get("quality"), "quality")
        was["analysed"] = _choose("Analyses", [_ANY, *_ANALYSED], was.get("analysed"), "analysed")
        was["to"] = st.date_input("Sent until", was.get("to"), key="to")
    was["urgent"] = st.toggle("Only with critical findings", was.get("urgent", False), key="urgent")


def _choose(label: str, options: list[str], was: str | None, key: str, width: Any = "stretch") -> str:
    return st.selectbox(label, options, options.index(was) if was in options else 0, key=key, width=width)


def _label(was: Mapping[str, Any]) -> str:
    """Return what the button of the filters says: how many hold."""
    # What was chosen just now is known to the fields, which come after the button.
    n = sum(
        st.session_state.get(name, was.get(name)) not in (None, False, _ANY)
        for name in (*_CHOSEN, "from", "to", "urgent")
    )
    return f"Filters ({n})" if n else "Filters"


_CHOSEN = ("format", "rhythm", "quality", "analysed")


def _query(was: Mapping[str, Any]) -> dict[str, Any]:
    sort, order = _SORTS[was["sort"]]
    rhythms = {title: label for label, title in words.RHYTHMS.items()}
    return {
        "search": was["search"].strip(),
        "sort": sort,
        "order": order,
        "format": None if was["format"] == _ANY else was["format"],
        "rhythm": rhythms.get(was["rhythm"]),
        "quality": _QUALITIES.get(was["quality"]),
        "analysed": _ANALYSED.get(was["analysed"]),
        "urgent": was["urgent"] or None,
        "created_from": _midnight(was["from"]),
        "created_to": _midnight(was["to"], later=1),
    }


def _midnight(day: date | None, later: int = 0) -> datetime | None:
    """Return when a day begins where the reader is."""
    return datetime.combine(day + timedelta(later), time(), memory.zone() or UTC) if day else None
