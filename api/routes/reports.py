"""An analysis on paper, in a note, and in FHIR."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.routes.explanations import Method
from api.routes.fields import AnalysisId
from api.services import reports
from api.services.reports import Explained

router = APIRouter(tags=["Reports"])

Page = Annotated[Literal["a4", "letter"], Query(description="The sheet, on its long side.")]
Explain = Annotated[
    str,
    Query(
        min_length=1,
        max_length=80,
        description="Which answer of `heart12` is explained: `auto` (what is called and most worth it, where there is"
        " such an answer), `none`, or a label, as of `explanations`.",
        examples=["none"],
    ),
]
_PROBLEMS = describe_problems(401, 403, 404, 409, 413, 422, 429, 500, 503)


def _explained(explain: Explain = "auto", method: Method = None) -> Explained:
    return Explained(explain, method)


ExplainedOf = Annotated[Explained, Depends(_explained)]


def _file(media_type: str, what: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {}}, "description": what}}


@router.get(
    "/analyses/{analysis_id}/report.pdf",
    response_class=Response,
    responses=_file("application/pdf", "The report: one page, and one that explains.") | _PROBLEMS,
)
def get_report_pdf(
    analysis_id: AnalysisId, who: ReaderOf, runtime: RuntimeOf, explained: ExplainedOf, page: Page = "a4"
) -> Response:
    """Give the report on a page: person, tracing at true scale, measurements, findings, doubts, a place to sign.

    It is all lines and letters: printed at its full size, 25 mm are a second and 10 mm a millivolt, or as its footer
    says. The notes of the recording are on it. A second page shows what the answer that is explained rests on;
    `explain=none` leaves it out.
    """
    return Response(
        reports.as_pdf(runtime, who, analysis_id, page, explained),
        media_type="application/pdf",
        headers={"Content-Disposition": 'inline; filename="ecg-report.pdf"'},
    )


@router.get(
    "/analyses/{analysis_id}/report.txt",
    response_class=Response,
    responses=_file("text/plain", "The report, as a note.") | _PROBLEMS,
)
def get_report_text(analysis_id: AnalysisId, who: ReaderOf, runtime: RuntimeOf, explained: ExplainedOf) -> Response:
    """Give the report as plain text, for a patient record or a mail, with the explanation in a sentence."""
    return Response(reports.as_text(runtime, who, analysis_id, explained), media_type="text/plain; charset=utf-8")


@router.get(
    "/analyses/{analysis_id}/fhir",
    response_class=Response,
    responses=_file("application/fhir+json", "A Bundle of FHIR R4.") | _PROBLEMS,
)
def get_report_fhir(
    analysis_id: AnalysisId,
    who: ReaderOf,
    runtime: RuntimeOf,
    explained: ExplainedOf,
    pdf: Annotated[bool, Query(description="Whether the report as a PDF is attached.")] = True,
) -> Response:
    """Give the report in FHIR R4: a DiagnosticReport with its Observations, preliminary, and a link to the waveform."""
    content = reports.as_fhir(runtime, who, analysis_id, explained, with_pdf=pdf)
    return Response(content, media_type="application/fhir+json")
