"""Analyses of recordings that are kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from api.answers import json_answer
from api.deps import DatabaseOf, ReaderOf, RuntimeOf, WriterOf
from api.errors import describe_problems
from api.routes.fields import AnalysisId, ChosenOf, Cursor, Limit, RecordingId, split_parts
from api.schemas import AnalysisPage, SelectedParts, StoredAnalysis
from api.services import analyses
from api.services.analyses import Wanted

router = APIRouter(tags=["Analysis"])

Parts = Annotated[
    str | None,
    Query(max_length=300, description="Parts of the answer, separated by commas; all where left out."),
]
FormParts = Annotated[
    str | None,
    Form(max_length=300, description="Parts of the answer, separated by commas; all where left out."),
]


@router.post(
    "/recordings/{recording_id}/analyses",
    response_model=StoredAnalysis | SelectedParts,
    status_code=201,
    responses={
        200: {"model": StoredAnalysis | SelectedParts, "description": "It was made before, and is given again."},
        **describe_problems(400, 401, 403, 404, 413, 422, 429, 500, 503),
    },
)
def create_analysis(
    recording_id: RecordingId, who: WriterOf, runtime: RuntimeOf, choices: ChosenOf, parts: FormParts = None
) -> Response:
    """Analyse a recording that is kept: 201 where it had to be computed, 200 where just the same was before.

    What is noted of the person (`PATCH /recordings/{id}`) is taken into account.
    """
    chosen = split_parts(parts)
    wanted = Wanted(choices.models, choices.operating_point)
    answer, created = analyses.create(runtime, who, recording_id, wanted)
    return json_answer(answer, chosen, 201 if created else 200)


@router.get("/recordings/{recording_id}/analyses", responses=describe_problems(401, 403, 404, 422, 500))
def list_analyses(
    recording_id: RecordingId, who: ReaderOf, database: DatabaseOf, cursor: Cursor = None, limit: Limit = 50
) -> AnalysisPage:
    """List the analyses of a recording, the newest first."""
    return analyses.list_page(database, who, recording_id, cursor, limit)


@router.get(
    "/analyses/{analysis_id}",
    response_model=StoredAnalysis | SelectedParts,
    responses=describe_problems(401, 403, 404, 422, 500),
)
def show_analysis(analysis_id: AnalysisId, who: ReaderOf, database: DatabaseOf, parts: Parts = None) -> Response:
    """Give an analysis again, as it was made."""
    chosen = split_parts(parts)
    return json_answer(analyses.show(database, who, analysis_id), chosen)


@router.delete("/analyses/{analysis_id}", status_code=204, responses=describe_problems(401, 403, 404, 422, 500))
def delete_analysis(analysis_id: AnalysisId, who: WriterOf, database: DatabaseOf) -> None:
    """Delete an analysis; its recording stays."""
    analyses.delete(database, who, analysis_id)
