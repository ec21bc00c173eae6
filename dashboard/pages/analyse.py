"""Upload a recording and see it on paper, with what can be said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import streamlit as st

from api.schemas import Info, Prediction, Problem, Quality, Signal, Subject
from dashboard import session, words
from dashboard.client import ApiProblem
from dashboard.components.af_risk import af_risk
from dashboard.components.ecg_paper import ecg_paper
from dashboard.components.findings import diagnosis, findings_list
from dashboard.components.measurement_table import lead_table, measurement_table
from dashboard.components.person_form import person_form
from dashboard.components.predictions import model_answer

_UNITS = {"As the file says": None, "Millivolts (mV)": "mV", "Microvolts (uV)": "uV", "Volts (V)": "V"}
_CARD_PX = 168
_DEFAULT_POINT = "max_f1"
_ASKS = {"needs_option", "invalid_value"}
"""Problems that the sender can mend by stating rate or units."""


def _page() -> None:
    st.title("Analyse an ECG")
    # Before anything that can fail: Streamlit forgets the files of an uploader that a run leaves out.
    uploads = st.file_uploader(
        "The files of one recording, or a zip of them",
        accept_multiple_files=True,
        key="uploads",
        help="A WFDB recording is its .hea and its .dat file together. The content decides, not the name.",
    )
    if uploads:
        _analyse({upload.name: upload.getvalue() for upload in uploads})
    else:
        _show_empty(session.info())


def _analyse(files: Mapping[str, bytes]) -> None:
    stated = st.session_state.get(f"stated {_digest(files)}", {})
    try:
        prediction = _predict(files, **stated)
    except ApiProblem as error:
        _show_problem(error.problem)
        if stated or error.problem.code in _ASKS:
            _ask(files)
    else:
        _show(prediction, files)


def _digest(files: Mapping[str, bytes]) -> str:
    """Return a name for these contents under these names."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _predict(files: Mapping[str, bytes], **stated: Any) -> Prediction:
    """Ask the API, once for the same files and statements: Streamlit runs the page again at every touch."""
    key = _digest(files), stated
    if st.session_state.get("asked") != key:
        with st.spinner("Reading and analysing the recording ...", show_time=True):
            st.session_state["prediction"] = session.api().predict(files, signal=True, **stated)
        st.session_state["asked"] = key
    prediction: Prediction = st.session_state["prediction"]
    return prediction


def _ask(files: Mapping[str, bytes]) -> None:
    """Ask for what the file leaves out."""
    with st.form("stated", border=True):
        left, right = st.columns(2)
        fs = left.number_input("Sampling rate (Hz)", min_value=0.0, value=None, placeholder="for example 500", key="fs")
        units = right.selectbox("Unit of the samples", list(_UNITS), key="units")
        if st.form_submit_button("Analyse", type="primary"):
            _state(files, fs=fs or None, units=_UNITS[units])


def _ask_person(files: Mapping[str, bytes], subject: Subject) -> None:
    """Ask for what decides which ranges apply and what the risk rests on."""
    with st.popover("About the person", icon=":material/person:"):
        stated = person_form(subject, session.info().facts)
    if stated:
        _state(files, **stated)


def _state(files: Mapping[str, bytes], **stated: Any) -> None:
    """Keep what the sender says of these files, and analyse them again."""
    key = f"stated {_digest(files)}"
    st.session_state[key] = st.session_state.get(key, {}) | stated
    st.rerun()


def _show(prediction: Prediction, files: Mapping[str, bytes]) -> None:
    """Show what was found: what is urgent, what forbids trust, the sum, the paper, then all that it rests on."""
    _show_urgent(prediction)
    _show_doubts(prediction)
    diagnosis(prediction.summary)
    _show_key_figures(prediction)
    if prediction.signal:
        _show_paper(prediction, prediction.signal)
    _show_findings(prediction, files)
    _show_predictions(prediction, files)
    _show_measurements(prediction)
    _show_quality(prediction.quality)
    _show_reading(prediction)


def _show_urgent(prediction: Prediction) -> None:
    urgent = [item for item in prediction.findings if item.kind == "urgent"]
    if urgent:
        lines = (
            f"- **{words.literally(item.text)}**  \n  {words.literally('; '.join([item.rule or '', *item.against]))}"
            for item in urgent
        )
        text = "\n".join(["Critical by rule, unconfirmed. Look at the tracing now.", "", *lines])
        st.error(text, icon=":material/emergency_home:")


def _show_doubts(prediction: Prediction) -> None:
    """Show what stands against trusting the findings, each in a sentence."""
    if prediction.quality.verdict == "poor":
        st.warning(words.literally(words.quality(prediction.quality)), icon=":material/signal_disconnected:")
    if text := words.suspicions(prediction.quality):
        st.warning(words.literally(text), icon=":material/cable:")
    if text := words.pacing(prediction.pacing):
        st.info(words.literally(text), icon=":material/electric_bolt:")


def _show_key_figures(prediction: Prediction) -> None:
    with st.container(horizontal=True):
        for label, figure in words.key_figures(prediction).items():
            st.metric(label, figure, border=True, width=_CARD_PX)
    st.caption(words.literally(words.summary(prediction)))


def _show_paper(prediction: Prediction, signal: Signal) -> None:
    marked = st.toggle("Mark P, QRS and T", value=True, key="waves") if prediction.waves.leads else False
    ecg_paper(
        signal,
        beats=prediction.beats,
        waves=prediction.waves if marked else None,
        pacing=prediction.pacing,
        quality=prediction.quality,
        note=words.window(signal, prediction.recording),
        title=prediction.recording.name or "",
    )


def _show_findings(prediction: Prediction, files: Mapping[str, bytes]) -> None:
    """Show the findings, and beside them what is known of the person and the risk of fibrillation."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.subheader("Findings")
        told = [finding for finding in prediction.findings if finding.kind not in ("urgent", "risk")]
        if told:
            findings_list(told)
        else:
            st.caption("None: nothing could be said with enough certainty.")
    with right:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Risk of atrial fibrillation", width="content")
            _ask_person(files, prediction.subject)
        af_risk(prediction.af_risk, {fact.name: fact.title for fact in session.info().facts})


def _show_predictions(prediction: Prediction, files: Mapping[str, bytes]) -> None:
    """Show what each model says: families of statements, single statements, numbers, and why it keeps silent."""
    if not prediction.predictions:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader("What the models say", width="content")
        _ask_point(files)
    for name, answer in prediction.predictions.items():
        model_answer(name, answer, session.info().statements)


def _ask_point(files: Mapping[str, bytes]) -> None:
    """Ask what the thresholds are to be chosen for."""
    now = st.session_state.get(f"stated {_digest(files)}", {}).get("operating_point", _DEFAULT_POINT)
    chosen = st.segmented_control(
        "Called from",
        list(words.POINTS),
        default=now,
        format_func=words.POINTS.__getitem__,
        key="point",
        width="content",
    )
    if chosen and chosen != now:
        _state(files, operating_point=chosen)


def _show_measurements(prediction: Prediction) -> None:
    measurements = prediction.measurements
    st.subheader("Measurements")
    st.caption(words.literally(words.about_measurements(prediction)))
    measurement_table(measurements)
    if measurements.notes:
        st.caption(words.literally(" ".join(f"{words.sentence(note)}." for note in measurements.notes)))
    if measurements.leads:
        with st.expander("Wave heights and ST levels, lead by lead"):
            lead_table(measurements)


def _show_quality(quality: Quality) -> None:
    """Show what is wrong in which lead."""
    faults = words.lead_faults(quality)
    title = "Signal quality, lead by lead" if quality.verdict == "poor" else words.quality(quality)
    if not faults:
        st.caption(words.literally(title))
        return
    with st.expander(words.literally(title)):
        rows = (f"| {words.literally(name)} | {words.literally(fault)} |" for name, fault in faults.items())
        st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _show_reading(prediction: Prediction) -> None:
    """Show how the file was read: assumptions first, particulars behind."""
    recording, subject = prediction.recording, prediction.subject
    if recording.warnings:
        st.markdown("**How it was read**")
        st.markdown("\n".join(f"- {words.literally(warning)}" for warning in recording.warnings))
    with st.expander("Particulars"):
        facts = {
            "File": recording.name,
            "Format": recording.format,
            "SHA-256": recording.sha256,
            "Person": ", ".join(
                part for part in (subject.id, f"{subject.age:g} years" if subject.age else None, subject.sex) if part
            ),
            "Derived leads": ", ".join(recording.derived),
            "Beat detector": prediction.beats.method,
            "Models": ", ".join(f"{name} {model['version']}" for name, model in prediction.provenance.models.items()),
            "Analysed": f"{prediction.provenance.analysed_at} by Einthoven {prediction.provenance.software.version}",
        }
        rows = (f"| {name} | {words.literally(value)} |" for name, value in facts.items() if value)
        st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _show_problem(problem: Problem) -> None:
    st.error(words.literally(words.what_happened(problem)), icon=":material/error:")
    if advice := words.what_to_do(problem):
        st.markdown(words.literally(advice))
    if problem.code == "unknown_format":
        _show_formats(session.info())


def _show_empty(info: Info) -> None:
    with st.container(border=True):
        st.markdown("**Drop a recording to see it on paper**, with its beats and heart rate.")
        _show_formats(info)
        st.caption(
            f"Up to {info.limits.max_files} files, {words.size(info.limits.max_upload_bytes)} in all. "
            "They are kept with your account until you delete them."
        )


def _show_formats(info: Info) -> None:
    titles = {item.title: item.suffixes for item in info.formats} | {"Archives of these": [".zip", ".tar.gz"]}
    columns = st.columns(3)
    for position, (title, suffixes) in enumerate(titles.items()):
        columns[position % 3].markdown(f"{title} :gray[{' '.join(suffixes)}]")


with session.guarded():
    _page()
