"""The models that are installed, with their cards and what was measured of them."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Query, Request, Response

from api.deps import ReaderOf
from api.errors import describe_problems
from api.routes.conditional import NOT_MODIFIED, answer_unless_known
from api.schemas import ModelDetails, ModelList, ModelPart
from api.services import model_catalog

router = APIRouter(prefix="/models", tags=["Models"])

Name = Annotated[str, Path(description="As `GET /models` lists it.", examples=["heart12"])]
Version = Annotated[str, Path(description="One of its installed versions.", examples=["1.0.0"])]
Search = Annotated[
    str | None,
    Query(max_length=200, description="What its name, title, description, task or labels hold.", examples=["AFIB"]),
]
Task = Annotated[str | None, Query(max_length=200, description="The task of its manifest.", examples=["rhythm"])]
Answers = Annotated[bool | None, Query(description="Whether it can be asked, as `models` of `POST /predict`.")]
Parts = Annotated[
    str | None,
    Query(
        max_length=200,
        description=f"Which of `{'`, `'.join(get_args(ModelPart))}` the answer carries, separated by commas; the others"
        " are null. All where left out: of `heart12` about 250 KB.",
        examples=["card,metrics"],
    ),
]
View = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Which of the model's `views` (ways to read a recording, by the leads it has) the thresholds are"
        " of; the fullest where left out.",
        examples=["limb"],
    ),
]
_PROBLEMS = describe_problems(401, 403, 404, 422, 500) | NOT_MODIFIED


def _file(media_type: str, kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": kind}}}, "description": "The file as it is."}}


@router.get("", response_model=ModelList, responses=describe_problems(401, 403, 422, 500) | NOT_MODIFIED)
def list_models(
    _who: ReaderOf, request: Request, search: Search = None, task: Task = None, answers: Answers = None
) -> Response:
    """List the installed models: those that came with Einthoven and those that were added.

    `answers` says which can be asked by name in `POST /predict`; the others are parts of every analysis. An analysis
    names the version and the `sha256` of each model that it used.
    """
    found = model_catalog.describe_models(search, task, answers)
    return answer_unless_known(request, found.model_dump_json().encode())


@router.get("/{name}", response_model=ModelDetails, responses=_PROBLEMS)
def show_latest_model(_who: ReaderOf, request: Request, name: Name, parts: Parts = None, view: View = None) -> Response:
    """Show a model in its highest version. An unknown name is answered with 404 and `options`."""
    found = model_catalog.describe_model(name, None, parts, view)
    return answer_unless_known(request, found.model_dump_json().encode())


@router.get("/{name}/{version}", response_model=ModelDetails, responses=_PROBLEMS)
def show_model(
    _who: ReaderOf, request: Request, name: Name, version: Version, parts: Parts = None, view: View = None
) -> Response:
    """Show a model: what it reads and tells apart, its card, metrics, thresholds and curves.

    A part that the model does not have is null, and `reasons` says why. The files are compared with their checksums
    first. With the `ETag` of an earlier answer in `If-None-Match`, one that has not changed is answered with 304.
    """
    found = model_catalog.describe_model(name, version, parts, view)
    return answer_unless_known(request, found.model_dump_json().encode())


@router.get("/{name}/{version}/card", response_class=Response, responses=_file("text/markdown", "string") | _PROBLEMS)
def show_model_card(_who: ReaderOf, request: Request, name: Name, version: Version) -> Response:
    """Read a model's card, in Markdown: use, data, metrics, limits."""
    return answer_unless_known(request, model_catalog.read_card(name, version), "text/markdown; charset=utf-8")


@router.get(
    "/{name}/{version}/metrics", response_class=Response, responses=_file("application/json", "object") | _PROBLEMS
)
def show_model_metrics(_who: ReaderOf, request: Request, name: Name, version: Version) -> Response:
    """Read everything that was measured of a model: beside metrics and curves, subgroups, robustness, ...

    The parts differ between models; the card says what they mean.
    """
    return answer_unless_known(request, model_catalog.read_metrics(name, version))
