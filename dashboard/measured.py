"""What was measured of a model beside its figures and curves, as far as its `metrics.json` has it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas import ModelMetric

_NONE = ModelMetric(value=None)


class Group(BaseModel):
    """Figures of some of the records."""

    n: int
    metrics: dict[str, ModelMetric] = {}
    reason: str | None = None
    """Why there are none."""


class Condition(BaseModel):
    """Figures of recordings that were spoilt in some way."""

    kind: str
    level: str
    dose: float | None = None
    metrics: dict[str, ModelMetric]


class Robustness(BaseModel):
    """The same recordings as they were, and spoilt."""

    n: int
    records: str = ""
    answers: str = ""
    noise: str = ""
    data: str = ""
    as_recorded: dict[str, ModelMetric] = Field(alias="as recorded")
    conditions: list[Condition]
    about: dict[str, str] = {}
    """What the figures are."""


class Point(BaseModel):
    """Where a label is called, and what was measured there."""

    threshold: float | None = None
    sensitivity: ModelMetric = _NONE
    specificity: ModelMetric = _NONE
    ppv: ModelMetric = _NONE
    npv: ModelMetric = _NONE
    f1: ModelMetric = _NONE


class Confusion(BaseModel):
    """What was called of what was there."""

    labels: list[str]
    counts: list[list[int]]
    """A row for what was there."""


class Case(BaseModel):
    """A record on which the model was wrong."""

    record: str
    probability: float | None = None
    truth: list[str] = []
    age: float | None = None
    sex: str | None = None
    figures: dict[str, float | None] = {}


class Errors(BaseModel):
    """How many there are, and the worst of them."""

    n: int
    worst: list[Case]


class LabelFailures(BaseModel):
    """Where a label was called wrongly, and where it was missed."""

    threshold: float | None = None
    positives: int | None = None
    false_positives: Errors
    false_negatives: Errors


class Failures(BaseModel):
    """The most confident errors, label by label; or the records with the lowest figures."""

    data: str = ""
    split: str | None = None
    n: int | None = None
    threshold: str = ""
    metric: str = ""
    labels: dict[str, LabelFailures] = {}
    worst: list[Case] = []


class Measured(BaseModel):
    """What there is; models differ."""

    positives: dict[str, int] = {}
    operating_points: dict[str, dict[str, Point]] = {}
    confusion: Confusion | None = None
    subgroups: dict[str, dict[str, Group]] = {}
    subgroups_unknown: dict[str, str] = {}
    robustness: Robustness | None = None
    chain: Robustness | None = None
    failures: Failures | None = None
