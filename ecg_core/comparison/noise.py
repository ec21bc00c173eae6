"""How much two recordings of an unchanged heart differ: what was measured, and travels with the library.

`FILE` is made by ``python -m training.comparison_noise``, which measures by `ecg_core.evaluation.repeatability`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FILE = "noise.json"
ENOUGH = 8
"""Leads from which on intervals are those of a twelve-lead recording."""


@dataclass(frozen=True)
class Level:
    """How much one figure differs where nothing changed, in its own unit; a statement's in log odds."""

    sd: float
    """Two of three pairs (68.3 %) differ by no more."""
    limit: float
    """95 of 100 pairs differ by no more: the repeatability coefficient."""
    limit_low: float
    """The 95 % interval of ``limit``."""
    limit_high: float
    n: int
    """Pairs that it rests on."""
    source: str
    """Which of `Noise.sources` it was measured on."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return dict(vars(self))


@dataclass(frozen=True)
class Noise:
    """The levels of all figures."""

    measurements: Mapping[str, Level]
    """By name; those of a lead are called ``"V2.st_j_mv"``."""
    few_leads: Mapping[str, Level]
    """Of intervals that were taken from fewer than `ENOUGH` leads, and scatter more."""
    labels: Mapping[str, Level]
    """By ``"head.label"`` of the 12-lead model, in log odds."""
    age_years: Level
    """Of the age that the model estimates."""
    checks: Mapping[str, Mapping[str, Any]]
    """What the limits were found to be worth on recordings that they were not taken from, by data set."""
    sources: Mapping[str, Mapping[str, Any]]
    """What each was measured on, what it includes and what it leaves out."""
    model: Mapping[str, str]
    """Name, version and hash of the 12-lead model whose statements were measured."""

    def of(self, name: str, n_leads: int) -> Level | None:
        """Return the level of a measurement taken from so many leads; None where it was not measured."""
        return (self.few_leads.get(name) if n_leads < ENOUGH else None) or self.measurements.get(name)


@lru_cache(1)
def shipped_noise() -> Noise:
    """Return what was measured."""
    found = json.loads((files(__package__) / FILE).read_text("utf-8"))
    return Noise(
        measurements=_levels(found["measurements"]),
        few_leads=_levels(found["few_leads"]),
        labels=_levels(found["labels"]),
        age_years=Level(**found["age_years"]),
        checks=MappingProxyType(found["checks"]),
        sources=MappingProxyType(found["sources"]),
        model=MappingProxyType(found["model"]),
    )


def _levels(found: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Level]:
    return MappingProxyType({name: Level(**level) for name, level in found.items()})
