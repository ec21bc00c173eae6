"""Forgetting what is too old by the settings, and what nobody refers to: now and then, by any number of processes."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from threading import Event, Thread
from types import TracebackType
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api import tables
from api.repositories import blobs, forgetting, recordings
from api.runtime import Runtime
from api.services.forgetting import AT_ONCE, delete_files, forget_jobs, forget_recordings
from api.services.keeping import retried
from api.tables import now

_ROWS_AT_ONCE = 500
_ORPHAN_S = 3600.0
"""Files without a row may be on their way into one for so long."""
_LONGEST_DAYS = 365_000.0
_log = logging.getLogger(__name__)


def forget_old(runtime: Runtime) -> Counter[str]:
    """Delete whatever is too old by the settings, and what nobody refers to; return how many of each.

    Any number of processes may do so at the same time.
    """
    counts: Counter[str] = Counter()
    for what, count in forget_step_by_step(runtime):
        counts[what] += count
    return +counts


def forget_step_by_step(runtime: Runtime) -> Iterator[tuple[str, int]]:
    """Do as `forget_old`, and give what was deleted after each short transaction: it can be left off there."""
    settings, database = runtime.settings, runtime.database
    if settings.retention_days is not None:
        before = _ago(settings.retention_days)

        def choose(session: Session) -> Sequence[tables.Recording]:
            return recordings.list_to_forget(session, AT_ONCE, before=before)

        yield from _again("recordings", AT_ONCE, lambda: forget_recordings(runtime, choose, None))
        yield from _again("jobs", AT_ONCE, lambda: forget_jobs(runtime, finished_before=before))
    rows: tuple[tuple[str, Callable[[Session, datetime, int], int], datetime], ...] = (
        ("audit events", forgetting.delete_events, _ago(settings.audit_days)),
        ("sign-ins", forgetting.delete_sign_ins, now()),
        ("API tokens", forgetting.delete_api_tokens, now()),
        ("kept answers", forgetting.delete_kept_answers, now() - timedelta(seconds=settings.idempotency_s)),
        ("login failures", forgetting.delete_login_failures, _ago(1.0)),
    )
    for what, delete, before in rows:
        while True:
            with database.write() as session:
                count = delete(session, before, _ROWS_AT_ONCE)
            yield what, count
            if count < _ROWS_AT_ONCE:
                break
    yield from _again("contents", AT_ONCE, lambda: _forget_unused(runtime))
    yield from _forget_orphans(runtime)
    at_hand = {*runtime.signals.at_hand(), *runtime.explaining.at_hand()}
    with database.read() as session:
        known = recordings.known_fingerprints(session, at_hand)
    for fingerprint in at_hand - known:
        runtime.signals.forget(fingerprint)
        runtime.explaining.forget(fingerprint)
    forgetting.wipe_log(database)


class Sweeper:
    """A thread that does `forget_old` now and then, while the block lasts."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._ended = Event()
        self._thread = Thread(target=self._work, name="sweeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Return whether the thread runs."""
        return self._thread.is_alive()

    def _work(self) -> None:
        # Processes that were started together do not sweep together.
        while not self._ended.wait(self._runtime.settings.forget_every_s * random.uniform(0.5, 1.5)):  # noqa: S311
            counts: Counter[str] = Counter()
            try:
                for what, count in forget_step_by_step(self._runtime):
                    counts[what] += count
                    if self._ended.is_set():
                        break
            except (SQLAlchemyError, OSError):
                _log.exception("not everything that is old could be deleted; it is tried again")
            if +counts:
                _log.info("deleted: %s", ", ".join(f"{count} {what}" for what, count in (+counts).items()))


def _ago(days: float) -> datetime:
    return now() - timedelta(days=min(days, _LONGEST_DAYS))


def _again(what: str, at_once: int, step: Callable[[], int]) -> Iterator[tuple[str, int]]:
    """Repeat a step until nothing is left for it."""
    count = at_once
    while count >= at_once:
        count = step()
        yield what, count


def _forget_unused(runtime: Runtime) -> int:
    def attempt() -> list[str]:
        with runtime.database.write() as session:
            before = now() - timedelta(seconds=_ORPHAN_S)
            return blobs.drop_unused(session, forgetting.find_unused_blobs(session, before, AT_ONCE))

    keys = retried(attempt)
    delete_files(runtime, keys)
    return len(keys)


def _forget_orphans(runtime: Runtime) -> Iterator[tuple[str, int]]:
    """Delete files that no row stands for: their process ended before it wrote the row, or after it deleted that."""
    yield "drafts", runtime.store.delete_drafts(_ORPHAN_S)
    keys = runtime.store.keys(_ORPHAN_S)
    while some := list(islice(keys, _ROWS_AT_ONCE)):
        with runtime.database.read() as session:
            orphans = set(some) - blobs.known_keys(session, some)
        delete_files(runtime, orphans)
        yield "files", len(orphans)
