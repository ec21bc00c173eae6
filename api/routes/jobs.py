"""Long work: watched, cancelled, and what came of it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic_core import to_json

from api.deps import AdminOf, DatabaseOf, ReaderOf, RuntimeOf, WriterOf
from api.errors import describe_problems
from api.routes.fields import Cursor, Limit
from api.routes.guarded import ID
from api.routes.window_fields import End, Leads, Start, split
from api.schemas import (
    EvaluationReport,
    Job,
    JobDetails,
    JobKind,
    JobPage,
    JobResult,
    JobStatus,
    OwnedJobPage,
    SignalWindow,
)
from api.services import evaluated, job_results, job_views, jobs, windows

router = APIRouter(tags=["Jobs"])

JobId = Annotated[str, Path(max_length=36, pattern=ID, description="Of one of your jobs.")]
Status = Annotated[JobStatus | None, Query(description="Only jobs of this status.")]
Kind = Annotated[JobKind | None, Query(description="Only jobs of this kind.")]
Form = Annotated[
    Literal["jsonl", "csv"] | None,
    Query(
        alias="format", description="Of a batch: `jsonl` (also where left out) or `csv`, as `ecg analyze` writes it."
    ),
]
Record = Annotated[
    str,
    Query(
        max_length=1000,
        pattern=r"^[^\x00]*$",
        description="As `lost` of the report names it.",
        examples=["records.zip/100.hea"],
    ),
]
Owner = Annotated[str | None, Query(max_length=36, pattern=ID, description="Only jobs of this account.")]


@router.get("/jobs", responses=describe_problems(401, 403, 422, 500))
def list_jobs(
    who: ReaderOf,
    database: DatabaseOf,
    status: Status = None,
    kind: Kind = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> JobPage:
    """List your jobs, the newest first."""
    return job_views.list_page(database, who, cursor, limit, status=status, kind=kind)


@router.get("/jobs/{job_id}", responses=describe_problems(401, 403, 404, 422, 500))
def show_job(job_id: JobId, who: ReaderOf, database: DatabaseOf) -> JobDetails:
    """Say how far a job is: counts, what it is doing, an estimate of the time it still takes, errors file by file.

    A job is as safe as the database: where its process ends, it is taken up again, and at most the recording at hand
    is analysed anew. One that ends its process three times is given up (`gave_up`).
    """
    return job_views.show(database, who, job_id)


@router.delete(
    "/jobs/{job_id}",
    status_code=202,
    response_model=Job,
    responses={
        202: {"description": "It is being cancelled."},
        204: {"description": "It was finished, and is deleted."},
        **describe_problems(401, 403, 404, 422, 500),
    },
)
def delete_job(job_id: JobId, who: WriterOf, runtime: RuntimeOf) -> Response:
    """Cancel a job that is not finished (202), or delete one that is (204).

    Cancelling takes effect after the recording at hand; what was analysed stays among the results. Deleting a job
    deletes its list of results: the recordings and their analyses stay, each to be deleted by itself.
    """
    job = jobs.cancel_or_delete(runtime, who, job_id)
    if job is None:
        return Response(status_code=204)
    return Response(job.model_dump_json(), 202, media_type="application/json")


@router.get(
    "/jobs/{job_id}/results",
    response_class=StreamingResponse,
    responses={
        200: {
            "model": JobResult | EvaluationReport,
            "description": "A batch: a line each of JSON, or of CSV. An evaluation: its report, as JSON.",
            "content": {
                "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/JobResult"}},
                "text/csv": {"schema": {"type": "string"}},
                "application/json": {},
            },
        },
        **describe_problems(401, 403, 404, 409, 422, 500),
    },
)
def show_job_results(job_id: JobId, who: ReaderOf, runtime: RuntimeOf, form: Form = None) -> StreamingResponse:
    """Give what came of a job.

    Of a batch, a line for each recording, and for each file that is none, with its analysis or its error; while it
    runs, those that are done with. With `format=csv`, the columns of `ecg analyze -o results.csv`. Files that are no
    archives come first, then each archive, in order of name within.

    Of an evaluation, its report, once it is done; until then 409 `no_results`.
    """
    found = job_results.results(runtime, who, job_id, form)
    name = f"job-{job_id}.{found.ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(found.parts, media_type=found.media_type, headers=headers)


@router.get(
    "/jobs/{job_id}/signal",
    response_model=SignalWindow,
    responses=describe_problems(401, 403, 404, 409, 413, 422, 500, 503),
)
def get_job_signal(
    job_id: JobId,
    who: ReaderOf,
    runtime: RuntimeOf,
    record: Record,
    leads: Leads = None,
    start_s: Start = 0.0,
    end_s: End = None,
) -> Response:
    """Get the samples of a recording that an evaluation was made on, to see where it lost points.

    Of an installed set any recording; of an upload those of an evaluation that lost points somewhere, whose files stay
    until the job is deleted. They are no recordings of yours otherwise. A window that reaches beyond the end of the
    recording ends there.
    """
    window = evaluated.cut_record(runtime, who, job_id, record, windows.WindowChoice(split(leads), start_s, end_s))
    return Response(to_json(windows.as_answer(window)), media_type="application/json")


@router.get("/admin/jobs", tags=["Administration"], responses=describe_problems(401, 403, 422, 500))
def list_all_jobs(
    _who: AdminOf,
    database: DatabaseOf,
    status: Status = None,
    kind: Kind = None,
    owner_id: Owner = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> OwnedJobPage:
    """List the jobs of all accounts, the newest first, without what they are about. For administrators."""
    return job_views.list_everybodys(database, cursor, limit, status=status, kind=kind, owner_id=owner_id)
