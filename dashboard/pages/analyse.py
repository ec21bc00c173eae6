"""Upload a recording and see it on paper, with what can be said about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import streamlit as st

from api.schemas import Info, Prediction, Problem, Quality
from dashboard import client, words
from dashboard.components.ecg_paper import ecg_paper

_UNITS = {"As the file says": None, "Millivolts (mV)": "mV", "Microvolts (uV)": "uV", "Volts (V)": "V"}
_ASKS = {"needs_option", "invalid_value"}
"""Problems that the sender can mend by stating rate or units."""


@st.cache_resource
def _api() -> client.Client:
    return client.connect()


def _page() -> None:
    st.title("Analyse an ECG")
    # Before anything that can fail: Streamlit forgets the files of an uploader that a run leaves out.
    uploads = st.file_uploader(
        "The files of one recording, or a zip of them",
        accept_multiple_files=True,
        key="uploads",
        help="A WFDB recording is its .hea and its .dat file together. The content decides, not the name.",
    )
    try:
        if uploads:
            _analyse({upload.name: upload.getvalue() for upload in uploads})
        else:
            _show_empty(_api().info())
    except client.ApiUnreachable as error:
        _show_unreachable(error)


def _analyse(files: Mapping[str, bytes]) -> None:
    stated = st.session_state.get(f"stated {_digest(files)}", {})
    try:
        prediction = _predict(files, **stated)
    except client.ApiProblem as error:
        _show_problem(error.problem)
        if stated or error.problem.code in _ASKS:
            _ask(files)
    else:
        _show(prediction)


def _digest(files: Mapping[str, bytes]) -> str:
    """Return a name for these contents under these names."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _predict(files: Mapping[str, bytes], fs: float | None = None, units: str | None = None) -> Prediction:
    """Ask the API, once for the same files and statements: Streamlit runs the page again at every touch."""
    key = _digest(files), fs, units
    if st.session_state.get("asked") != key:
        with st.spinner("Reading and analysing the recording ...", show_time=True):
            st.session_state["prediction"] = _api().predict(files, fs=fs, units=units, signal=True)
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
            st.session_state[f"stated {_digest(files)}"] = {"fs": fs or None, "units": _UNITS[units]}
            st.rerun()


def _show(prediction: Prediction) -> None:
    recording = prediction.recording
    rate, leads, duration, fs = st.columns([1.6, 1, 1, 1], border=True)
    rate.metric("Heart rate", words.rate(prediction))
    rate.caption(words.rate_range(prediction))
    leads.metric("Leads", len(recording.leads))
    leads.caption(", ".join(recording.leads))
    duration.metric("Length", words.duration(recording.duration_s))
    duration.caption(recording.start.replace("T", " ") if recording.start else "no date in the file")
    fs.metric("Sampling rate", f"{recording.fs:g} Hz")
    fs.caption(f"{recording.n_samples:,} samples a lead")
    _show_quality(prediction.quality)
    if prediction.signal:
        seconds = len(prediction.signal.values[0]) / prediction.signal.fs
        whole = seconds >= recording.duration_s
        note = "" if whole else f"first {words.duration(seconds)} of {words.duration(recording.duration_s)}"
        ecg_paper(prediction.signal, prediction.beats, note=note)
    _show_reading(prediction)


def _show_quality(quality: Quality) -> None:
    """Show what the signal is good for: loudly only where it is good for nothing."""
    if quality.verdict == "poor":
        st.warning(_literally(words.quality(quality)), icon=":material/signal_disconnected:")
    else:
        st.caption(_literally(words.quality(quality)))
    if faults := words.lead_faults(quality):
        with st.expander("Signal quality, lead by lead"):
            rows = (f"| {_literally(name)} | {_literally(fault)} |" for name, fault in faults.items())
            st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _show_reading(prediction: Prediction) -> None:
    """Show how the file was read: assumptions first, particulars behind."""
    recording, subject = prediction.recording, prediction.subject
    if recording.warnings:
        st.markdown("**How it was read**")
        st.markdown("\n".join(f"- {_literally(warning)}" for warning in recording.warnings))
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
            "Analysed": f"{prediction.provenance.analysed_at} by Einthoven {prediction.provenance.software.version}",
        }
        rows = (f"| {name} | {_literally(value)} |" for name, value in facts.items() if value)
        st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _show_problem(problem: Problem) -> None:
    st.error(_literally(words.what_happened(problem)), icon=":material/error:")
    if advice := words.what_to_do(problem):
        st.markdown(_literally(advice))
    if problem.code == "unknown_format":
        _show_formats(_api().info())


def _show_unreachable(error: client.ApiUnreachable) -> None:
    st.error(f"The analysis service does not answer at {error.url}.", icon=":material/cloud_off:")
    st.markdown("Start it with `ecg serve` (or everything with `make up`), then try again.")
    st.caption(_literally(error.why))
    st.button("Try again", icon=":material/refresh:")


def _show_empty(info: Info) -> None:
    with st.container(border=True):
        st.markdown("**Drop a recording to see it on paper**, with its beats and heart rate.")
        _show_formats(info)
        st.caption(
            f"Up to {info.limits.max_files} files, {words.size(info.limits.max_upload_bytes)} in all. "
            "They are analysed and not kept."
        )


def _show_formats(info: Info) -> None:
    titles = {item.title: item.suffixes for item in info.formats} | {"Archives of these": [".zip", ".tar.gz"]}
    columns = st.columns(3)
    for position, (title, suffixes) in enumerate(titles.items()):
        columns[position % 3].markdown(f"{title} :gray[{' '.join(suffixes)}]")


def _literally(text: str) -> str:
    """Return text from a file for Markdown, with nothing in it taken for markup."""
    return "".join(f"\\{ch}" if ch in "\\`*_{}[]()<>#+-.!|~$:" else ch for ch in text)


_page()
