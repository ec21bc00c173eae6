"""Estimates of a risk, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ecg_core.predictors.value import Curve


@dataclass(frozen=True)
class Narrowing:
    """The unknown fact that is worth asking for most."""

    fact: str
    title: str
    width_now: float
    """From the least to the greatest risk, as things are known."""
    width_expected: float
    """The same once the fact is known, on average over what it may turn out to be."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "fact": self.fact,
            "title": self.title,
            "width_now": self.width_now,
            "width_expected": self.width_expected,
        }


@dataclass(frozen=True)
class Estimate:
    """What one way of estimating says of the coming five years. Risks are probabilities, 0 to 1."""

    basis: str
    """``"ecg2af"`` or ``"charge_af"``."""
    value: float | None
    reason: str | None = None
    """Why there is no value, where there is none."""
    needs: tuple[str, ...] = ()
    """Facts (and ``"age"``) without which there is none."""
    low: float | None = None
    high: float | None = None
    """The least and the greatest that the value can become, whatever the unknown facts turn out to be."""
    likely_low: float | None = None
    likely_high: float | None = None
    """Nine in ten people with these known facts have a value between."""
    curve: Curve | None = None
    """Risk over time."""
    averaged_over: Mapping[str, float] = field(default_factory=dict)
    """Facts that were not known, each with the share of people of whom it was taken to be so."""
    would_narrow: Narrowing | None = None
    cautions: tuple[str, ...] = ()
    source: str | None = None
    """The publication."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "averaged_over", MappingProxyType(dict(self.averaged_over)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "value_5y": self.value,
            "reason": self.reason,
            "needs": list(self.needs),
            "low": self.low,
            "high": self.high,
            "likely_low": self.likely_low,
            "likely_high": self.likely_high,
            "basis": self.basis,
            "curve": self.curve.to_dict() if self.curve else None,
            "averaged_over": dict(self.averaged_over),
            "would_narrow": self.would_narrow.to_dict() if self.would_narrow else None,
            "cautions": list(self.cautions),
            "source": self.source,
        }


@dataclass(frozen=True)
class ReferenceRisk:
    """How often people of that age came to have AF, whoever they were. Nothing in it is from the tracing."""

    value: float | None
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    """Of women and of men, where the sex is not known."""
    says: str | None = None
    """Of whom the figure is."""
    source: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "value_5y": self.value,
            "reason": self.reason,
            "low": self.low,
            "high": self.high,
            "says": self.says,
            "source": self.source,
        }
