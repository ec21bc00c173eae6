"""Jobs that tests send and work by themselves, step by step."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from api.jobs.tasks import Work
from api.principal import Principal
from api.runtime import Runtime
from api.services import jobs
from api.services.analyses import Stated, Wanted
from api.services.uploads import Upload
from api.tables import Job, JobItem
from ecg_core.synthesis import synthesize
from tests.service import files_of


class Killed(BaseException):
    """Stands for the end of the process: nothing in the house catches it."""


class Workshop:
    """A database with jobs, and whoever works them when told to."""

    def __init__(self, runtime: Runtime, ada: str, bob: str) -> None:
        self.runtime = runtime
        self.ada, self.bob = (Principal(user_id, "", "user", frozenset(("read", "write"))) for user_id in (ada, bob))

    def send(self, files: Mapping[str, bytes], who: Principal | None = None, **stated: Any) -> str:
        """Send a batch; return the id of its job."""
        uploads = [Upload(name, io.BytesIO(content)) for name, content in files.items()]
        job = jobs.create_batch(
            self.runtime, who or self.ada, uploads, fs=None, units=None, stated=Stated(**stated), wanted=Wanted()
        )
        return job.id

    def work(self) -> Work:
        """Work until nothing waits."""
        work = Work(self.runtime)
        work("")
        return work

    def work_until_killed(self) -> None:
        """Work until the process ends, and let its lease run out."""
        try:
            self.work()
        except Killed:
            self.forget_leases()
            return
        raise AssertionError("nothing ended it")

    def forget_leases(self) -> None:
        """Have the time pass that whoever holds a job has for it."""
        with self.runtime.database.write() as session:
            session.execute(update(Job).where(Job.lease_until.is_not(None)).values(lease_until=Job.created_at))

    def job(self, job_id: str) -> Job:
        """Return the row of a job."""
        with self.runtime.database.read() as session:
            return session.get_one(Job, job_id)

    def items(self, job_id: str) -> list[JobItem]:
        """Return the rows of its items, in order."""
        with self.runtime.database.read() as session:
            query = select(JobItem).where(JobItem.job_id == job_id).order_by(JobItem.position)
            return list(session.scalars(query))


def small(seed: int, form: str = "csv", stem: str = "ecg") -> dict[str, bytes]:
    """Return the files of a recording that is quickly read and analysed."""
    return files_of(synthesize(duration_s=5.0, fs=250.0, leads=("II",), seed=seed).recording, form, stem)


def several(count: int, first: int = 0) -> dict[str, bytes]:
    """Return so many recordings, no two of them the same."""
    return {name: content for at in range(first, first + count) for name, content in small(at, stem=f"r{at}").items()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
