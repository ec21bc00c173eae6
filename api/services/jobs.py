"""Long work: taken in, cancelled, deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from os import SEEK_END
from typing import Any

from api import tables
from api.principal import Principal
from api.repositories import audit, blobs, jobs
from api.runtime import Runtime
from api.schemas import Job
from api.services import idempotency
from api.services.analyses import Stated, Wanted
from api.services.job_views import describe, find
from api.services.keeping import retried, stage
from api.services.uploads import Upload, path_of
from ecg_core.errors import InvalidValue, LimitExceeded


def create_batch(
    runtime: Runtime,
    who: Principal,
    uploads: Sequence[Upload],
    *,
    fs: float | None,
    units: str | None,
    stated: Stated,
    wanted: Wanted,
) -> Job:
    """Take the files of a batch into the store, one after the other, and have them analysed. Blocks."""
    most = runtime.settings.max_batch_files
    if len(uploads) > most:
        raise LimitExceeded("too many files", field="files", found=len(uploads), expected=f"at most {most}")
    names = [path_of(upload.name) for upload in uploads]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValue("two files have the same name", field="files", found=twice, expected="each name once")
    for name, upload in zip(names, uploads, strict=True):
        size, most = upload.content.seek(0, SEEK_END), runtime.settings.read_total_bytes
        upload.content.seek(0)
        if size > most:
            raise LimitExceeded("the file is too large", file=name, found=f"{size} bytes", expected=f"at most {most}")
    parameters = {
        "fs": fs,
        "units": units,
        "age": stated.age,
        "sex": stated.sex,
        "facts": dict(stated.facts or {}),
        **wanted.settings(),
    }

    def contents() -> Iterator[tuple[str, bytes]]:
        for name, upload in zip(names, uploads, strict=True):
            upload.content.seek(0)
            yield name, upload.content.read()

    return _create(runtime, who, "batch", parameters, contents)


def create_job(
    runtime: Runtime, who: Principal, kind: str, parameters: Mapping[str, Any], files: Mapping[str, bytes]
) -> Job:
    """Have some long work done.

    Parameters
    ----------
    kind
        One of `api.jobs.tasks.KINDS`.
    parameters
        JSON-ready, as that kind takes them.
    files
        What it needs, by label; deleted when the work is finished, or with the job.
    """
    return _create(runtime, who, kind, parameters, files.items)


def _create(
    runtime: Runtime,
    who: Principal,
    kind: str,
    parameters: Mapping[str, Any],
    files: Callable[[], Iterable[tuple[str, bytes]]],
) -> Job:
    def attempt() -> tables.Job:
        staged: dict[str, tables.Blob] = {}
        placed: list[tuple[str, str]] = []
        for name, content in files():
            # One at a time: together they may be more than there is memory.
            digest = sha256(content).hexdigest()
            if digest not in staged:
                staged |= stage(runtime.store, runtime.database, [content])
            placed.append((name, digest))
        with runtime.database.write() as session:
            held = blobs.add_blobs(session, staged)
            job = tables.Job(
                owner_id=who.user_id,
                kind=kind,
                parameters=dict(parameters),
                message="waiting for its turn",
                files=[
                    tables.JobFile(position=at, name=name, blob=held[digest])
                    for at, (name, digest) in enumerate(placed)
                ],
            )
            jobs.add_job(session, job)
            audit.note(session, who, "created", "job", job.id)
        return job

    job = retried(attempt)
    runtime.queue.put(job.id)
    return describe(job)


def cancel_or_delete(runtime: Runtime, who: Principal, job_id: str) -> Job | None:
    """Cancel a job that is not finished, and return it; delete one that is. Its recordings stay."""
    keys: list[str] = []
    with runtime.database.write() as session:
        job = find(session, who, job_id)
        if is_finished := job.status not in jobs.UNFINISHED:
            keys = jobs.delete_job(session, job)
            idempotency.forget(session, who.user_id, job_id)
        else:
            jobs.ask_to_cancel(session, job_id)
            # Where nobody works on it, nobody else would notice.
            if jobs.take(session, job_id, tables.new_id(), runtime.settings.job_lease_s):
                keys = jobs.finish(session, job, "cancelled")
            session.refresh(job)
        audit.note(session, who, "deleted" if is_finished else "cancelled", "job", job_id)
    for key in keys:
        runtime.store.delete(key)
    return None if is_finished else describe(job)
