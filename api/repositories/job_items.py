"""The items of batches: one recording each, or one file that is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, selectinload, undefer

from api.repositories import blobs
from api.tables import Analysis, JobItem, JobItemFile, now


def add_items(session: Session, items: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]]) -> None:
    """Add the items of a job, and their files, as values of their columns."""
    session.execute(insert(JobItem), items)
    if files:
        session.execute(insert(JobItemFile), files)


def next_item(session: Session, job_id: str) -> JobItem | None:
    """Return the first item that waits, with its files."""
    query = select(JobItem).where(JobItem.job_id == job_id, JobItem.status == "waiting").order_by(JobItem.position)
    return session.scalar(query.options(selectinload(JobItem.files)).limit(1))


def finish_item(session: Session, item_id: str, status: str, **changes: Any) -> list[str] | None:
    """End an item that waits; return the keys of the files that nobody needs any more, None where it does not wait."""
    values = {"status": status, "finished_at": now(), **changes}
    waits = (JobItem.id == item_id, JobItem.status == "waiting")
    if session.execute(update(JobItem).where(*waits).values(values).returning(JobItem.id)).first() is None:
        return None
    gone = session.scalars(
        delete(JobItemFile).where(JobItemFile.item_id == item_id).returning(JobItemFile.blob_id)
    ).all()
    return blobs.drop_unused(session, gone)


def list_failed(session: Session, job_id: str, limit: int) -> Sequence[JobItem]:
    """Return the first items that failed."""
    query = select(JobItem).where(JobItem.job_id == job_id, JobItem.status == "failed")
    return session.scalars(query.order_by(JobItem.position).limit(limit)).all()


def list_ended(session: Session, job_id: str, after: int, limit: int) -> Sequence[tuple[JobItem, Analysis | None]]:
    """Return some of the items that wait no longer, in order, from the place ``after`` on, each with its analysis."""
    query = (
        select(JobItem, Analysis)
        .outerjoin(Analysis, Analysis.id == JobItem.analysis_id)
        .where(JobItem.job_id == job_id, JobItem.status != "waiting", JobItem.position > after)
        .options(undefer(Analysis.result))
        .order_by(JobItem.position)
        .limit(limit)
    )
    return [(item, analysis) for item, analysis in session.execute(query)]


def last_endings(session: Session, job_id: str, limit: int) -> Sequence[datetime]:
    """Return when the last of the items that were begun ended, the latest first."""
    query = select(JobItem.finished_at).where(JobItem.job_id == job_id, JobItem.finished_at.is_not(None))
    query = query.where(JobItem.tries > 0)
    return [at for at in session.scalars(query.order_by(JobItem.finished_at.desc()).limit(limit)) if at is not None]
