"""What each model says."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Schema

OperatingPoint = Literal["max_f1", "se95", "sp95"]


class Identity(Schema):
    """Which model spoke."""

    name: str = Field(examples=["heart12"])
    version: str = Field(examples=["1.0.0"])
    sha256: str = Field(description="Of its manifest, which lists the checksums of all its files.")


class LabelAnswer(Schema):
    """What a model says of one label."""

    probability: float | None = Field(
        description="Calibrated; that people who read such a tracing would write the statement, which is not the"
        " probability of a disease. Null where withheld.",
        examples=[0.81],
    )
    threshold: float | None = Field(
        default=None, description="Probability from which it is called; null where it never is.", examples=[0.36]
    )
    positive: bool | None = Field(
        default=None, description="Whether it is called; null where it is withheld or never called."
    )
    operating_point: str | None = Field(
        default=None, description="What the threshold was chosen for.", examples=["max_f1"]
    )
    experimental: bool = Field(
        default=False, description="Too few positives were at hand to promise anything: never called."
    )
    reason: str | None = Field(default=None, description="Why there is no probability or no call, where there is none.")


class Quantity(Schema):
    """A number that a model gives, with its interval."""

    value: float | None = Field(description="In `unit`.", examples=[61.4])
    low: float | None = Field(default=None, examples=[47.9])
    high: float | None = Field(default=None, examples=[74.2])
    unit: str | None = Field(default=None, examples=["years"])
    coverage: float | None = Field(
        default=None,
        description="Share of recordings whose truth lies between `low` and `high`, where they are like those it was"
        " measured on.",
        examples=[0.9],
    )
    reason: str | None = Field(default=None, description="Why there is no value, where there is none.")


class Curve(Schema):
    """Values over a range, such as survival over time."""

    at: list[float] = Field(description="In `at_unit`.", examples=[[0.2, 0.4]])
    values: list[float] = Field(description="One a place.", examples=[[0.99, 0.98]])
    at_unit: str = Field(examples=["years"])
    unit: str | None = Field(default=None, description="Null for shares of 1.")


class ConformalSet(Schema):
    """What the labels of a head can be, at a stated coverage."""

    coverage: float = Field(
        description="Share of recordings in whose sets each label's truth lies, for recordings like those it was"
        " measured on; at another hospital it can be less.",
        examples=[0.9],
    )
    labels: dict[str, Literal["present", "absent", "uncertain", "unlike"]] = Field(
        description="`uncertain` where both are possible, `unlike` where neither is.", examples=[{"AFIB": "absent"}]
    )


Head = dict[str, LabelAnswer] | Quantity | Curve


class ModelAnswer(Schema):
    """What one model says. Beside these fields each of its heads stands under its name: labels, a number or a curve."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Head]

    version: str = Field(examples=["1.0.0"])
    sha256: str = Field(description="Of the model's manifest.")
    view: str | None = Field(
        default=None, description="Which leads were read, where the model has several ways.", examples=["full"]
    )
    leads: list[str] = Field(default=[], description="Leads that were read.", examples=[["I", "II", "V1"]])
    conformal: dict[str, ConformalSet] = Field(default={}, description="By head.")
    out_of_scope: list[str] = Field(default=[], description="Why the model abstains; empty where it answers.")
    withheld: dict[str, str] = Field(
        default={},
        description="Head, or head.label, to the reason why it is not said although the model answers.",
        examples=[{"statements.LVH": "the ventricles are paced"}],
    )
    cautions: list[str] = Field(default=[], description="What to bear in mind with the answers.")
    accuracy: dict[str, Any] = Field(
        default={}, description="How good the model was measured to be at recordings read in this view."
    )

    @property
    def heads(self) -> dict[str, Head]:
        """The heads by name."""
        return dict(self.__pydantic_extra__)

    def labels(self, head: str) -> dict[str, LabelAnswer]:
        """Return the labels of a head; none where it is a number or is not there."""
        found = self.__pydantic_extra__.get(head)
        return found if isinstance(found, dict) else {}

    def quantity(self, head: str) -> Quantity | None:
        """Return the number that a head is; None where it is none."""
        found = self.__pydantic_extra__.get(head)
        return found if isinstance(found, Quantity) else None
