"""What was found, in words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.predictions import Identity


class UrgentFinding(Schema):
    """A critical finding by rule: suggested, unconfirmed, and independent of any network's statement."""

    code: str = Field(examples=["long_qtc"])
    text: str = Field(examples=["QTc 512 ms (Fridericia), over 500"])
    values: dict[str, float] = Field(description="What it rests on.", examples=[{"qtc_fridericia_ms": 512.0}])
    source: str = Field(description="Whose rule it is.", examples=["AHA/ACCF 2010 (Drew)"])


Kind = Literal[
    "urgent",
    "quality",
    "rhythm",
    "infarct",
    "conduction",
    "hypertrophy",
    "ischaemia",
    "measurement",
    "normal",
    "risk",
]


class Finding(Schema):
    """One suggested, unconfirmed statement and what it rests on."""

    code: str = Field(
        description="Stable: an SCP code, or a word for what was measured.", examples=["CLBBB", "pr_ms_high"]
    )
    text: str = Field(examples=["Complete left bundle branch block"])
    kind: Kind = Field(description="What it is about.", examples=["conduction"])
    confidence: float | None = Field(
        default=None,
        description="Calibrated probability that people who read such a tracing would write it; null for what was"
        " measured or follows from a rule.",
        examples=[0.94],
    )
    evidence: list[str] = Field(
        default=[], description="What speaks for it, or stands beside it.", examples=[["QRS 148 ms measured"]]
    )
    against: list[str] = Field(
        default=[],
        description="What speaks against it. It is shown, and changes no number.",
        examples=[["QRS 96 ms measured"]],
    )
    values: dict[str, float] = Field(
        default={}, description="Measurements that bear it out, by name.", examples=[{"qrs_ms": 148.0}]
    )
    borderline: bool = Field(default=False, description="Near to what is usual, or a variant of it.")
    model: Identity | None = Field(default=None, description="Which model said so.")
    rule: str | None = Field(default=None, description="Whose rule it is, where no model said so.")


class Score(Schema):
    """How sure the leading statement is, and how much there is to look at."""

    confidence: float | None = Field(
        description="Calibrated probability of the statement `of`; null where none is calibrated.", examples=[0.94]
    )
    level: Literal["urgent", "abnormal", "borderline", "normal", "undetermined"] = Field(examples=["abnormal"])
    of: str | None = Field(default=None, description="The statement.", examples=["Complete left bundle branch block"])
    means: str = Field(description="What both say, and do not say.")


class Summary(Schema):
    """The findings in a line, in two figures, and in a few sentences."""

    diagnosis: str = Field(examples=["Sinus rhythm, 72/min; complete left bundle branch block"])
    score: Score
    notes: str = Field(
        examples=["10 s in 12 leads of a woman of 69; the signal is good. Measured: rate 72/min, QRS 151 ms."]
    )
