"""Why the models say what they say."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.routes.fields import AnalysisId
from api.schemas import Explainable, ExplanationAnswer
from api.services import explanations
from api.services.explanations import METHODS, Asked

router = APIRouter(prefix="/analyses/{analysis_id}", tags=["Explanations"])

Label = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=80,
        description="Head and label, or a label alone (of the first head that has it, superclasses first). Where left"
        " out, what is called and most worth explaining: an abnormal superclass, else an abnormal rhythm, else that it"
        " is normal.",
        examples=["MI"],
    ),
]
Method = Annotated[
    str | None,
    Query(
        max_length=40,
        description="; ".join(f"`{name}`: {what[0].lower()}{what[1:-1]}" for name, what in METHODS.items())
        + ". Where left out, the first that the model has.",
        json_schema_extra={"enum": [*METHODS, None]},
    ),
]
Model = Annotated[str, Query(max_length=80, description="Name of an installed model: see `explainable`.")]


@router.get("/explainable", responses=describe_problems(401, 403, 404, 422, 500))
def list_explainable(analysis_id: AnalysisId, who: ReaderOf, runtime: RuntimeOf) -> Explainable:
    """List what can be explained of an analysis, model by model: what is called first, then the most probable.

    `label` is what is explained unless another is named. What a model withholds is listed with the reason.
    """
    return explanations.list_explainable(runtime, who, analysis_id)


@router.get(
    "/explanations",
    response_model=ExplanationAnswer,
    responses=describe_problems(401, 403, 404, 409, 413, 422, 429, 500, 503),
)
def explain_analysis(
    analysis_id: AnalysisId,
    who: ReaderOf,
    runtime: RuntimeOf,
    label: Label = None,
    method: Method = None,
    model: Model = "heart12",
) -> Response:
    """Explain an answer of an analysis: what each lead, wave and moment, or each figure, adds to it, and a sentence.

    It is computed from the tracing when it is asked for, and the last ones are kept at hand. The model that explains
    is the one that is installed now; where the analysis was made with another, `cautions` says so. What a model
    does not say cannot be explained: 409 `withheld`, with the reason. How faithful each method is was measured: under
    `explanations` of `GET /models/{name}/{version}/metrics`, where the model has it.
    """
    asked = Asked(label, method, model)
    return Response(explanations.explain(runtime, who, analysis_id, asked), media_type="application/json")
