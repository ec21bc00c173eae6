"""A recording that is kept: its paper, what is said about it, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from api.schemas import AnalysisSummary
from dashboard import session, words
from dashboard.client import ApiProblem
from dashboard.client.recordings import TaggedRecording
from dashboard.views import kept as tools
from dashboard.views import memory
from dashboard.views.analysis import show_analysis
from dashboard.views.explanation import show_paper_and_why
from dashboard.views.problems import refused, show_problem

_MOST = 50
"""Analyses that can be chosen from, the newest first."""


def _page() -> None:
    if text := memory.told():
        st.toast(words.literally(text), icon=":material/info:")
    # The address says which; without one it is the recording that was looked at last.
    which = st.query_params.get("recording") or st.session_state.get("opened")
    if not which:
        _show_empty()
        return
    try:
        kept = session.api().recordings.get(which)
        analyses = [item for item, _ in zip(session.api().analyses.list(which), range(_MOST), strict=False)]
    except ApiProblem as error:
        st.session_state.pop("opened", None)
        st.title("Recording")
        show_problem(error.problem)
        st.page_link("screens/history.py", label="History", icon=":material/history:")
        return
    if st.session_state.get("opened") != which:
        tools.edit_anew()
    st.session_state["opened"] = st.query_params["recording"] = which
    _show(kept, analyses)


def _show_empty() -> None:
    st.title("Recording")
    with st.container(border=True):
        st.markdown("**No recording is open.** Analyse one, or open one that is kept.")
        with st.container(horizontal=True):
            st.page_link("screens/analyse.py", label="Analyse an ECG", icon=":material/ecg_heart:")
            st.page_link("screens/history.py", label="History", icon=":material/history:")


def _show(kept: TaggedRecording, analyses: Sequence[AnalysisSummary]) -> None:
    """Show the recording, with the analysis that the address names, else the newest."""
    asked = st.query_params.get("analysis")
    chosen = next((item for item in analyses if item.id == asked), analyses[0] if analyses else None)
    st.title(words.literally(kept.name), anchor=False)
    about = [words.person(kept.subject) or "Nothing is known of the person", f"sent {memory.when(kept.created_at)}"]
    st.caption(words.literally("  ·  ".join(about)))
    if kept.notes:
        st.markdown(words.literally(kept.notes).replace("\n", "  \n"))
    if asked and (chosen is None or asked != chosen.id):
        st.info("The analysis that the address names was deleted; this is the newest.", icon=":material/info:")
    point = chosen.operating_point if chosen else None
    analysis = None
    if chosen:
        with st.spinner("Fetching the analysis ..."), refused():
            analysis = memory.remember(("analysis", chosen.id), lambda: session.api().analyses.get(chosen.id))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tools.edit_person(kept, point or "max_f1")
        tools.edit_notes(kept)
        tools.offer_downloads(kept, analysis)
        tools.ask_to_delete(kept)
        if chosen and len(analyses) > 1:
            _choose(analyses, chosen)
    if chosen is None:
        _show_unanalysed(kept)
    elif analysis and point:
        if _differs(kept, analysis.subject.model_dump()):
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                st.markdown("This analysis was made with something else noted of the person.")
                if st.button("Analyse anew", icon=":material/refresh:"):
                    with refused():
                        tools.analyse(kept.id, point)
        show_analysis(
            analysis,
            lambda: show_paper_and_why(analysis, lambda heat: tools.draw_paper(kept, analysis, heat=heat)),
            point,
            lambda other: _analyse(kept.id, other),
            key=analysis.id,
        )


def _choose(analyses: Sequence[AnalysisSummary], chosen: AnalysisSummary) -> None:
    """Ask which of the analyses is to be shown."""
    titles = {
        item.id: f"{memory.when(item.created_at)}  ·  {words.POINTS.get(item.operating_point, item.operating_point)}"
        for item in analyses
    }
    wanted = st.selectbox(
        "Analysis",
        list(titles),
        list(titles).index(chosen.id),
        format_func=titles.__getitem__,
        key=f"analysis, now {chosen.id}",
        width=320,
    )
    if wanted != chosen.id:
        st.query_params["analysis"] = wanted
        st.rerun()


def _show_unanalysed(kept: TaggedRecording) -> None:
    """Show what is known of a recording about which nothing was said yet."""
    with st.container(border=True):
        st.markdown(f"**Not analysed yet.** {words.literally(words.quality(kept.quality))}")
        if st.button("Analyse", type="primary", icon=":material/ecg_heart:"):
            _analyse(kept.id, None)
    if kept.warnings:
        st.markdown("\n".join(f"- {words.literally(warning)}" for warning in kept.warnings))


def _analyse(recording_id: str, point: str | None) -> None:
    with refused():
        tools.analyse(recording_id, point)


def _differs(kept: TaggedRecording, said: dict[str, object]) -> bool:
    """Return whether an analysis rests on something else than what is now noted of the person."""
    now = kept.subject.model_dump()
    return any(now[name] != said[name] for name in ("age", "sex", "facts"))


with session.guarded():
    _page()
