"""An analysis on paper, in a note, and in FHIR."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.routes.fields import AnalysisId
from api.services import reports

router = APIRouter(tags=["Reports"])

Page = Annotated[Literal["a4", "letter"], Query(description="The sheet, on its long side.")]


def _file(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}, "description": what}}


@router.get(
    "/analyses/{analysis_id}/report.pdf",
    response_class=Response,
    responses=_file("application/pdf", "The report, on one page.") | describe_problems(401, 403, 404, 422, 500, 503),
)
def get_report_pdf(analysis_id: AnalysisId, who: ReaderOf, runtime: RuntimeOf, page: Page = "a4") -> Response:
    """Give the report on a page: person, tracing at true scale, measurements, findings, doubts, a place to sign.

    It is all lines and letters: printed at its full size, 25 mm are a second and 10 mm a millivolt, or as its footer
    says. The notes of the recording are on it.
    """
    return Response(
        reports.as_pdf(runtime, who, analysis_id, page),
        media_type="application/pdf",
        headers={"Content-Disposition": 'inline; filename="ecg-report.pdf"'},
    )


@router.get(
    "/analyses/{analysis_id}/report.txt",
    response_class=Response,
    responses=_file("text/plain", "The report, as a note.") | describe_problems(401, 403, 404, 422, 500),
)
def get_report_text(analysis_id: AnalysisId, who: ReaderOf, runtime: RuntimeOf) -> Response:
    """Give the report as plain text, for a patient record or a mail."""
    return Response(reports.as_text(runtime, who, analysis_id), media_type="text/plain; charset=utf-8")


@router.get(
    "/analyses/{analysis_id}/fhir",
    response_class=Response,
    responses=_file("application/fhir+json", "A Bundle of FHIR R4.") | describe_problems(401, 403, 404, 422, 500, 503),
)
def get_report_fhir(
    analysis_id: AnalysisId,
    who: ReaderOf,
    runtime: RuntimeOf,
    pdf: Annotated[bool, Query(description="Whether the report on a page is attached.")] = True,
) -> Response:
    """Give the report in FHIR R4: a DiagnosticReport with its Observations, preliminary, and a link to the waveform."""
    return Response(reports.as_fhir(runtime, who, analysis_id, with_pdf=pdf), media_type="application/fhir+json")
