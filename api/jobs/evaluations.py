"""Evaluations: one piece of work as a whole, which starts anew where it was broken off."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event

from api import tables
from api.jobs.lease import Lease, Stopped
from api.jobs.steps import begin, finish
from api.repositories import jobs
from api.runtime import Runtime
from ecg_core.isolation import ReadPool

_TOLD_EVERY_S = 1.0


class _Cancelled(Exception):
    """Whoever asked for it wants it no more."""


class _Progress:
    """Tells the row how far the work is, and the work whether to go on."""

    def __init__(self, runtime: Runtime, lease: Lease, stop: Event) -> None:
        self._runtime, self._lease, self._stop = runtime, lease, stop
        self._next = time.monotonic()

    def __call__(self, done: int, total: int, name: str) -> None:
        """Tell that ``done`` of ``total`` recordings are done, 0 where it is not known how many there are."""
        if self._stop.is_set():
            raise Stopped
        self._lease.check()
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _TOLD_EVERY_S
        with self._runtime.database.write() as session:
            self._lease.hold(session, done=done, total=max(done, total), message=f"at {name}"[:200])
            cancelled = session.get_one(tables.Job, self._lease.job.id).cancel_asked
        if cancelled:
            raise _Cancelled


def work_evaluation(runtime: Runtime, lease: Lease, stop: Event) -> None:
    """Work an evaluation to its end."""
    # It brings the exams and their data sets, which nothing else here needs.
    from api.services.evaluation import run_evaluation

    if not begin(runtime, lease, "reading the recordings"):
        return
    with runtime.database.read() as session:
        files = {file.name: runtime.store.get(file.blob.key) for file in jobs.list_files(session, lease.job.id)}
    try:
        # Processes of its own: it reads from the first recording to the last, and requests need theirs.
        with ReadPool(replace(runtime.settings.isolation(), workers=1)) as pool:
            progress = _Progress(runtime, lease, stop)
            result = run_evaluation(lease.job.parameters, files, progress, settings=runtime.settings, pool=pool)
    except _Cancelled:
        finish(runtime, lease, "cancelled")
    else:
        # What lost points is to be looked at: it stays as long as the job does.
        finish(runtime, lease, "done", result=result, keep_files=bool(result["lost"]))
