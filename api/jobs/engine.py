"""The engine: threads that take messages and work jobs, and one that looks for jobs that no message tells of."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self

import dramatiq
from dramatiq.worker import Worker
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from api.jobs.broker import ACTOR, QUEUE
from api.jobs.tasks import Work
from api.repositories import jobs
from api.runtime import Runtime

logger = logging.getLogger(__name__)

_POLL_MS = 200
_STOP_S = 10.0
"""An item that takes longer than this is left when the API stops; `ecg worker` waits for it."""
_MOST_TOLD = 100


class JobEngine:
    """Works jobs while the block lasts.

    Parameters
    ----------
    runtime
        What they are worked with.
    worker
        Whether this process is there for nothing else. Without it, jobs are worked here only where there is no Redis,
        through which `ecg worker` gets them.
    sign_of_life
        A file that is touched whenever database and queue answered.
    """

    def __init__(self, runtime: Runtime, *, worker: bool = False, sign_of_life: Path | None = None) -> None:
        self._runtime, self._sign_of_life = runtime, sign_of_life
        self._patience_s = None if worker else _STOP_S
        self._works = worker or runtime.queue.is_embedded
        self._work = Work(runtime)
        self._ended = Event()
        self._watch = Thread(target=self._look, name="jobs", daemon=True)

    def __enter__(self) -> Self:
        if self._works:
            broker = self._runtime.queue.broker
            dramatiq.actor(actor_name=ACTOR, queue_name=QUEUE, broker=broker)(self._work)
            self._worker = Worker(broker, worker_threads=self._work.threads, worker_timeout=_POLL_MS)
            # A message that lies with a busy process would wait though another is free.
            self._worker.queue_prefetch = self._work.threads
            self._worker.start()
            self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._works:
            return
        self._ended.set()
        self._work.stop.set()
        self._watch.join()
        self._worker.stop(timeout=int(1000 * (self._patience_s or 1e9)))

    def _look(self) -> None:
        """Look for jobs that wait, at the start and now and then: their messages may have died with a process."""
        while True:
            try:
                self._tell()
                if self._sign_of_life is not None:
                    self._sign_of_life.touch()
            except (SQLAlchemyError, RedisError, OSError) as error:
                logger.warning("jobs that wait could not be looked for: %s", error)
            if self._ended.wait(self._runtime.settings.job_sweep_s):
                return

    def _tell(self) -> None:
        """Bring the messages to as many as there are jobs waiting; which of them they name does not matter."""
        with self._runtime.database.read() as session:
            waiting = jobs.list_waiting(session, _MOST_TOLD)
        for job_id in waiting[self._runtime.queue.length() :]:
            self._runtime.queue.put(job_id)
