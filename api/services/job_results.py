"""What came of a job, as a stream: a line for each item that is done with, while others wait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import to_json

from api import tables
from api.errors import Refusal
from api.principal import Principal
from api.repositories import audit, job_items, jobs
from api.runtime import Runtime
from api.schemas import NOTICE
from api.services.job_views import find
from ecg_core.errors import InvalidValue
from ecg_core.predictors import Identity
from ecg_core.report.rows import COLUMNS, csv_line, describe_settings, row_of

_AT_ONCE = 20
"""Items of which the analyses are in memory at a time."""

Item = tuple[tables.JobItem, tables.Analysis | None]


@dataclass(frozen=True)
class Results:
    """What is answered: its media type, the ending of a file of it, and its parts."""

    media_type: str
    ending: str
    parts: Iterator[bytes]


def results(runtime: Runtime, who: Principal, job_id: str, form: Literal["jsonl", "csv"] | None) -> Results:
    """Return what came of an account's job so far, and note that it was read."""
    with runtime.database.write() as session:
        job = find(session, who, job_id)
        audit.note(session, who, "read", "job", job_id)
    if job.kind == "batch":
        if form == "csv":
            return Results("text/csv; charset=utf-8", "csv", _csv(runtime, job))
        return Results("application/x-ndjson", "jsonl", _lines(runtime, job))
    if form is not None:
        raise InvalidValue("only batches have a line an item", field="format", found=form, expected="none")
    if job.status != "done":
        raise Refusal(409, "no_results", f"this job has no results: it is {job.status}", field="job", found=job.status)
    with runtime.database.read() as session:
        report = jobs.find_result(session, job_id)
    return Results("application/json", "json", iter([to_json(report)]))


def _lines(runtime: Runtime, job: tables.Job) -> Iterator[bytes]:
    return (to_json(_line(item, said)) + b"\n" for item, said in _ended(runtime, job))


def _csv(runtime: Runtime, job: tables.Job) -> Iterator[bytes]:
    yield csv_line(COLUMNS).encode()
    for item, said in _ended(runtime, job):
        row = _row(item, said, job.parameters)
        yield csv_line(row.get(name) for name in COLUMNS).encode()


def _ended(runtime: Runtime, job: tables.Job) -> Iterator[Item]:
    """Yield the items that wait no longer, in order; no transaction is held while they are sent."""
    place = -1
    while True:
        with runtime.database.read() as session:
            found = job_items.list_ended(session, job.id, place, _AT_ONCE)
        yield from found
        if len(found) < _AT_ONCE:
            return
        place = found[-1][0].position


def _line(item: tables.JobItem, said: tables.Analysis | None) -> dict[str, Any]:
    analysis = said and {
        **said.result,
        "id": said.id,
        "recording_id": said.recording_id,
        "created_at": said.created_at,
        "notice": NOTICE,
    }
    return {
        "position": item.position,
        "file": item.name,
        "status": item.status,
        "error": item.error,
        "recording_id": item.recording_id,
        "analysis": analysis,
    }


def _row(item: tables.JobItem, said: tables.Analysis | None, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of one row, as `ecg analyze` writes them."""
    row: dict[str, Any] = {"file": item.name, "recording": item.name.rpartition("/")[2]}
    if item.error is not None:
        return row | {"error": item.error["code"], "error_text": _sentence(item.error)}
    if said is None:
        what = "cancelled" if item.status == "cancelled" else "deleted"
        return row | {"error": what, "error_text": f"{item.name}: {what}"}
    return row | row_of(said.result) | {"settings": _settings(said.result, asked)}


def _sentence(problem: Mapping[str, Any]) -> str:
    parts = [str(problem["detail"])]
    parts += [f"{name}: {problem[name]}" for name in ("found", "expected") if problem.get(name)]
    if problem.get("options"):
        parts.append(f"options: {', '.join(problem['options'])}")
    return "; ".join(parts)


def _settings(said: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    made = said["provenance"]
    models = [Identity(name, model["version"], model["sha256"]) for name, model in said["predictions"].items()]
    stated = {"age": asked["age"], "sex": asked["sex"], **asked["facts"]}
    return describe_settings(made["software"]["version"], made["settings"]["operating_point"], models, stated)
