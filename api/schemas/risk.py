"""The risk of atrial fibrillation in the years to come."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.predictions import Curve


class Narrowing(Schema):
    """The unknown fact that is worth asking for most."""

    fact: str = Field(description="Name of the form field that states it.", examples=["heart_failure"])
    title: str = Field(examples=["heart failure, now or before"])
    width_now: float = Field(description="From the least to the greatest risk, as things are known.", examples=[0.06])
    width_expected: float = Field(description="The same once it is known, on average.", examples=[0.03])


class Estimate(Schema):
    """What one way of estimating says of the coming five years. Risks are probabilities, 0 to 1."""

    value_5y: float | None = Field(description="Risk within five years.", examples=[0.042])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")
    needs: list[str] = Field(
        default=[], description="Facts without which there is none.", examples=[["age", "height_cm"]]
    )
    low: float | None = Field(
        default=None, description="The least that it can become, whatever the unknown facts are.", examples=[0.021]
    )
    high: float | None = Field(default=None, description="The greatest that it can become.", examples=[0.081])
    likely_low: float | None = Field(
        default=None, description="Nine in ten people with these known facts lie between this", examples=[0.028]
    )
    likely_high: float | None = Field(default=None, description="and this.", examples=[0.066])
    basis: str | None = Field(description="What it rests on: `charge_af`, `ecg2af`, ...", examples=["charge_af"])
    curve: Curve | None = Field(default=None, description="Risk over time, where the basis gives it.")
    averaged_over: dict[str, float] = Field(
        default={},
        description="Facts that were not known, each with the share of people of whom it was taken to be so.",
        examples=[{"diabetes": 0.12}],
    )
    would_narrow: Narrowing | None = Field(default=None, description="The fact that would narrow it most.")
    cautions: list[str] = Field(default=[], description="What to bear in mind with it.")
    source: str | None = Field(default=None, description="The publication.")


class ReferenceRisk(Schema):
    """How often people of the stated age came to have AF, whoever they were. Nothing in it is from the tracing."""

    value_5y: float | None = Field(description="Risk within five years.", examples=[0.05])
    reason: str | None = Field(default=None, description="Why there is none, where there is none.")
    low: float | None = Field(default=None, description="Of women and of men, where the sex is not known:")
    high: float | None = Field(default=None, description="the lower and the higher.")
    says: str | None = Field(default=None, description="Of whom it is.")
    source: str | None = Field(default=None, description="The publication.")


class Signature(Schema):
    """AF-like traits of a tracing without AF, as a rank; no risk and no time are claimed."""

    percentile: float | None = Field(
        description="Share of tracings without AF, in percent, that are less AF-like.", examples=[72.5]
    )
    reason: str | None = Field(default=None, description="Why there is none, where there is none.")
    evidence: dict[str, Any] = Field(
        default={}, description="What it was measured to tell.", examples=[{"auroc": 0.8, "low": 0.7, "high": 0.88}]
    )


class AfRisk(Estimate):
    """What is said of the risk of atrial fibrillation. AF in the tracing comes first: then the question is moot."""

    present: str | None = Field(
        default=None, description="AF in this tracing, or known, in words; null where neither was found."
    )
    notes: list[str] = Field(default=[], description="Facts in the file that cannot be and were left out.")
    others: list[Estimate] = Field(
        default=[], description="Further estimates, with a value or the reason why they have none. None are averaged."
    )
    reference_risk: ReferenceRisk
    signature: Signature


class Fact(Schema):
    """A thing that may be stated about a person, as a form field of `/predict`."""

    name: str = Field(description="Of the form field.", examples=["height_cm"])
    title: str = Field(examples=["height"])
    kind: Literal["number", "yes_no", "choice"]
    unit: str | None = Field(default=None, examples=["cm"])
    least: float | None = Field(default=None, description="Limits of a number.", examples=[100])
    most: float | None = Field(default=None, examples=[250])
    options: list[str] = Field(default=[], description="Of a choice.", examples=[["white", "other"]])
