"""One's recordings: find them, open them, set two beside one another, follow one person over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from api.schemas import RecordingItem
from dashboard import session, words
from dashboard.views import memory
from dashboard.views.compare import compare, trend
from dashboard.views.history import ask_filters, clear_filters
from dashboard.views.problems import refused

_PAGE = 20
_DEFAULTS = {"sort", "order"}
_PAIR = 2


def _page() -> None:
    if text := memory.told():
        st.toast(words.literally(text), icon=":material/info:")
    pair = st.query_params.get("compare", "").split(",")
    subject_id = st.query_params.get("subject")
    # Streamlit leaves the browser's address as it was where a link leads to the page that it stands on.
    if len(pair) == _PAIR:
        st.query_params.from_dict({"compare": ",".join(pair)})
        _show_back()
        st.title("Two recordings", anchor=False)
        compare(*pair)
    elif subject_id:
        st.query_params.from_dict({"subject": subject_id})
        _show_back()
        st.title(words.literally(subject_id), anchor=False)
        st.caption("What was measured in this patient's recordings, each by its latest analysis.")
        trend(subject_id)
    else:
        st.query_params.clear()
        _show_list()


def _show_back() -> None:
    st.page_link("screens/history.py", label="All recordings", icon=":material/arrow_back:")


def _show_list() -> None:
    st.title("History")
    wanted = ask_filters()
    # Cursors of the pages up to this one belong to one search; another begins at its first page.
    if st.session_state.get("cursors of") != wanted:
        st.session_state["cursors of"], st.session_state["cursors"] = wanted, [None]
    cursors: list[str | None] = st.session_state["cursors"]
    with refused():
        page = session.api().recordings.page(cursor=cursors[-1], total=True, limit=_PAGE, **wanted)
        if page.items:
            _show_items(page.items)
            _turn(cursors, page.next_cursor, len(page.items), page.total)
        else:
            _show_none(wanted)


def _show_none(wanted: dict[str, Any]) -> None:
    with st.container(border=True):
        if wanted.keys() - _DEFAULTS:
            st.markdown("**Nothing matches.** Search for less, or drop the filters.")
            st.button("Show all recordings", icon=":material/filter_list_off:", on_click=clear_filters)
        else:
            st.markdown("**No recordings yet.** What you analyse is kept here until you delete it.")
            st.page_link("screens/analyse.py", label="Analyse an ECG", icon=":material/ecg_heart:")


def _show_items(items: Sequence[RecordingItem]) -> None:
    """Show a card for each, with a box to choose two of them."""
    bar = st.container(horizontal=True, vertical_alignment="center")
    chosen = [item.id for item in items if _show_item(item)]
    with bar:
        if st.button(
            "Compare", icon=":material/compare:", disabled=len(chosen) != _PAIR, help="Choose two recordings below."
        ):
            st.switch_page("screens/history.py", query_params={"compare": ",".join(chosen)})
        if chosen:
            st.caption(f"{len(chosen)} chosen" + ("" if len(chosen) == _PAIR else "; choose two"))


def _show_item(item: RecordingItem) -> bool:
    """Show what it is, what is said about it, of whom it is, and when it was sent; return whether it is chosen."""
    said = item.latest_analysis
    leads = f"{len(item.leads)} leads" if len(item.leads) > 1 else f"lead {item.leads[0]}"
    who = words.person(item.subject.model_copy(update={"id": None}))
    facts = (who, f"sent {memory.when(item.created_at)}", item.format, leads, words.duration(item.duration_s))
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            # Never shown, so never taken for Markdown: it is only read aloud.
            label = f"Choose {item.name} to compare"
            chosen = st.checkbox(label, key=f"choose {item.id}", label_visibility="collapsed", width="content")
            st.page_link(
                "screens/recording.py",
                label=f"**{words.literally(item.name)}**",
                icon=":material/monitor_heart:",
                query_params={"recording": item.id},
            )
            if item.subject.id:
                st.page_link(
                    "screens/history.py",
                    label=words.literally(item.subject.id),
                    icon=":material/show_chart:",
                    help="Measurements of this patient over time",
                    query_params={"subject": item.subject.id},
                )
            if said and said.urgent:
                st.badge("Critical by rule, unconfirmed", icon=":material/emergency_home:", color="red")
            if item.quality != "good":
                st.badge(f"Signal {item.quality}", color=_COLOURS[item.quality])
        st.markdown(words.literally(said.diagnosis) if said else ":gray[Not analysed yet]")
        st.caption(words.literally("  ·  ".join(fact for fact in facts if fact)))
        if item.notes:
            st.caption(words.literally(item.notes.splitlines()[0]))
    return chosen


_COLOURS: dict[str, Any] = {"usable": "orange", "poor": "red"}


def _turn(cursors: list[str | None], following: str | None, n: int, total: int | None) -> None:
    """Lead to the pages before and after."""
    first = (len(cursors) - 1) * _PAGE + 1
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(f"{first}{words.DASH}{first + n - 1} of {total}")
        if st.button("Previous", icon=":material/chevron_left:", disabled=len(cursors) == 1):
            cursors.pop()
            st.rerun()
        if st.button("Next", icon=":material/chevron_right:", disabled=following is None):
            cursors.append(following)
            st.rerun()


with session.guarded():
    _page()
