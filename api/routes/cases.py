"""Demo cases, ready to analyse: ECGs of our own making whose truth is known."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.deps import ReaderOf, SettingsOf
from api.errors import describe_problems
from api.routes.conditional import NOT_MODIFIED, answer_unless_known
from api.routes.window_fields import Form
from api.schemas import CaseDetails, CaseList
from api.services import cases
from api.services.downloads import OCTETS

router = APIRouter(prefix="/cases", tags=["Cases"])

Name = Annotated[str, Path(description="As `GET /cases` lists it.", examples=["atrial_fibrillation"])]
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, to be uploaded to `POST /predict` or opened elsewhere.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in (OCTETS, "text/csv", "application/xml", "application/zip", "application/dicom")
        },
    }
}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/svg+xml": {"schema": {"type": "string"}}}}
}


@router.get("", responses=describe_problems(401, 403, 500))
def list_cases(_who: ReaderOf) -> CaseList:
    """List the demo cases: a normal ECG, infarctions, atrial fibrillation, blocks, hypertrophy, poor quality, ...

    Each can be analysed by `POST /predict` with the form field `case`, without a file. All are made by this software
    and are of nobody.
    """
    return cases.list_cases()


@router.get("/{name}", responses=describe_problems(401, 403, 404, 422, 500))
def show_case(_who: ReaderOf, name: Name) -> CaseDetails:
    """Show a demo case with what was planted in it: rhythm, shape, intervals, axes, noise, exchanged electrodes.

    An unknown name is answered with 404 and `options`.
    """
    return cases.describe_case(name)


@router.get(
    "/{name}/file",
    response_class=Response,
    responses={**_DOWNLOAD, **NOT_MODIFIED, **describe_problems(401, 403, 404, 422, 500)},
)
def download_case(_who: ReaderOf, request: Request, name: Name, form: Form = "edf") -> Response:
    """Download the recording of a demo case in any format that can be written."""
    file = cases.write_case(name, form)
    return answer_unless_known(request, file.content, file.media_type, file.headers)


@router.get(
    "/{name}/plot.svg",
    response_class=Response,
    responses={**_PICTURE, **NOT_MODIFIED, **describe_problems(401, 403, 404, 422, 500)},
)
def plot_case(_who: ReaderOf, request: Request, settings: SettingsOf, name: Name) -> Response:
    """Draw a demo case on ECG paper, at 25 mm/s and 10 mm/mV, as an SVG whose unit is the millimetre."""
    picture = cases.draw_case(name, settings.signal_max_values)
    return answer_unless_known(request, picture, "image/svg+xml")
