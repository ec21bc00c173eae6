"""The values of a table of measurements: each with how it was had, how far the beats differ, and what is usual."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecg_core.recording import Subject
from ecg_core.statistics import median, share_of

_IQR_OF_NORMAL = 1.349
"""Interquartile range of a normal distribution, in standard deviations."""


@dataclass(frozen=True)
class Range:
    """What is usual, and who says so; None leaves a side open."""

    low: float | None
    high: float | None
    source: str
    high_included: bool = True
    """Whether ``high`` itself is still usual."""

    def flag(self, value: float) -> str:
        """Return ``"low"``, ``"normal"`` or ``"high"``."""
        if self.low is not None and value < self.low:
            return "low"
        if self.high is not None and (value > self.high or (value == self.high and not self.high_included)):
            return "high"
        return "normal"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"low": self.low, "high": self.high, "high_included": self.high_included, "source": self.source}


@dataclass(frozen=True)
class Measurement:
    """One value in the unit that its name ends with, or the reason why there is none."""

    value: float | None
    method: str
    """How it was measured."""
    n: int = 0
    """Number of beats or intervals that it rests on."""
    spread: float | None = None
    """Robust standard deviation over them (interquartile range / 1.349); None for fewer than three."""
    reason: str | None = None
    """Why there is no value."""
    range: Range | None = None
    """What is usual for the person; None where that is not known or does not apply."""
    flag: str | None = None
    """``"low"``, ``"normal"`` or ``"high"``; None without a range, or where a caution forbids the judgement."""
    caution: str | None = None
    """What the value must not be read without."""

    def judged(self, usual: Range | None) -> Measurement:
        """Return the measurement with its range, and a flag where a value and no caution stand beside it."""
        if usual is None:
            return self
        flag = None if self.value is None or self.caution else usual.flag(self.value)
        return replace(self, range=usual, flag=flag)

    def with_caution(self, *cautions: str | None) -> Measurement:
        """Return the measurement with those of ``cautions`` that are not None."""
        texts = [text for text in cautions if text]
        if self.value is None or not texts:
            return self
        return replace(self, caution="; ".join([self.caution, *texts] if self.caution else texts))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {**vars(self), "range": self.range.to_dict() if self.range else None}


@dataclass(frozen=True, eq=False)
class Measurements:
    """The table of measurements of one recording."""

    values: Mapping[str, Measurement]
    """Of the whole recording, by name (``"pr_ms"``)."""
    leads: Mapping[str, Mapping[str, Measurement]]
    """Of each recorded lead, by the lead's name and then their own (``"st_j_mv"``)."""
    subject: Subject
    """Whose ranges were applied."""
    paced: bool
    """Whether the ventricles were said to be paced."""
    notes: tuple[str, ...] = ()
    """What was assumed or withheld, in words."""

    def __getitem__(self, name: str) -> Measurement:
        return self.values[name]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form: the values by name, with ``leads`` and ``notes`` beside them."""
        return {
            **{name: item.to_dict() for name, item in self.values.items()},
            "leads": {lead: {name: item.to_dict() for name, item in row.items()} for lead, row in self.leads.items()},
            "notes": list(self.notes),
        }


def spread_of(values: np.ndarray) -> np.ndarray:
    """Return the robust SD along the first axis of values (n, ...), NaN left out; NaN for fewer than three."""
    if values.ndim == 1:
        return np.asarray(_spread(sorted(value for value in values.tolist() if not math.isnan(value))))
    known = (~np.isnan(values)).sum(axis=0)
    filled = np.where(known < 3, 0.0, values)
    if np.isnan(filled).any():
        low, high = np.nanquantile(filled, (0.25, 0.75), axis=0)
    else:
        ordered = np.sort(filled, axis=0)
        low, high = share_of(ordered, 0.25), share_of(ordered, 0.75)
    return np.asarray(np.where(known < 3, math.nan, (high - low) / _IQR_OF_NORMAL))


def _spread(ordered: list[float]) -> float:
    """Do the same for one column in order of size: for a few beats, many times faster than numpy."""
    if len(ordered) < 3:
        return math.nan
    quartiles = []
    for share in (0.25, 0.75):
        part, at = math.modf(share * (len(ordered) - 1))
        below, above = ordered[int(at)], ordered[min(int(at) + 1, len(ordered) - 1)]
        quartiles.append(below + part * (above - below))
    return (quartiles[1] - quartiles[0]) / _IQR_OF_NORMAL


def summarise(values: np.ndarray, method: str, reason: str) -> Measurement:
    """Return the median of values (n,) with its spread; without any that is not NaN, ``reason``."""
    known = values[~np.isnan(values)]
    if not len(known):
        return Measurement(None, method, reason=reason)
    return Measurement(float(median(known)), method, len(known), finite(spread_of(known)))


def finite(value: np.ndarray | float) -> float | None:
    """Return a plain number, or None for NaN."""
    return None if math.isnan(value) else float(value)
