"""The task: whichever job's turn it is, worked for a while, and the next, until none waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import BoundedSemaphore, Event

from sqlalchemy.exc import SQLAlchemyError

from api.errors import Refusal
from api.jobs.batches import work_batch
from api.jobs.evaluations import work_evaluation
from api.jobs.lease import Lease, LeaseLost, Stopped
from api.jobs.steps import INTERNAL_ERROR, describe, finish
from api.runtime import Runtime
from api.tables import Job
from ecg_core.errors import EcgError

logger = logging.getLogger(__name__)

KINDS: Mapping[str, Callable[[Runtime, Lease, Event], None]] = {"batch": work_batch, "evaluation": work_evaluation}
EVALUATIONS = 1
"""Evaluations worked at a time, beside the batches, which they so never hold up."""


class Work:
    """What the threads of one process do.

    Parameters
    ----------
    runtime
        What they work with.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.stop = Event()
        """Set when the process is ending: an item is finished, and the rest is left."""
        self._runtime = runtime
        self._places = {
            "batch": BoundedSemaphore(runtime.settings.job_threads),
            "evaluation": BoundedSemaphore(EVALUATIONS),
        }
        self._told = {kind: Event() for kind in KINDS}
        """Set by whoever is told of a job: a thread whose last look found none, before there was one, looks again."""

    @property
    def threads(self) -> int:
        """How many there is work for."""
        return self._runtime.settings.job_threads + EVALUATIONS

    def __call__(self, job_id: str) -> None:
        """Work whatever waits, not just the job that a message tells of: turns go by account. Safe to do twice."""
        logger.debug("told of job %s", job_id)
        while not self.stop.is_set() and any(self._serve(kind) for kind in KINDS):
            pass

    def _serve(self, kind: str) -> bool:
        """Work on the job of a kind whose turn it is; return whether there may be another, and a place for it."""
        places, told = self._places[kind], self._told[kind]
        told.set()
        if not places.acquire(blocking=False):
            return False
        try:
            told.clear()
            lease = Lease.take_next(self._runtime.database, kind, self._runtime.settings.job_lease_s)
            if lease is not None:
                return self._hold(lease)
        finally:
            places.release()
        return told.is_set()

    def _hold(self, lease: Lease) -> bool:
        """Work on a job; return whether this thread should look for the next at once."""
        with lease:
            try:
                KINDS[lease.job.kind](self._runtime, lease, self.stop)
            except LeaseLost:
                logger.info("job %s was taken over or deleted", lease.job.id)
            except Stopped:
                # That was no try: nothing is wrong with it.
                lease.release(tries=Job.tries - 1 if lease.job.total == 0 else Job.tries)
            except (EcgError, Refusal) as error:
                finish(self._runtime, lease, "failed", error=describe(error))
            except SQLAlchemyError:
                logger.exception("job %s waits until the database answers", lease.job.id)
                return False
            except Exception:  # A thread that works jobs must not end with one of them.
                logger.exception("job %s failed in a way it should not", lease.job.id)
                finish(self._runtime, lease, "failed", error=describe(INTERNAL_ERROR))
            else:
                lease.release()
        return True
