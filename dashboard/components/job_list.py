"""One's jobs of before: look at one, cancel it, delete it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import streamlit as st

from api.schemas import Job, JobKind
from dashboard import session, telling, words
from dashboard.components.job_progress import is_going
from dashboard.views.memory import when
from dashboard.views.problems import refused

_AT_ONCE = 10


def job_list(kind: JobKind, choose: Callable[[str], object]) -> None:
    """Show the jobs of a kind, the newest first.

    Parameters
    ----------
    kind
        Which.
    choose
        Called with the id of the one that is to be looked at.
    """
    most = st.session_state.setdefault(f"jobs of {kind}", _AT_ONCE)
    with refused():
        found = list(islice(session.api().jobs.list(kind=kind), most + 1))
        st.subheader("Earlier", anchor=False)
        if not found:
            st.caption("None yet. What you start is listed here, until you delete it.")
        for job in found[:most]:
            _row(job, choose)
        if len(found) > most and st.button("Show more", key=f"more {kind}"):
            st.session_state[f"jobs of {kind}"] = most + _AT_ONCE
            st.rerun()


def _row(job: Job, choose: Callable[[str], object]) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        state = telling.job_progress(job) if is_going(job) else telling.job_end(job)
        what = f"{job.parameters.get('model', '')} on {job.parameters.get('data') or 'an upload'}"
        about = f"{words.literally(what)} · " if job.kind == "evaluation" else ""
        badge = _BADGES[job.status]
        st.markdown(f"{badge} **{when(job.created_at)}** · {about}{words.literally(state)}", width="stretch")
        if st.button("Open", key=f"open {job.id}", icon=":material/open_in_full:"):
            choose(job.id)
        if is_going(job):
            if st.button("Cancel", key=f"cancel {job.id}", icon=":material/stop_circle:", disabled=job.cancel_asked):
                session.api().jobs.cancel(job.id)
                st.rerun()
        else:
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown("The list of its results goes. The recordings and their analyses stay.")
                if st.button("Delete it", type="primary", key=f"delete {job.id}"):
                    session.api().jobs.cancel(job.id)
                    st.rerun()


_BADGES = {
    "queued": ":gray-badge[Waiting]",
    "running": ":blue-badge[Running]",
    "done": ":green-badge[Done]",
    "failed": ":red-badge[Failed]",
    "cancelled": ":orange-badge[Cancelled]",
}
