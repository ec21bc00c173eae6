"""The figures of this process, and of the jobs that all processes share."""

from __future__ import annotations

from prometheus_client import generate_latest

from api.db import Database
from api.metrics import JOBS, REGISTRY
from api.repositories.job_counts import count_jobs

_STATUSES = ("queued", "running", "done", "failed", "cancelled")


def gather(database: Database) -> bytes:
    """Return everything in Prometheus' text format. Blocks."""
    with database.read() as session:
        counts = count_jobs(session)
    for status in _STATUSES:
        JOBS.labels(status).set(counts.get(status, 0))
    return generate_latest(REGISTRY)
