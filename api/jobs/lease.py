"""Holding a job: nobody else works it while its lease is renewed, and who has lost the lease writes nothing."""

from __future__ import annotations

import logging
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.db import Database
from api.repositories import jobs
from api.tables import Job, new_id

logger = logging.getLogger(__name__)
_RENEWALS = 3
"""Of a lease while it lasts, so that one may fail."""


class LeaseLost(Exception):
    """The job is another's by now, or gone."""


class Stopped(Exception):
    """The process is ending; the job is left to the next."""


class Lease:
    """A job that this thread works, renewed from a thread of its own while the block lasts.

    Its worker is named anew each time, so that a process that slept through its lease is told from its successor, even
    from itself.
    """

    def __init__(self, database: Database, job: Job, lease_s: float) -> None:
        assert job.worker is not None  # noqa: S101 - it was just taken
        self.job = job
        self.worker = job.worker
        self._database, self._lease_s = database, lease_s
        self._over = Event()
        self._lost = False
        self._thread = Thread(target=self._keep, name="lease", daemon=True)

    @classmethod
    def take_next(cls, database: Database, kind: str, lease_s: float) -> Self | None:
        """Take the job whose turn it is; None where none waits."""
        with database.write() as session:
            job = jobs.claim_next(session, kind, new_id(), lease_s)
        return None if job is None else cls(database, job, lease_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise `LeaseLost` where that is known already, before more is done in vain."""
        if self._lost:
            raise LeaseLost(self.job.id)

    def hold(self, session: Session, **changes: Any) -> None:
        """Change the job in a transaction that is to be undone if it is no longer ours.

        Raises
        ------
        LeaseLost
            It is another's by now.
        """
        if not jobs.renew(session, self.job.id, self.worker, self._lease_s, **changes):
            self._lost = True
            raise LeaseLost(self.job.id)

    def release(self, **changes: Any) -> None:
        """Let go of the job, for whoever comes next."""
        self._over.set()
        self._thread.join()
        with self._database.write() as session:
            jobs.release(session, self.job.id, self.worker, **changes)

    def _keep(self) -> None:
        while not self._over.wait(self._lease_s / _RENEWALS):
            try:
                with self._database.write() as session:
                    self.hold(session)
            except LeaseLost:
                return
            except SQLAlchemyError as error:
                logger.warning("the lease of job %s could not be renewed: %s", self.job.id, error)
