"""Many recordings at once: send them, watch them being analysed, sift what came of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import streamlit as st

from api.schemas import JobDetails, Subject
from dashboard import session, words
from dashboard.client import Client
from dashboard.components.job_list import job_list
from dashboard.components.job_progress import is_going, job_progress, show_job
from dashboard.components.person_form import ask_facts
from dashboard.components.results_table import results_table
from dashboard.views.memory import when
from dashboard.views.problems import refused, show_formats

# Where the session keeps which batch is looked at; none while one is put together.
_CHOSEN = "batch"
# Where it keeps the name of the one that is put together.
_TRY = "batch to come"
_RECORDING = Path(__file__).with_name("recording.py")
_DEFAULT_POINT = "max_f1"
# What to do where a file of many was refused.
_ADVICE = {
    "needs_option": "Send it again in a batch of its own, and state what it leaves out.",
    "unknown_format": "Check that it is an ECG in a format that can be read, and that it is whole.",
}
# Errors that are shown without being asked for.
_FEW = 3


def _page() -> None:
    st.title("Batch", anchor=False)
    job_id: str | None = st.session_state.get(_CHOSEN)
    if job_id is None:
        _compose()
    else:
        with refused():
            _show(job_id)


def _compose() -> None:
    """Let a batch be put together, and show those of before."""
    st.caption("Many recordings, one after the other, in the background. You may leave the page: they go on.")
    # What was sent is let go by giving the uploader another name.
    key = st.session_state.setdefault(_TRY, str(uuid4()))
    uploads = st.file_uploader(
        "Recordings, or zip and tar.gz archives of them",
        accept_multiple_files=True,
        key=f"batch_uploads {key}",
        help="The files of one recording (.hea and .dat) belong side by side, or in one archive.",
    )
    models, point, stated = _ask()
    counted = f"{len(uploads)} file{'' if len(uploads) == 1 else 's'}" if uploads else "files"
    if st.button(f"Analyse {counted}", type="primary", disabled=not uploads, icon=":material/play_arrow:", key="start"):
        files = {upload.name: upload for upload in uploads}
        if len(files) < len(uploads):
            st.warning("Two files have the same name. Put one of them into an archive.", icon=":material/file_copy:")
        else:
            with refused(), st.spinner("Sending the files ...", show_time=True):
                asked = {"models": models or None, "operating_point": point, **stated}
                # Pressed again after an answer that was lost, it is still one batch.
                once = str(uuid5(UUID(key), repr(([upload.file_id for upload in uploads], asked))))
                job = session.api().jobs.create_batch(files, idempotency_key=once, **asked)
                _open(job.id)
    if not uploads:
        with st.expander("What can be read"):
            show_formats()
    job_list("batch", _open)


def _ask() -> tuple[list[str], str, dict[str, Any]]:
    """Ask for what holds for all of them."""
    info = session.info()
    with st.expander("Models, thresholds, and what is known of all of them", icon=":material/tune:"):
        models = st.multiselect("Models to ask", info.models, key="batch_models", placeholder="All that are installed")
        point = st.segmented_control(
            "Called from",
            info.operating_points,
            default=_DEFAULT_POINT if _DEFAULT_POINT in info.operating_points else None,
            format_func=lambda name: words.POINTS.get(name, name),
            key="batch_point",
        )
        left, right = st.columns(2, vertical_alignment="bottom")
        fs = left.number_input(
            "Sampling rate (Hz), where files do not say", 0.0, value=None, placeholder="for example 500", key="batch_fs"
        )
        units = right.selectbox(
            "Unit of the samples, where files do not say", ["mV", "uV", "V"], index=None, key="batch_units"
        )
        st.markdown("**Known of everybody in this batch**")
        stated = ask_facts(Subject(), info.facts, " of the batch")
    return models, point or _DEFAULT_POINT, {**stated, "fs": fs or None, "units": units}


def _open(job_id: str | None) -> None:
    """Look at a batch, or put another together."""
    if job_id is None:
        st.session_state.pop(_CHOSEN, None)
    else:
        st.session_state[_CHOSEN] = job_id
        st.session_state.pop(_TRY, None)
    st.rerun()


def _show(job_id: str) -> None:
    """Show how far a batch is, what failed, and what came of it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        about = st.empty()
        if st.button("All batches", icon=":material/arrow_back:", key="back"):
            _open(None)
    job = session.api().jobs.get(job_id)
    about.caption(words.literally(f"Sent {when(job.created_at)}"))
    if is_going(job):
        job_progress(job_id)
    else:
        _show_end(job)
    if job.errors:
        _show_errors(job)
    if job.done:
        _show_results(job)
    elif not is_going(job) and not job.error:
        st.info("No recording could be analysed.", icon=":material/inbox:")


def _show_end(job: JobDetails) -> None:
    show_job(job)
    with st.container(horizontal=True):
        st.metric("Analysed", job.done, border=True, width=142)
        st.metric("Failed", job.failed, border=True, width=142)
        if job.started_at and job.finished_at:
            seconds = (job.finished_at - job.started_at).total_seconds()
            st.metric("Took", words.duration(seconds), border=True, width=142)


def _show_errors(job: JobDetails) -> None:
    some = f" (the first {len(job.errors)}; the CSV names all)" if job.failed > len(job.errors) else ""
    with st.expander(f"Failed: {job.failed}{some}", icon=":material/error:", expanded=len(job.errors) <= _FEW):
        for failed in job.errors:
            advice = _ADVICE.get(failed.error.code) or words.what_to_do(failed.error)
            # The file's name stands above already.
            happened = words.sentence(words.what_happened(failed.error).removeprefix(f"{failed.file}: "))
            lines = [f"**{words.literally(failed.file)}**", words.literally(happened)]
            lines += [f":gray[{words.literally(advice)}]"] if advice else []
            st.markdown("  \n".join(lines))


def _show_results(job: JobDetails) -> None:
    """Show the table of what was found, as it stands, with filters; and give it away as files."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader("Results", anchor=False, width="content")
        if is_going(job) and st.button("Show the latest", icon=":material/refresh:", key="latest"):
            st.session_state.pop(f"results {job.id}", None)
            st.rerun()
    table = _table(job)
    rows = [row for row in csv.DictReader(io.StringIO(table.decode())) if not row["error"]]
    chosen = results_table(rows, key=job.id)
    with st.container(horizontal=True):
        if _RECORDING.exists() and st.button(
            "Open the recording",
            icon=":material/monitor_heart:",
            disabled=chosen is None,
            help="Choose a row of the table first.",
            key="open",
        ):
            _open_recording(job, chosen or rows[0])
        st.download_button(
            "CSV",
            table,
            f"batch-{job.id[:8]}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="csv",
        )
        client = session.api()
        st.download_button(
            "JSON lines",
            lambda: _json_lines(client, job.id),
            f"batch-{job.id[:8]}.jsonl",
            "application/x-ndjson",
            icon=":material/download:",
            on_click="ignore",
            key="jsonl",
        )


def _table(job: JobDetails) -> bytes:
    """Return the table, fetched once for as long as nothing is added to it that was asked for."""
    name = f"results {job.id}"
    kept: tuple[bool, bytes] | None = st.session_state.get(name)
    if kept is None or (kept[0] and not is_going(job)):
        with st.spinner("Fetching the results ..."):
            kept = is_going(job), session.api().jobs.csv(job.id).content
        st.session_state[name] = kept
    return kept[1]


def _json_lines(client: Client, job_id: str) -> bytes:
    return b"".join(result.model_dump_json().encode() + b"\n" for result in client.jobs.results(job_id))


def _open_recording(job: JobDetails, row: dict[str, str]) -> None:
    with st.spinner("Opening the recording ..."):
        results = session.api().jobs.results(job.id)
        found = next((result for result in results if result.file == row["file"]), None)
    if found is None or found.recording_id is None:
        st.info("This recording was deleted since.", icon=":material/delete:")
    else:
        st.switch_page(_RECORDING, query_params={"recording": found.recording_id})


with session.guarded():
    _page()
