"""Batches: each item is read, analysed and kept, one after the other, and its end is committed with what came of it."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from threading import Event
from typing import Any

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from api import metrics, tables
from api.errors import Refusal
from api.jobs.lease import Lease, LeaseLost, Stopped
from api.jobs.steps import GAVE_UP, INTERNAL_ERROR, MOST_TRIES, begin, delete_files, describe, patiently
from api.jobs.unpacking import unpack
from api.principal import Principal
from api.repositories import analyses, job_items, jobs, recordings
from api.runtime import Runtime
from api.services.analyses import Stated, Wanted
from api.services.fingerprints import analysis_fingerprint, content_fingerprint
from api.services.keeping import NewAnalysis, keep_recording, retried
from api.services.warm_up import warm_up
from ecg_core.errors import EcgError
from ecg_core.pipeline import Analysis, analyze_group
from ecg_core.readers import Files, ReadOptions
from ecg_core.recording import Recording, Subject

logger = logging.getLogger(__name__)

SLICE_S = 5.0
"""How long a batch is worked while that of another account waits."""
LONG_S = 60.0
"""A recording longer than this is analysed on the job's own thread, so that nobody's request waits for it."""


def work_batch(runtime: Runtime, lease: Lease, stop: Event) -> None:
    """Work a batch to its end, or until it is another account's turn."""
    if lease.job.total == 0:
        if not begin(runtime, lease, "unpacking the files"):
            return
        unpack(runtime, lease, stop)
    # Not within an item, whose tries would count for it.
    warm_up()
    until = time.monotonic() + SLICE_S
    while (item := _begin_item(runtime, lease)) is not None:
        _work_item(runtime, lease, item, stop)
        if stop.is_set():
            raise Stopped
        if time.monotonic() > until:
            with runtime.database.read() as session:
                if jobs.do_others_wait(session, lease.job.kind, lease.job.owner_id):
                    return


def _begin_item(runtime: Runtime, lease: Lease) -> tables.JobItem | None:
    """Return the next item, whose try is counted; None where the batch is cancelled or done, which is then said."""
    keys: list[str] = []
    with runtime.database.write() as session:
        lease.hold(session)
        job = session.get_one(tables.Job, lease.job.id)
        item = None if job.cancel_asked else job_items.next_item(session, job.id)
        while item is not None and item.tries >= MOST_TRIES:
            keys += _end_item(session, lease, item, "failed", error=describe(GAVE_UP))
            metrics.JOB_ITEMS.labels("failed").inc()
            item = job_items.next_item(session, job.id)
        if item is None:
            keys += jobs.finish(session, job, "cancelled" if job.cancel_asked else "done")
        else:
            item.tries += 1
    delete_files(runtime, keys)
    return item


def _end_item(session: Session, lease: Lease, item: tables.JobItem, status: str, **changes: Any) -> list[str]:
    """End an item, and count it in its job; return the keys of files to delete."""
    counter = tables.Job.done if status == "done" else tables.Job.failed
    lease.hold(session, **{counter.key: counter + 1})
    keys = job_items.finish_item(session, item.id, status, **changes)
    if keys is None:
        raise LeaseLost(lease.job.id)
    return keys


def _work_item(runtime: Runtime, lease: Lease, item: tables.JobItem, stop: Event) -> None:
    """Do an item and write down what came of it."""
    began = time.perf_counter()
    outcome = "failed"
    try:
        retried(lambda: _analyse_item(runtime, lease, item, stop))
        outcome = "done"
    except (LeaseLost, Stopped, OperationalError, InterfaceError):
        # Not for anything in the recording: it stays to be done.
        raise
    except (EcgError, Refusal) as error:
        _fail_item(runtime, lease, item, error)
    except Exception:  # What nobody foresaw costs this recording and no other.
        logger.exception("item %s of job %s failed in a way it should not", item.id, lease.job.id)
        _fail_item(runtime, lease, item, INTERNAL_ERROR)
    metrics.JOB_ITEMS.labels(outcome).inc()
    metrics.JOB_ITEM_SECONDS.observe(time.perf_counter() - began)


def _fail_item(runtime: Runtime, lease: Lease, item: tables.JobItem, error: EcgError | Refusal) -> None:
    with runtime.database.write() as session:
        keys = _end_item(session, lease, item, "failed", error=describe(error))
    delete_files(runtime, keys)


def _analyse_item(runtime: Runtime, lease: Lease, item: tables.JobItem, stop: Event) -> None:
    """Read, analyse and keep a recording; what was done before is not done again."""
    asked, owner_id = lease.job.parameters, lease.job.owner_id
    options = {"fs": asked["fs"], "units": asked["units"]}
    models = None if asked["models"] is None else tuple(asked["models"])
    wanted = Wanted(models, asked["operating_point"])
    files = {file.name: runtime.store.get(file.blob.key) for file in item.files}
    content = content_fingerprint(files, options)
    recording = _read(runtime, lease, files, options, stop)
    with runtime.database.read() as session:
        known = recordings.find_same(session, owner_id, content)
    if known is not None:
        recording = replace(recording, subject=Subject(**known.subject))
    recording = Stated(asked["age"], asked["sex"], asked["facts"]).of(recording)
    fingerprint = analysis_fingerprint(content, recording.subject.to_dict(), models, wanted.operating_point)
    keys: list[str] = []

    def end(session: Session, row: tables.Recording, said: tables.Analysis | None) -> None:
        assert said is not None  # noqa: S101 - it is kept with one
        keys[:] = _end_item(session, lease, item, "done", recording_id=row.id, analysis_id=said.id)

    if known is not None:
        with runtime.database.read() as session:
            said = analyses.find_same(session, known.id, fingerprint)
        if said is not None:
            with runtime.database.write() as session:
                end(session, known, said)
            delete_files(runtime, keys)
            return
    result = _analyse(runtime, recording, wanted).to_dict()
    lease.check()
    keep_recording(
        runtime.database,
        runtime.store,
        Principal(owner_id, "", "user", frozenset()),
        files,
        content,
        recording,
        result["quality"],
        options,
        analysis=NewAnalysis(fingerprint, wanted.settings(), result),
        seems_new=known is None,
        also=end,
    )
    delete_files(runtime, keys)


def _read(runtime: Runtime, lease: Lease, files: Files, options: dict[str, Any], stop: Event) -> Recording:
    how = ReadOptions(**options, limits=runtime.settings.limits())
    return patiently(lambda: runtime.pool.read(files, how), lease, stop)


def _analyse(runtime: Runtime, recording: Recording, wanted: Wanted) -> Analysis:
    if recording.duration_s <= LONG_S:
        return runtime.inference.analyze(recording, wanted.models, wanted.operating_point)
    (found,) = analyze_group([recording], models=wanted.models, operating_point=wanted.operating_point)
    if isinstance(found, EcgError):
        raise found
    return found
