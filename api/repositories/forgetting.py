"""What is old enough to be forgotten. Each deletes a few rows, so that nobody waits long for the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from api.db import Database
from api.tables import (
    ApiToken,
    AuditEvent,
    Blob,
    IdempotentRequest,
    Job,
    JobFile,
    JobItem,
    JobItemFile,
    LoginFailure,
    RecordingFile,
    SignIn,
    Table,
    User,
)


def delete_jobs(
    session: Session, limit: int, *, owner_id: str | None = None, finished_before: datetime | None = None
) -> tuple[Sequence[tuple[str, str]], set[str]]:
    """Delete some jobs; return their ids with those of their owners, and the blobs that they referred to."""
    query = select(Job.id, Job.owner_id).order_by(Job.created_at).limit(limit)
    if owner_id is not None:
        query = query.where(Job.owner_id == owner_id)
    if finished_before is not None:
        query = query.where(Job.finished_at < finished_before)
    rows = [(row[0], row[1]) for row in session.execute(query.with_for_update(skip_locked=True))]
    ids = [row[0] for row in rows]
    blob_ids = set(session.scalars(select(JobFile.blob_id).where(JobFile.job_id.in_(ids))))
    item_files = select(JobItemFile.blob_id).join(JobItem, JobItem.id == JobItemFile.item_id)
    blob_ids |= set(session.scalars(item_files.where(JobItem.job_id.in_(ids))))
    session.execute(delete(Job).where(Job.id.in_(ids)))
    return rows, blob_ids


def delete_events(session: Session, before: datetime, limit: int) -> int:
    """Delete some of the audit trail."""
    return _delete_some(session, AuditEvent, AuditEvent.id, AuditEvent.at < before, limit)


def delete_sign_ins(session: Session, before: datetime, limit: int) -> int:
    """Delete some of the sign-ins that had expired or were ended before a time."""
    ended = or_(SignIn.expires_at < before, SignIn.revoked_at < before)
    return _delete_some(session, SignIn, SignIn.id, ended, limit)


def delete_api_tokens(session: Session, before: datetime, limit: int) -> int:
    """Delete some of the API tokens that had expired before a time."""
    return _delete_some(session, ApiToken, ApiToken.id, ApiToken.expires_at < before, limit)


def delete_kept_answers(session: Session, before: datetime, limit: int) -> int:
    """Delete some of the answers that are kept for those who ask again."""
    old = IdempotentRequest.created_at < before
    return _delete_some(session, IdempotentRequest, IdempotentRequest.id, old, limit)


def delete_login_failures(session: Session, before: datetime, limit: int) -> int:
    """Delete some of the counts of wrong passwords."""
    return _delete_some(session, LoginFailure, LoginFailure.key, LoginFailure.last_at < before, limit)


def delete_user(session: Session, user_id: str) -> bool:
    """Delete an account with all that is left of it; return whether there was one."""
    gone = session.execute(delete(User).where(User.id == user_id).returning(User.id))
    return gone.first() is not None


def find_unused_blobs(session: Session, before: datetime, limit: int) -> Sequence[str]:
    """Return the ids of some contents that nothing refers to and that were kept before a time."""
    unused = [~exists().where(table.blob_id == Blob.id) for table in (RecordingFile, JobFile, JobItemFile)]
    return session.scalars(select(Blob.id).where(Blob.created_at < before, *unused).limit(limit)).all()


def wipe_log(database: Database) -> None:
    """Have SQLite empty its write-ahead log, where deleted rows would linger; unless somebody reads just now."""
    if not database.is_sqlite:
        return
    with database.engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        before = raw.execute("PRAGMA busy_timeout").fetchone()[0]
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            raw.execute(f"PRAGMA busy_timeout = {before}")


def _delete_some(
    session: Session, table: type[Table], key: InstrumentedAttribute[str], old: ColumnElement[bool], limit: int
) -> int:
    chosen = select(key).where(old).limit(limit).with_for_update(skip_locked=True)
    return len(session.execute(delete(table).where(key.in_(chosen)).returning(key)).all())
