"""The models that are installed: what each is for, how good it was measured to be, where it calls a label."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.recording import Step

ModelPart = Literal["card", "metrics", "thresholds", "curves"]


class TrainingData(Schema):
    """A data set that a model learned from."""

    name: str = Field(examples=["ptbxl"])
    title: str | None = Field(default=None, examples=["PTB-XL 1.0.3"])
    licence: str | None = Field(default=None, examples=["CC BY 4.0"])
    citation: str | None = Field(default=None, description="The publication.")
    page: str | None = Field(default=None, description="Where it can be had.")
    n: int | None = Field(default=None, description="Records of it that the model saw.", examples=[19601])


class ModelSummary(Schema):
    """One version of one model, in short."""

    name: str = Field(examples=["heart12"])
    version: str = Field(examples=["1.0.0"])
    title: str = Field(examples=["What a 12-lead ECG shows: diagnostic statements, rhythm, AF, age and sex"])
    task: str = Field(description="Which code runs it.", examples=["heart12"])
    description: str | None = Field(description="What it is for, from its card; null where it has none.")
    licence: str | None = Field(description="Of the weights, where the model states one.", examples=["CC BY 4.0"])
    sha256: str | None = Field(
        description="Of its manifest, which lists the checksums of all its files; every answer names it. Null where"
        " the manifest cannot be read."
    )
    latest: bool = Field(description="Whether this is the version that is asked and served unless one is named.")
    origin: Literal["shipped", "added"] = Field(description="Whether it came with Einthoven or was added here.")
    answers: bool = Field(description="Whether it can be asked: whether `models` of `POST /predict` takes its name.")
    reason: str | None = Field(
        default=None,
        description="Why it cannot be asked, where it cannot.",
        examples=["a part of every analysis, which is not asked by name"],
    )
    graphs: list[str] = Field(
        default=[],
        description="Its networks and trees, as `/v2/models/{name}` serves them.",
        examples=[["heart12", "heart12:trees"]],
    )
    training_data: list[TrainingData] = Field(default=[], description="What it learned from, with the licences.")


class ModelList(Schema):
    """The models that are installed."""

    models: list[ModelSummary] = Field(description="By name, then version.")


class ModelMetric(Schema):
    """A figure that was measured, with its 95 % interval."""

    value: float | None = Field(examples=[0.93])
    low: float | None = Field(default=None, examples=[0.92])
    high: float | None = Field(default=None, examples=[0.94])


class MeasuredOn(Schema):
    """What the metrics and curves were measured on."""

    data: str = Field(description="Name of the data set, or several.", examples=["ptbxl"])
    split: str | None = Field(default=None, description="Which records of it, and what the model had seen.")
    n: int | None = Field(default=None, description="Records.", examples=[2183])


class Threshold(Schema):
    """A probability from which a label is called, and what was measured there."""

    threshold: float = Field(examples=[0.426])
    sensitivity: float | None = Field(default=None, examples=[0.90])
    specificity: float | None = Field(default=None, examples=[0.99])
    ppv: float | None = Field(default=None, description="Where the label is as common as it was there.")
    ppv_at: list[float | None] = Field(
        default=[], description="The same at each of `prevalences`.", examples=[[0.63, 0.9, 0.98]]
    )


class LabelThresholds(Schema):
    """The thresholds of one label; none where it is never called."""

    points: dict[str, Threshold] = Field(
        default={},
        description="By operating point: `max_f1`, `se95`, `sp95`.",
        examples=[{"max_f1": {"threshold": 0.4}}],
    )
    n: int | None = Field(default=None, description="Records that they were chosen on.", examples=[2183])
    positives: int | None = Field(default=None, description="Records of these that bear the label.", examples=[151])
    experimental: bool = Field(default=False, description="Too few bore the label to choose a threshold.")


class Thresholds(Schema):
    """Where labels are called."""

    view: str | None = Field(
        default=None, description="Which of the model's `views` they are of; null where it has one.", examples=["full"]
    )
    prevalences: list[float] = Field(default=[], description="Of `ppv_at`.", examples=[[0.01, 0.05, 0.2]])
    labels: dict[str, LabelThresholds] = Field(default={}, description="By label.")
    stated: Any = Field(
        default=None, description="What the manifest states instead, where the model has no operating points."
    )


class ModelDetails(ModelSummary):
    """One version of one model: what it reads and says, and how good it was measured to be."""

    labels: dict[str, list[str]] = Field(
        description="What it tells apart, by head (a model with one answer has one head, named as its task).",
        examples=[{"rhythm": ["N", "A", "O", "~"]}],
    )
    views: dict[str, list[str]] = Field(
        default={}, description="The ways in which it reads, by the leads they need.", examples=[{"I": ["I"]}]
    )
    inputs: dict[str, Any] = Field(description="What it reads, as its manifest states it.", examples=[{"fs": 100.0}])
    outputs: dict[str, Any] = Field(default={}, description="What comes out beside labels, by head.")
    preprocessing: list[Step] = Field(default=[], description="What is done with a recording before it is read.")
    card: str | None = Field(description="Its card, in Markdown: use, data, metrics, limits.")
    measured_on: MeasuredOn | None = Field(default=None, description="Of `metrics` and `curves`.")
    metrics: dict[str, ModelMetric] | None = Field(
        description="Figures by name.", examples=[{"superclass.macro_auc": {"value": 0.94, "low": 0.93, "high": 0.95}}]
    )
    thresholds: Thresholds | None = Field(description="Where its labels are called.")
    curves: dict[str, dict[str, dict[str, list[float]]]] | None = Field(
        description="By kind (`roc`, `precision_recall`, `reliability`, `decision`), label and axis.",
        examples=[{"roc": {"AFIB": {"false_positive_rate": [0.0, 0.1, 1.0], "sensitivity": [0.0, 0.98, 1.0]}}}],
    )
    accuracy: dict[str, Any] = Field(
        default={}, description="What a model that was added states of its own accuracy: not measured here."
    )
    reasons: dict[str, str] = Field(
        default={},
        description="Why a part is null.",
        examples=[{"curves": "no curves were kept when this model was measured"}],
    )
    citation: str | None = Field(default=None, description="The publication, where the manifest names one.")
    page: str | None = Field(default=None, description="Where the model comes from, where the manifest says so.")
    created_by: str | None = Field(
        default=None, description="The recipe that it was trained from.", examples=["training/recipes/heart12.toml"]
    )
    software: dict[str, Any] = Field(default={}, description="What it was made with.")
    files: dict[str, str] = Field(description="The sha256 of each of its files.", examples=[{"card.md": "9f86d0..."}])
