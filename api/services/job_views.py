"""Long work, as its owner and administrators see it: how far it is, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api import tables
from api.db import Database
from api.errors import not_found
from api.paging import read_cursor, write_cursor
from api.principal import Principal
from api.repositories import job_items, jobs
from api.schemas import FileError, Job, JobDetails, JobPage, OwnedJob, OwnedJobPage, Problem
from api.tables import now

_ERRORS_SHOWN = 100
_LEAST_SAMPLE, _SAMPLE = 5, 30
"""Recordings whose pace an estimate rests on."""
_OWNED = ("id", "owner_id", "kind", "status", "total", "done", "failed", "cancel_asked", "worker", "lease_until")


def find(session: Session, who: Principal, job_id: str) -> tables.Job:
    """Return an account's job."""
    job = jobs.find_job(session, who.user_id, job_id)
    if job is None:
        raise not_found("job", job_id)
    return job


def describe(job: tables.Job) -> Job:
    """Return a job as its owner sees it."""
    return Job(**_fields(job))


def show(database: Database, who: Principal, job_id: str) -> JobDetails:
    """Return an account's job with what went wrong, and an estimate of the time it still takes."""
    with database.read() as session:
        job = find(session, who, job_id)
        failed = job_items.list_failed(session, job_id, _ERRORS_SHOWN) if job.failed else []
        endings = job_items.last_endings(session, job_id, _SAMPLE) if job.status == "running" else []
    errors = [FileError(position=item.position, file=item.name, error=Problem(**(item.error or {}))) for item in failed]
    return JobDetails(**_fields(job), seconds_left=_seconds_left(job, endings), errors=errors)


def list_page(
    database: Database, who: Principal, cursor: str | None, limit: int, *, status: str | None, kind: str | None
) -> JobPage:
    """Return some of an account's jobs, the newest first."""
    rows, more = _page(database, who.user_id, cursor, limit, status=status, kind=kind)
    return JobPage(items=[describe(job) for job in rows], next_cursor=more)


def list_everybodys(
    database: Database,
    cursor: str | None,
    limit: int,
    *,
    status: str | None,
    kind: str | None,
    owner_id: str | None,
) -> OwnedJobPage:
    """Return some of all jobs, the newest first, without what they are about."""
    rows, more = _page(database, owner_id, cursor, limit, status=status, kind=kind)
    items = [
        OwnedJob(
            **{name: getattr(job, name) for name in (*_OWNED, "created_at", "started_at", "finished_at")},
            error_code=None if job.error is None else job.error["code"],
        )
        for job in rows
    ]
    return OwnedJobPage(items=items, next_cursor=more)


def _page(
    database: Database, owner_id: str | None, cursor: str | None, limit: int, **equal: str | None
) -> tuple[Sequence[tables.Job], str | None]:
    """Return some jobs, and the cursor of the next page."""
    after = None if cursor is None else read_cursor(cursor, datetime, str)
    with database.read() as session:
        rows = jobs.list_jobs(session, owner_id, after=after, limit=limit + 1, **equal)
    shown = rows[:limit]
    return shown, write_cursor(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None


def _fields(job: tables.Job) -> dict[str, Any]:
    return {name: getattr(job, name) for name in Job.model_fields}


def _seconds_left(job: tables.Job, endings: Sequence[datetime]) -> int | None:
    """Return an estimate from the pace of the last recordings; None where nobody works, or too few were done.

    Parameters
    ----------
    endings
        When the last recordings were done, the latest first; none for work that is not counted in recordings.
    """
    left = job.total - job.done - job.failed
    if job.lease_until is None or job.lease_until < now() or left <= 0 or len(endings) <= _LEAST_SAMPLE:
        return None
    pace_s = (endings[0] - endings[-1]).total_seconds() / (len(endings) - 1)
    return round(left * pace_s)
