"""How many jobs there are."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.tables import Job


def count_jobs(session: Session) -> dict[str, int]:
    """Return the number of all accounts' jobs by their status."""
    rows = session.execute(select(Job.status, func.count()).group_by(Job.status))
    return {row[0]: row[1] for row in rows}
