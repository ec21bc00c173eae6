"""Waves: when P, QRS and T of each beat begin, peak and end, over all leads together and in each lead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecg_core.errors import InvalidValue


@dataclass(frozen=True)
class Wave:
    """One wave, seen whole: instants in seconds from the first sample."""

    onset_s: float
    peak_s: float
    end_s: float

    def __post_init__(self) -> None:
        found = (self.onset_s, self.peak_s, self.end_s)
        if not (all(map(math.isfinite, found)) and self.onset_s <= self.peak_s <= self.end_s):
            raise InvalidValue("not a wave", field="wave", found=found, expected="onset <= peak <= end, in seconds")

    def to_dict(self) -> dict[str, float]:
        """Return the JSON-ready form."""
        return {"onset_s": self.onset_s, "peak_s": self.peak_s, "end_s": self.end_s}


@dataclass(frozen=True)
class BeatWaves:
    """The waves of one beat; None where a wave is absent or the recording does not hold all of it.

    A P wave that no QRS follows stands without one.
    """

    p: Wave | None = None
    qrs: Wave | None = None
    t: Wave | None = None

    def to_dict(self) -> dict[str, dict[str, float]]:
        """Return the JSON-ready form; absent waves are absent."""
        waves = (("p", self.p), ("qrs", self.qrs), ("t", self.t))
        return {name: wave.to_dict() for name, wave in waves if wave is not None}


@dataclass(frozen=True)
class Waves:
    """The waves of a recording, beat by beat in order of time."""

    global_: tuple[BeatWaves, ...]
    """From the earliest onset to the latest end in any lead."""
    per_lead: Mapping[str, tuple[BeatWaves, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "global": [beat.to_dict() for beat in self.global_],
            "leads": {lead: [beat.to_dict() for beat in beats] for lead, beats in self.per_lead.items()},
        }
