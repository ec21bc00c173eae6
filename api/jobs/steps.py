"""Steps that all kinds of jobs take: to begin, to wait for a reading process, to end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event
from typing import Any, TypeVar

from api.errors import Refusal, problem_of
from api.jobs.lease import Lease, Stopped
from api.repositories import jobs
from api.runtime import Runtime
from api.tables import Job
from ecg_core.errors import EcgError, ReaderUnavailable

T = TypeVar("T")
logger = logging.getLogger(__name__)

MOST_TRIES = 3
"""Times that work may end its process, before it is given up."""
GAVE_UP = Refusal(500, "gave_up", f"the process that worked on it ended {MOST_TRIES} times; it is not tried again")
INTERNAL_ERROR = Refusal(500, "internal_error", "the service failed on it; its log says how")
_PATIENCE_S = 1.0


def begin(runtime: Runtime, lease: Lease, message: str) -> bool:
    """Begin work that is done as a whole; return False where it is not to be done: cancelled, or given up."""
    keys: list[str] = []
    with runtime.database.write() as session:
        lease.hold(session, message=message)
        job = session.get_one(Job, lease.job.id)
        if goes_on := not job.cancel_asked and job.tries < MOST_TRIES:
            job.tries += 1
        elif job.cancel_asked:
            keys = jobs.finish(session, job, "cancelled")
        else:
            keys = jobs.finish(session, job, "failed", error=describe(GAVE_UP))
    delete_files(runtime, keys)
    return goes_on


def finish(runtime: Runtime, lease: Lease, status: str, **changes: Any) -> None:
    """End the job."""
    with runtime.database.write() as session:
        lease.hold(session)
        keys = jobs.finish(session, session.get_one(Job, lease.job.id), status, **changes)
    delete_files(runtime, keys)


def describe(error: EcgError | Refusal) -> dict[str, Any]:
    """Return an error as it is kept: its problem body."""
    return problem_of(error).model_dump(mode="json", exclude_defaults=True, exclude={"request_id"})


def delete_files(runtime: Runtime, keys: Iterable[str]) -> None:
    """Delete from the store what nobody needs any more, once that is committed."""
    for key in keys:
        runtime.store.delete(key)


def patiently(action: Callable[[], T], lease: Lease, stop: Event) -> T:
    """Return what ``action`` gives, which is tried again while all reading processes are busy.

    Raises
    ------
    Stopped
        This process is ending.
    LeaseLost
        The job is another's by now.
    """
    while True:
        try:
            return action()
        except ReaderUnavailable as error:
            lease.check()
            if stop.wait(_PATIENCE_S):
                raise Stopped from error
            logger.warning("job %s waits for a reading process: %s", lease.job.id, error)
