"""Send the files of one recording, or look at a demo case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from api.schemas import CaseSummary, Info, Prediction, Problem, Subject
from dashboard import session, words
from dashboard.client import ApiProblem
from dashboard.components.ecg_paper import ecg_paper
from dashboard.components.person_form import ask_person
from dashboard.views import memory
from dashboard.views.analysis import DEFAULT_POINT, show_analysis
from dashboard.views.problems import refused, show_formats, show_problem

_UNITS = {"As the file says": None, "Millivolts (mV)": "mV", "Microvolts (uV)": "uV", "Volts (V)": "V"}
_ASKS = {"needs_option", "invalid_value"}
"""Problems that the sender can mend by stating rate or units."""
_DROPPED, _REFUSED, _STATED = "dropped", "refused", "stated"


def _page() -> None:
    # Streamlit leaves the browser's address as it was where a link leads to the page that it stands on.
    if case := st.query_params.get("case"):
        st.query_params.from_dict({"case": case})
        _show_case(case)
        return
    st.query_params.clear()
    st.title("Analyse an ECG")
    # Before anything that can fail: Streamlit forgets the files of an uploader that a run leaves out.
    st.file_uploader(
        "The files of one recording, or a zip of them",
        accept_multiple_files=True,
        key="uploads",
        on_change=_take,
        help="A WFDB recording is its .hea and its .dat file together. The content decides, not the name.",
    )
    files: Mapping[str, bytes] = st.session_state.get(_DROPPED, {})
    if files:
        _ask_and_send(files)
    else:
        _show_empty(session.info())
        _show_cases()


def _take() -> None:
    """Keep the files: they outlive a sign-in that ends, and a look at another page."""
    st.session_state[_DROPPED] = {upload.name: upload.getvalue() for upload in st.session_state["uploads"]}
    st.session_state.pop(_REFUSED, None)
    st.session_state.pop(_STATED, None)


def _ask_and_send(files: Mapping[str, bytes]) -> None:
    """Ask what is known of the person and of the files, then send them."""
    if not st.session_state["uploads"]:
        st.caption(words.literally(f"Still here from before: {', '.join(files)}"))
    problem: Problem | None = st.session_state.get(_REFUSED)
    if problem:
        show_problem(problem)
        if problem.code == "several_recordings":
            st.page_link("screens/batch.py", label="Analyse them as a batch", icon=":material/stacks:")
        st.session_state[_STATED] = st.session_state.get(_STATED) or problem.code in _ASKS
    stated: dict[str, Any] = _ask_reading() if st.session_state.get(_STATED) else {}
    with st.expander("About the person", icon=":material/person:", expanded=False):
        person = ask_person(Subject(), session.info().facts)
    if st.button("Analyse", type="primary", icon=":material/ecg_heart:"):
        facts = {name: value for name, value in person["facts"].items() if value is not None}
        about = {"subject_id": person["id"], "age": person["age"], "sex": person["sex"], "facts": facts}
        try:
            recording_id = _send(files, **stated, **about)
        except ApiProblem as error:
            st.session_state[_REFUSED] = error.problem
            st.rerun()
        for name in (_DROPPED, _REFUSED, _STATED):
            st.session_state.pop(name, None)
        st.switch_page("screens/recording.py", query_params={"recording": recording_id})


def _ask_reading() -> dict[str, Any]:
    """Ask for what the files leave out."""
    left, right = st.columns(2)
    fs = left.number_input("Sampling rate (Hz)", min_value=0.0, value=None, placeholder="for example 500", key="fs")
    units = right.selectbox("Unit of the samples", list(_UNITS), key="units")
    return {"fs": fs or None, "units": _UNITS[units]}


def _send(files: Mapping[str, bytes], **stated: Any) -> str:
    """Have a recording kept and analysed; return its id. Kept it is, even where the analysis is refused."""
    client = session.api()
    with st.status("Reading the recording ...", expanded=False) as progress:
        kept = client.recordings.upload(files, **stated)
        if kept.note:
            memory.tell(kept.note)
        progress.update(label=f"Analysing {words.duration(kept.duration_s)} of {len(kept.leads)} leads ...")
        try:
            client.analyses.create(kept.id)
        except ApiProblem as error:
            memory.tell(f"It is kept, but was not analysed: {error.problem.detail}")
        progress.update(label="Done", state="complete")
    return kept.id


def _show_empty(info: Info) -> None:
    with st.container(border=True):
        st.markdown("**Drop a recording to see it on paper**, with what can be said about it.")
        show_formats()
        st.caption(
            f"Up to {info.limits.max_files} files, {words.size(info.limits.max_upload_bytes)} in all. "
            "They are kept with your account until you delete them."
        )


def _show_cases() -> None:
    """Offer the demo cases, a card each."""
    st.subheader("Or look at a demo case")
    with refused():
        cases = memory.remember("cases", lambda: session.api().cases.list())
        # As many beside one another as have room for their titles: `theme.css` says how.
        with st.container(key="cases"):
            for case in cases:
                with st.container(border=True, height="stretch"):
                    _show_card(case)
        st.caption("Made by this software, of nobody. They are not kept with your recordings.")


def _show_card(case: CaseSummary) -> None:
    st.page_link(
        "screens/analyse.py",
        label=f"**{words.literally(case.title)}**",
        icon=":material/ecg_heart:",
        query_params={"case": case.name},
    )
    st.caption(words.literally(case.description))


def _show_case(name: str) -> None:
    """Analyse a demo case without keeping it."""
    st.page_link("screens/analyse.py", label="All demo cases", icon=":material/arrow_back:")
    point = st.session_state.get("case point", DEFAULT_POINT)

    def ask() -> Prediction:
        return session.api().predict(case=name, operating_point=point, signal=True, store=False)

    with refused():
        case = memory.remember(("case", name), lambda: session.api().cases.get(name))
        st.title(words.literally(case.title), anchor=False)
        st.caption(words.literally(f"Demo case. {case.description} {case.notice}"))
        with st.spinner("Making and analysing the case ...", show_time=True):
            prediction = memory.remember(("case", name, point), ask)
        show_analysis(prediction, lambda: _draw(prediction), point, _choose_point, key=f"{name} {point}")


def _draw(prediction: Prediction) -> None:
    if prediction.signal:
        ecg_paper(
            prediction.signal,
            beats=prediction.beats,
            waves=prediction.waves,
            pacing=prediction.pacing,
            quality=prediction.quality,
            note=words.window(prediction.signal, prediction.recording),
            title=prediction.recording.name or "",
        )


def _choose_point(point: str) -> None:
    st.session_state["case point"] = point
    st.rerun()


with session.guarded():
    _page()
