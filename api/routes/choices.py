"""Which models are asked, and from which threshold a statement is called, as form fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from ecg_core.errors import InvalidValue
from ecg_core.predictors import DEFAULT_POINT, OPERATING_POINTS, OperatingPoint, predictors

Models = Annotated[
    str | None,
    Form(
        max_length=1000,
        description="Names of the models to ask, separated by commas; every installed one where left out. `GET /info`"
        " lists them.",
        examples=["heart12"],
    ),
]
Point = Annotated[
    str | None,
    Form(
        max_length=40,
        description="What the thresholds are chosen for, from which a statement is called: `max_f1` (the best balance),"
        " `se95` (few are missed: sensitivity 95 %) or `sp95` (few false alarms: specificity 95 %).",
        examples=[DEFAULT_POINT],
        json_schema_extra={"enum": [*OPERATING_POINTS, None]},
    ),
]


@dataclass(frozen=True)
class Choices:
    """What was chosen."""

    models: tuple[str, ...] | None
    operating_point: OperatingPoint


def stated_choices(models: Models = None, operating_point: Point = None) -> Choices:
    """Return what was chosen, checked before anything is read."""
    names = tuple(name.strip() for name in models.split(",") if name.strip()) if models else ()
    installed = predictors()
    if unknown := [name for name in names if name not in installed]:
        raise InvalidValue("no such model", field="models", found=unknown[0], options=sorted(installed))
    if operating_point and operating_point not in OPERATING_POINTS:
        raise InvalidValue("unknown", field="operating_point", found=operating_point, options=OPERATING_POINTS)
    return Choices(names or None, operating_point or DEFAULT_POINT)
