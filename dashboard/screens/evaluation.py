"""How good the models are on labelled recordings: the bundled set at once, others as a job."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from api.schemas import BundledEvaluation, EvaluationChoices, EvaluationReport
from dashboard import session, words
from dashboard.client.forms import Content
from dashboard.components.job_list import job_list
from dashboard.components.job_progress import is_going, job_progress, show_job
from dashboard.views.evaluation import show_grades, show_job_record, show_lost, show_record, show_scores
from dashboard.views.measured import show_measured
from dashboard.views.memory import remember
from dashboard.views.problems import refused

_JOB = "evaluation"
_IN_ADDRESS = "job"
"""Names the job in the page's address, so that it is there again when the page is loaded again."""
_BUNDLED, _OTHERS, _MEASURED = _PLACES = ("Bundled set", "Other recordings", "As measured")
_METHODS = {"beats": "robust", "beats_fast": "fast"}


def _page() -> None:
    st.title("Evaluation", anchor=False)
    st.caption("Scores on recordings whose truth is known, with 95 % bootstrap intervals, and what exactly was lost.")
    with refused():
        if (job_id := st.session_state.get(_JOB) or st.query_params.get(_IN_ADDRESS)) is not None:
            _show_job(job_id)
            return
        where = st.segmented_control(
            "On",
            _PLACES,
            default=_PLACES[0],
            required=True,
            label_visibility="collapsed",
            key="where",
            bind="query-params",
        )
        if where == _MEASURED:
            show_measured()
        elif where == _OTHERS:
            _ask_job(_choices())
        else:
            _show_bundled(_choices())


def _choices() -> EvaluationChoices:
    return remember("evaluation choices", session.api().evaluation.sets)


def _show_bundled(choices: EvaluationChoices) -> None:
    first = choices.bundled.index("beats") if "beats" in choices.bundled else 0
    model = st.selectbox("Model", choices.bundled, first, key="bundled_model", width=320)
    report = _bundled(model)
    if report is None:
        return
    st.info(words.literally(report.notice), icon=":material/science:")
    show_scores(report)
    show_grades(report)
    chosen = show_lost(report)
    if chosen is not None and (method := _METHODS.get(model)):
        show_record(chosen, "fast" if method == "fast" else "robust")


def _bundled(model: str) -> BundledEvaluation | None:
    """Return the scores of a model, once they are asked for; this may take a while, so it is done once a session."""
    wanted: set[str] = st.session_state.setdefault("evaluated", set())
    if model not in wanted:
        st.caption("168 strips are analysed at once; the first time takes some ten seconds.")
        if not st.button("Evaluate", type="primary", icon=":material/play_arrow:", key="evaluate"):
            return None
    with st.spinner("Scoring the bundled set ...", show_time=True):
        report = remember(f"bundled {model}", lambda: session.api().evaluation.bundled(model))
    if model not in wanted:
        wanted.add(model)
        st.rerun()
    return report


def _ask_job(choices: EvaluationChoices) -> None:
    """Ask for an installed set, or labelled recordings of one's own; show the evaluations of before."""
    installed = [item for item in choices.sets if item.installed]
    own, ready = st.tabs(["Upload", "Installed set"])
    with ready:
        data = st.selectbox("Set", installed, format_func=lambda item: item.title, key="set")
        if data is not None:
            st.caption(words.literally(f"{data.about}. {data.citation}. Licence: {data.licence}."))
            left, right = st.columns(2)
            model = left.selectbox("Model", data.models, key="set_model")
            about = {split.name: split.about for split in data.splits}
            split = right.selectbox(
                "Part",
                list(about),
                index=None,
                placeholder="All",
                format_func=lambda name: f"{name}: {about[name]}",
                key="split",
            )
            if st.button("Evaluate", type="primary", icon=":material/play_arrow:", key="evaluate set"):
                _open(session.api().evaluation.create(model=model, data=data.name, split=split).id)
        missing = [item for item in choices.sets if not item.installed]
        if missing:
            with st.expander(f"Not installed: {len(missing)}"):
                lines = [f"| {words.literally(item.title)} | `{item.install}` |" for item in missing]
                st.markdown("\n".join(["| Set | On the server |", "|:--|:--|", *lines]))
    with own:
        _ask_upload(choices)
    job_list("evaluation", _open)


def _ask_upload(choices: EvaluationChoices) -> None:
    needs = {item.model: item for item in choices.uploads}
    if not needs:
        st.caption("No model here can be examined on an upload.")
        return
    model = st.selectbox("Model", list(needs), key="upload_model", width=320)
    kind = needs[model].needs
    known = f" It knows {', '.join(needs[model].labels)}." if needs[model].labels else ""
    truth = f"a table of {kind}, a row a recording" if kind == "labels" else f"their annotated {kind} beside them"
    st.caption(words.literally(f"It needs recordings with {truth}.{known}"))
    uploads = st.file_uploader(
        "Recordings with their truth, or archives of such", accept_multiple_files=True, key="labelled"
    )
    labels = _ask_labels(needs[model].labels) if kind == "labels" else None
    with st.expander("What the files do not say", icon=":material/tune:"):
        left, right = st.columns(2)
        fs = left.number_input("Sampling rate (Hz)", 0.0, value=None, placeholder="for example 500", key="labelled_fs")
        units = right.selectbox("Unit of the samples", ["mV", "uV", "V"], index=None, key="labelled_units")
        include = st.toggle("Score recordings too that the model was trained on", key="include_trained")
    ready = bool(uploads) and (kind != "labels" or labels is not None)
    if st.button("Evaluate", type="primary", disabled=not ready, icon=":material/play_arrow:", key="evaluate upload"):
        files = {upload.name: upload for upload in uploads}
        with st.spinner("Sending the files ...", show_time=True):
            job = session.api().evaluation.create(
                files, labels=labels, model=model, include_trained=include, fs=fs or None, units=units
            )
        _open(job.id)


def _ask_labels(known: Sequence[str]) -> Content | None:
    """Ask for a table of labels, as a file or as text."""
    left, right = st.columns(2)
    sent = left.file_uploader("Table of labels (CSV)", key="labels")
    example = f"A0001,{known[0]}\nA0002,{known[1]}" if len(known) > 1 else "A0001,MI;LVH\nA0002,NORM"
    pasted = right.text_area("Or pasted, a row a recording: its name, its labels", key="pasted", placeholder=example)
    return sent if sent is not None else pasted.encode() if pasted.strip() else None


def _open(job_id: str) -> None:
    st.session_state[_JOB] = job_id
    st.rerun()


def _show_job(job_id: str) -> None:
    st.query_params[_IN_ADDRESS] = job_id
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("All evaluations", icon=":material/arrow_back:", key="back"):
            st.session_state.pop(_JOB, None)
            st.query_params.pop(_IN_ADDRESS, None)
            st.session_state["where"] = _OTHERS
            st.rerun()
    job = session.api().jobs.get(job_id)
    if is_going(job):
        job_progress(job_id)
        return
    show_job(job)
    if job.status == "done":
        report: EvaluationReport = remember(f"report {job_id}", lambda: session.api().evaluation.report(job_id))
        show_scores(report)
        if (chosen := show_lost(report)) is not None:
            with refused():
                show_job_record(job_id, chosen)


with session.guarded():
    _page()
