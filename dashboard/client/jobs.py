"""Long work: batches of recordings, and whatever else is done as a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic, sleep
from typing import Literal

from api.schemas import Job, JobDetails, JobKind, JobPage, JobResult, JobStatus, OwnedJob, OwnedJobPage
from dashboard.client.forms import Facts, Files, form_of, parts_of, path_of
from dashboard.client.http import Download, Http

_FIRST_LOOK_S = 0.1
_LAST_LOOK_S = 2.0


class Jobs:
    """One's own jobs, and with the scope `admin` a list of everybody's."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create_batch(
        self,
        files: Files,
        *,
        fs: float | None = None,
        units: str | None = None,
        age: float | None = None,
        sex: Literal["female", "male"] | None = None,
        facts: Facts | None = None,
        models: Sequence[str] | None = None,
        operating_point: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Upload many recordings, single files or archives of them, to be analysed one after the other.

        Parameters
        ----------
        files
            ``{file name: content}``; opened files are read as they are sent.
        fs, units, age, sex, facts
            Of all recordings, as in `Client.predict`.
        models, operating_point
            As in `Client.predict`.
        idempotency_key
            A name for this request, under which it can be sent again safely; one of its own where None.
        """
        form = form_of(facts, fs=fs, units=units, age=age, sex=sex, models=models, operating_point=operating_point)
        once = self._http.name_once(idempotency_key)
        return self._http.call(Job, "POST", "/batches", data=form, files=parts_of(files), headers=once)

    def list(self, *, status: JobStatus | None = None, kind: JobKind | None = None) -> Iterator[Job]:
        """Go through one's jobs, the newest first."""
        return self._http.pages(JobPage, "/jobs", {"status": status, "kind": kind})

    def list_all(
        self, *, status: JobStatus | None = None, kind: JobKind | None = None, owner_id: str | None = None
    ) -> Iterator[OwnedJob]:
        """Go through the jobs of all accounts, without what they are about, as an administrator."""
        return self._http.pages(OwnedJobPage, "/admin/jobs", {"status": status, "kind": kind, "owner_id": owner_id})

    def get(self, job_id: str) -> JobDetails:
        """Say how far a job is, what it is doing, and what went wrong."""
        return self._http.call(JobDetails, "GET", path_of("jobs", job_id))

    def wait(
        self,
        job_id: str,
        *,
        timeout_s: float | None = None,
        progress: Callable[[JobDetails], object] | None = None,
    ) -> JobDetails:
        """Return a job once it has ended, however it did.

        Parameters
        ----------
        timeout_s
            Seconds to wait at most; as long as it takes where None.
        progress
            Called each time that the job was looked at.

        Raises
        ------
        TimeoutError
            It goes on; the job itself is not touched.
        """
        until = None if timeout_s is None else monotonic() + timeout_s
        pause_s = _FIRST_LOOK_S
        while True:
            job = self.get(job_id)
            if progress is not None:
                progress(job)
            if job.status not in ("queued", "running"):
                return job
            if until is not None and monotonic() + pause_s > until:
                tried = f"{job.done + job.failed} of {job.total}"
                raise TimeoutError(f"job {job_id} is {job.status} after {timeout_s:g} s, {tried} tried")
            sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LAST_LOOK_S)

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job that goes on; or delete one that has ended, with its list of results, and return None."""
        response = self._http.send("DELETE", path_of("jobs", job_id))
        return None if response.status_code == 204 else self._http.parse(Job, response)

    def results(self, job_id: str) -> Iterator[JobResult]:
        """Go through what came of a batch so far, a recording or a file that is none at a time."""
        for line in self._http.lines(path_of("jobs", job_id, "results"), params={"format": "jsonl"}):
            yield JobResult.model_validate_json(line)

    def csv(self, job_id: str) -> Download:
        """Get what came of a batch so far as a table, as `ecg analyze` writes it."""
        return self._http.download(path_of("jobs", job_id, "results"), params={"format": "csv"})
