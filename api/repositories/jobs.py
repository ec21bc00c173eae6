"""Jobs: the rows that say what is to be done, who does it, and until when nobody else may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, undefer

from api.repositories import blobs
from api.tables import Job, JobFile, JobItem, JobItemFile, now

UNFINISHED = ("queued", "running")
_TAKEN_MEANWHILE = 10
"""Times that others may be quicker, before a worker leaves the jobs to them."""


def _waiting() -> ColumnElement[bool]:
    """Return the condition that a job is to be worked and nobody does."""
    return and_(Job.status.in_(UNFINISHED), or_(Job.lease_until.is_(None), Job.lease_until <= now()))


def add_job(session: Session, job: Job) -> None:
    """Add a job with its files."""
    session.add(job)
    session.flush()


def find_job(session: Session, owner_id: str, job_id: str) -> Job | None:
    """Return an account's job with this id."""
    return session.scalar(select(Job).where(Job.id == job_id, Job.owner_id == owner_id))


def list_files(session: Session, job_id: str) -> Sequence[JobFile]:
    """Return the files that a job was given."""
    return session.scalars(select(JobFile).where(JobFile.job_id == job_id).order_by(JobFile.position)).all()


def find_result(session: Session, job_id: str) -> dict[str, Any] | None:
    """Return what a job as a whole came to."""
    return session.scalars(select(Job).where(Job.id == job_id).options(undefer(Job.result))).one().result


def list_jobs(
    session: Session,
    owner_id: str | None,
    *,
    after: tuple[datetime, str] | None,
    limit: int,
    **equal: str | None,
) -> Sequence[Job]:
    """Return some jobs, the newest first, from the place ``after`` on.

    Parameters
    ----------
    owner_id
        Whose; everybody's where None.
    **equal
        Columns and what they are to hold; None for whatever they hold.
    """
    query = select(Job)
    if owner_id is not None:
        query = query.where(Job.owner_id == owner_id)
    if after is not None:
        query = query.where(tuple_(Job.created_at, Job.id) < tuple_(*after))
    query = query.where(*(getattr(Job, name) == value for name, value in equal.items() if value is not None))
    return session.scalars(query.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)).all()


def list_waiting(session: Session, limit: int) -> Sequence[str]:
    """Return the ids of jobs that are to be worked and that nobody works, the oldest first."""
    return session.scalars(select(Job.id).where(_waiting()).order_by(Job.created_at).limit(limit)).all()


def do_others_wait(session: Session, kind: str, owner_id: str) -> bool:
    """Return whether a job of this kind waits that is another account's."""
    query = select(Job.id).where(_waiting(), Job.kind == kind, Job.owner_id != owner_id).limit(1)
    return session.scalar(query) is not None


def claim_next(session: Session, kind: str, worker: str, lease_s: float) -> Job | None:
    """Take the job whose turn it is; None where none waits.

    It is the oldest of the account that was served the longest ago.
    """
    turn = select(Job.owner_id, func.max(Job.served_at).label("at")).group_by(Job.owner_id).subquery()
    query = (
        select(Job.id)
        .join(turn, turn.c.owner_id == Job.owner_id)
        .where(_waiting(), Job.kind == kind)
        .order_by(turn.c.at.asc().nulls_first(), Job.created_at, Job.id)
        .limit(1)
    )
    for _ in range(_TAKEN_MEANWHILE):
        job_id = session.scalar(query)
        if job_id is None:
            return None
        if take(session, job_id, worker, lease_s):
            return session.get_one(Job, job_id)
    return None


def take(session: Session, job_id: str, worker: str, lease_s: float) -> bool:
    """Take a job that waits; return whether it did."""
    values = {
        "status": "running",
        "worker": worker,
        "lease_until": _from_now(lease_s),
        "served_at": now(),
        "started_at": func.coalesce(Job.started_at, now()),
    }
    taken = session.execute(update(Job).where(Job.id == job_id, _waiting()).values(values).returning(Job.id))
    return taken.first() is not None


def renew(session: Session, job_id: str, worker: str, lease_s: float, **changes: Any) -> bool:
    """Hold a job longer, and change it; return False, having changed nothing, where it is no longer this worker's.

    Within a transaction this also keeps everybody else off the job until its end.
    """
    values = {"lease_until": _from_now(lease_s), **changes}
    held = (Job.id == job_id, Job.worker == worker, Job.status == "running")
    return session.execute(update(Job).where(*held).values(values).returning(Job.id)).first() is not None


def release(session: Session, job_id: str, worker: str, **changes: Any) -> None:
    """Let go of a job that is not finished, if it is this worker's."""
    values = {"worker": None, "lease_until": None, "served_at": now(), **changes}
    session.execute(update(Job).where(Job.id == job_id, Job.worker == worker).values(values))


def ask_to_cancel(session: Session, job_id: str) -> None:
    """Have whoever works a job cancel it."""
    session.execute(update(Job).where(Job.id == job_id, Job.status.in_(UNFINISHED)).values(cancel_asked=True))


def finish(session: Session, job: Job, status: str, *, keep_files: bool = False, **changes: Any) -> list[str]:
    """End a job; return the keys of the files that nobody needs any more, to be deleted once this is committed.

    Parameters
    ----------
    keep_files
        Whether its files stay until the job is deleted.
    """
    values = {"status": status, "finished_at": now(), "worker": None, "lease_until": None, "message": None, **changes}
    session.execute(
        update(JobItem).where(JobItem.job_id == job.id, JobItem.status == "waiting").values(status="cancelled")
    )
    session.execute(update(Job).where(Job.id == job.id).values(values))
    session.refresh(job)
    return [] if keep_files else drop_files(session, job.id)


def drop_files(session: Session, job_id: str, *, items: bool = True) -> list[str]:
    """Forget the files of a job; return the keys of those that nobody needs any more.

    Parameters
    ----------
    items
        Whether those of its items too.
    """
    gone = list(session.scalars(delete(JobFile).where(JobFile.job_id == job_id).returning(JobFile.blob_id)))
    if items:
        of_items = JobItemFile.item_id.in_(select(JobItem.id).where(JobItem.job_id == job_id))
        gone += session.scalars(delete(JobItemFile).where(of_items).returning(JobItemFile.blob_id))
    return blobs.drop_unused(session, gone)


def delete_job(session: Session, job: Job) -> list[str]:
    """Delete a job; return the keys of the files that nobody needs any more."""
    keys = drop_files(session, job.id)
    session.execute(delete(Job).where(Job.id == job.id))
    return keys


def _from_now(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
