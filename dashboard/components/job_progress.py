"""How far a job is, looked at again every second while it goes on."""

from __future__ import annotations

import streamlit as st

from api.schemas import Job, JobDetails
from dashboard import session, telling, words
from dashboard.views.problems import refused, show_problem

_EVERY_S = 1.0


def is_going(job: Job) -> bool:
    """Return whether there is something to wait for."""
    return job.status in ("queued", "running")


def job_progress(job_id: str) -> None:
    """Show how far a job is until it has ended; then the page runs again."""
    st.fragment(_look, run_every=_EVERY_S)(job_id)


def show_job(job: JobDetails) -> None:
    """Show where a job stands."""
    tried = job.done + job.failed
    if is_going(job):
        part = tried / job.total if job.total else 0.0
        st.progress(min(part, 1.0), text=words.literally(telling.job_progress(job)))
        if job.cancel_asked:
            st.caption("It ends after the recording at hand; what is done stays.")
    elif job.error is not None:
        show_problem(job.error)
    elif job.status == "cancelled":
        st.info(f"Cancelled after {tried} of {job.total}. What was done stays.", icon=":material/cancel:")


def _look(job_id: str) -> None:
    with session.guarded(), refused():
        job = session.api().jobs.get(job_id)
        if not is_going(job):
            st.rerun()
        show_job(job)
        if not job.cancel_asked and st.button("Cancel", icon=":material/stop_circle:", key="cancel job"):
            session.api().jobs.cancel(job_id)
            st.rerun()
