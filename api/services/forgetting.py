"""Forgetting for good: rows, analyses, answers that are kept, and bytes on disk that nobody else refers to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from api import tables
from api.errors import not_found
from api.principal import Principal
from api.repositories import audit, blobs, forgetting, recordings, sign_ins, users
from api.runtime import Runtime
from api.services import idempotency
from api.services.keeping import retried

AT_ONCE = 50
"""Recordings or jobs of one transaction."""


def forget_recording(runtime: Runtime, who: Principal, recording_id: str) -> None:
    """Delete an account's recording with all that was said about it."""

    def choose(session: Session) -> list[tables.Recording]:
        row = recordings.find_recording(session, who.user_id, recording_id, to_change=True)
        if row is None:
            raise not_found("recording", recording_id)
        return [row]

    forget_recordings(runtime, choose, who)
    forgetting.wipe_log(runtime.database)


def forget_account(runtime: Runtime, user_id: str, who: Principal | None = None) -> bool:
    """Delete an account with all that it kept, in small steps; return whether there was one.

    From the first step on it cannot be used. Broken off, it can be done again. The audit trail stays.
    """
    with runtime.database.write() as session:
        user = users.find_user(session, user_id)
        if user is None:
            return False
        user.is_active = False
        sign_ins.revoke_sign_ins_of(session, user_id)
    while forget_jobs(runtime, owner_id=user_id):
        pass
    while forget_recordings(
        runtime, lambda session: recordings.list_to_forget(session, AT_ONCE, owner_id=user_id), who
    ):
        pass
    with runtime.database.write() as session:
        gone = forgetting.delete_user(session, user_id)
        if gone:
            audit.note(session, who, "deleted", "account", user_id, owner_id=user_id)
    forgetting.wipe_log(runtime.database)
    return gone


def forget_recordings(
    runtime: Runtime, choose: Callable[[Session], Sequence[tables.Recording]], who: Principal | None
) -> int:
    """Delete the recordings that ``choose`` gives, in one short transaction; return how many these were."""

    def attempt() -> tuple[Sequence[tables.Recording], list[str]]:
        with runtime.database.write() as session:
            rows = choose(session)
            keys = blobs.drop_unused(session, recordings.delete_recordings(session, rows))
            _forget_answers(session, [(row.id, row.owner_id) for row in rows])
            for row in rows:
                audit.note(session, who, "deleted", "recording", row.id, owner_id=row.owner_id)
        return rows, keys

    rows, keys = retried(attempt)
    delete_files(runtime, keys)
    for row in rows:
        runtime.signals.forget(row.fingerprint)
        runtime.explaining.forget(row.fingerprint)
    return len(rows)


def _forget_answers(session: Session, objects: Iterable[tuple[str, str]]) -> None:
    """Delete the answers that are kept of objects, each named by its id and its owner's."""
    ids: defaultdict[str, list[str]] = defaultdict(list)
    for object_id, owner_id in objects:
        ids[owner_id].append(object_id)
    for owner_id, of_owner in ids.items():
        idempotency.forget(session, owner_id, *of_owner)


def forget_jobs(runtime: Runtime, *, owner_id: str | None = None, finished_before: datetime | None = None) -> int:
    """Delete some jobs, of an account or finished before a time; return how many these were."""

    def attempt() -> tuple[int, list[str]]:
        with runtime.database.write() as session:
            rows, blob_ids = forgetting.delete_jobs(
                session, AT_ONCE, owner_id=owner_id, finished_before=finished_before
            )
            _forget_answers(session, rows)
            for job_id, job_owner_id in rows:
                audit.note(session, None, "deleted", "job", job_id, owner_id=job_owner_id)
            return len(rows), blobs.drop_unused(session, blob_ids)

    count, keys = retried(attempt)
    delete_files(runtime, keys)
    return count


def delete_files(runtime: Runtime, keys: Iterable[str]) -> None:
    """Delete from the store, once the transaction that deleted the rows is committed."""
    for key in keys:
        runtime.store.delete(key)
