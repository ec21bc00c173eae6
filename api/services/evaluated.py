"""The recordings that an evaluation was made on, to be looked at: read again from the set, or from what was sent."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from api.errors import Refusal, not_found
from api.principal import Principal
from api.repositories import audit, jobs
from api.runtime import Runtime
from api.services.evaluation_requests import LABELS
from api.services.job_views import find
from api.services.windows import Window, WindowChoice, cut_window
from api.tables import Job
from ecg_core.datasets import DATASETS
from ecg_core.readers import ReadOptions
from ecg_core.recording import Recording


def cut_record(runtime: Runtime, who: Principal, job_id: str, name: str, wanted: WindowChoice) -> Window:
    """Return a window of a recording that an evaluation's report names, and note that it was read.

    It ends with the recording, where more is asked for: the report does not say how long that is.

    Raises
    ------
    Refusal
        404 `not_found`: no such job, or no such recording in it; 409 `no_results`: the job is no evaluation that is
        done; 413 `signal_too_large`.
    InvalidValue
        The window names what is not there.
    """
    with runtime.database.write() as session:
        job = find(session, who, job_id)
        audit.note(session, who, "read", "job", job_id)
        sent = {file.name: file.blob.key for file in jobs.list_files(session, job_id) if file.name != LABELS}
    if job.kind != "evaluation" or job.status != "done":
        what = f"a {job.kind} that is {job.status}"
        raise Refusal(409, "no_results", f"no recording to be shown: this is {what}", field="job", found=job.status)
    data = job.parameters["data"]
    recording = _read_sent(runtime, job, sent, name) if data is None else _read_set(data, name)
    if wanted.end_s is not None:
        wanted = replace(wanted, end_s=min(wanted.end_s, recording.duration_s))
    return cut_window(recording, wanted, runtime.settings.signal_max_values)


def _read_set(data: str, name: str) -> Recording:
    dataset = DATASETS[data]
    is_here = dataset.in_memory or dataset.find() is not None
    entry = next((entry for entry in dataset.listing() if entry.name == name), None) if is_here else None
    if entry is None:
        raise not_found("recording", name)
    return entry.load()


def _read_sent(runtime: Runtime, job: Job, sent: dict[str, str], name: str) -> Recording:
    options = ReadOptions(fs=job.parameters["fs"], units=job.parameters["units"], limits=runtime.settings.limits())
    files = {label: runtime.store.get(key) for label, key in sent.items()}
    if not files:
        raise not_found("recording", name)
    # To its end before it is read: it holds one of the reading processes, and there may be no other.
    with closing(runtime.pool.unpack(files, options)) as found:  # type: ignore[type-var]
        item = next((item for item in found if item.name == name and item.error is None), None)
    if item is None:
        raise not_found("recording", name)
    return runtime.pool.read(item.files, options)
