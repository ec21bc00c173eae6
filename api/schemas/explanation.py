"""Why a model answers as it does."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import NOTICE, Schema
from api.schemas.predictions import Identity

ExplanationMethod = Literal["shap", "occlusion", "gradients", "activation"]
ExplanationWave = Literal["p", "pr", "qrs", "st", "t", "rest"]
_ANALYSIS = "0f8fad5b-d9cb-469f-a165-70867728950e"
_RECORDING = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


class ExplanationHeat(Schema):
    """What stretches of the tracing add to an answer: for it above zero, against it below."""

    start_s: float = Field(description="Seconds from the first sample of the recording to the first stretch.")
    step_s: float = Field(description="Seconds of a stretch.", examples=[0.02])
    leads: dict[str, list[float]] = Field(
        description="By lead, one value a stretch, in the unit of the explanation; all leads alike where the method"
        " tells of time alone. Leads that the model did not read are left out.",
        examples=[{"V2": [0.0, 0.012, -0.003]}],
    )


class ExplanationPart(Schema):
    """What one kind of stretch of one lead, over all beats, adds to an answer."""

    lead: str | None = Field(description="Null for all leads that are read, together.", examples=["V2"])
    wave: ExplanationWave | None = Field(
        description="The P wave; `pr`, from its end to the QRS complex; that; `st`, from its end to the T wave; that;"
        " `rest`, all between the beats. Null for all of them together."
    )
    value: float = Field(description="In the unit of the explanation: added where positive.", examples=[0.84])
    share: float | None = Field(
        default=None,
        description="Its part of all that speaks for the answer, 0 to 1; null where it does not, or parts do not add"
        " up.",
        examples=[0.41],
    )
    without: float | None = Field(
        default=None,
        description="The probability with this stretch as a straight line, where the method replaces it.",
        examples=[0.22],
    )
    usual: float | None = Field(
        default=None,
        description="The probability with this stretch as in the person's own median beat, where the method replaces"
        " it.",
    )
    error: float | None = Field(
        default=None,
        description="Standard error of `value`, where that rests on a sample of combinations.",
        examples=[0.05],
    )


class ExplanationFigure(Schema):
    """What a measured or stated figure adds to an answer of a model that reads figures."""

    name: str = Field(description="In words, with its lead.", examples=["R height in V3"])
    value: float | None = Field(description="As measured; null where it is missing, which counts as well.")
    unit: str | None = Field(default=None, description="Of `value`; null of a plain number.", examples=["mV"])
    added: float = Field(description="In the unit of the explanation.", examples=[0.31])


class Explanation(Schema):
    """Why a model answers as it does, as far as its method can tell.

    Where `adds_up`, the answer in its unit is the sum of `base`, all of `segments` (or of `figures`, or of `heat`),
    `trees` and `residual`.
    """

    model: Identity
    label: str = Field(description="Head and label.", examples=["superclass.MI"])
    title: str = Field(description="The label in words.", examples=["Infarct pattern"])
    method: ExplanationMethod
    probability: float | None = Field(description="Of the label; null of a number.", examples=[0.93])
    answer: float = Field(description="What is explained, in `unit`.", examples=[2.6])
    unit: Literal["log odds", "years"]
    base: float = Field(
        description="The answer to a tracing of straight lines, or, of a model of figures, where nothing is known."
    )
    trees: float = Field(description="What boosted trees on measured figures add beside the network.")
    residual: float = Field(description="What the method leaves unexplained.")
    adds_up: bool = Field(description="Whether the parts sum to the answer; those of an occlusion do not.")
    start_s: float = Field(description="Where the part that was explained begins, seconds from the first sample.")
    end_s: float = Field(description="Where it ends.")
    leads: list[str] = Field(description="Leads that the model read; others follow from them.")
    sentence: str = Field(description="The explanation in words.")
    heat: ExplanationHeat | None = Field(
        default=None, description="To be laid over the tracing; null where the answer rests on figures."
    )
    segments: list[ExplanationPart] = Field(default=[], description="Those that add or take off most first.")
    figures: list[ExplanationFigure] = Field(default=[], description="Those that add or take off most first.")
    cautions: list[str] = Field(default=[], description="What to bear in mind with it.")
    settings: dict[str, Any] = Field(default={}, description="What the method was run with.")


class ExplanationAnswer(Explanation):
    """An explanation of what an analysis says."""

    analysis_id: str = Field(examples=[_ANALYSIS])
    recording_id: str = Field(examples=[_RECORDING])
    notice: str = NOTICE


class ExplainableLabel(Schema):
    """An answer that can be explained, and how."""

    label: str = Field(description="As `label` of an explanation.", examples=["superclass.MI"])
    title: str = Field(description="In words.", examples=["Infarct pattern"])
    methods: list[ExplanationMethod] = Field(
        description="As `method` of an explanation; the first unless one is named."
    )
    probability: float | None = Field(default=None, description="As the analysis says; null of a number.")
    positive: bool | None = Field(default=None, description="Whether the analysis calls it.")


class ExplainableModel(Schema):
    """The answers of one model that can be explained."""

    name: str = Field(description="As `model` of an explanation.", examples=["heart12"])
    version: str = Field(examples=["1.0.0"])
    sha256: str = Field(description="Of the manifest of the model that is installed now.")
    reason: str | None = Field(default=None, description="Why there is nothing to explain, where there is nothing.")
    labels: list[ExplainableLabel] = Field(
        description="Those that are called first, then the most probable; what is withheld is left out."
    )
    withheld: dict[str, str] = Field(
        default={}, description="Label to the reason why the model does not say it, so that it cannot be explained."
    )


class Explainable(Schema):
    """What can be explained of an analysis."""

    analysis_id: str = Field(examples=[_ANALYSIS])
    recording_id: str = Field(examples=[_RECORDING])
    label: str | None = Field(
        description="What is explained unless another label is named; null where nothing is called.",
        examples=["superclass.MI"],
    )
    methods: dict[ExplanationMethod, str] = Field(description="What each method tells.")
    models: list[ExplainableModel] = Field(description="By name.")
    notice: str = NOTICE
