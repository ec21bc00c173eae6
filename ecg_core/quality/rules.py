"""Stated rules from the figures of a lead to its verdict.

The levels were set on the 12 x 300 leads of the records of CinC 2011 at hand (Silva 2011), half of them of acceptable
records; nobody has judged single leads. Of the leads of acceptable records 1.4 % are usable and 0.2 % poor by them; of
unacceptable ones 12 % and 49 %, since few leads spoil a record. Of LUDB 0.2 % are usable and none is poor; of every
sixtieth record of PTB-XL at 100 Hz 4.5 % and 0.03 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ecg_core.quality.figures import FLAT_MV, LeadFigures

Verdict = Literal["good", "usable", "poor"]

LEAST_RECORDED_S = 2.0
"""A lead recorded for less can hold one beat: nothing is judged from it."""
OFF = 0.9
"""A lead without a signal for this part of the recorded time is off."""
UNLIKE = 0.3
"""A lead whose `LeadFigures.agreement` is lower has no beats in common with the others."""
LEAST_COMPARED = 3
"""Leads from which a lead can be told from the others."""


@dataclass(frozen=True)
class Rule:
    """A figure, and the levels from which it makes a lead usable with care, or poor."""

    name: str
    figure: str
    usable: float
    poor: float
    says: str
    """The reason, with a place for the figure."""


RULES = (
    Rule("missing", "missing", 0.1, np.inf, "missing: {:.0%} of the time was not recorded"),
    Rule("flat", "flat", 0.1, 0.5, f"flat: for {{:.0%}} of the time it stays within {FLAT_MV * 1000:g} uV"),
    Rule("saturated", "clipped", 0.01, 0.1, "saturated: {:.0%} of the samples stand at the edge of its range"),
    Rule("baseline", "baseline_mv", 0.6, 3.0, "baseline: wanders by {:.1f} mV"),
    Rule("mains", "mains_mv", 0.05, 0.25, "mains: hum of {:.2f} mV"),
    Rule("muscle", "muscle_mv", 0.03, 0.1, "muscle: tremor of {:.2f} mV between the beats"),
)
"""In the order in which reasons are given. Part of a lead may be missing by design, as on a printed page."""


@dataclass(frozen=True)
class LeadQuality:
    """What is said of one lead."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Each begins with the name of what is wrong: missing, lead off, flat, saturated, baseline, mains, muscle, unlike.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"verdict": self.verdict, "reasons": list(self.reasons)}


def judge_leads(figures: LeadFigures, duration_s: float) -> tuple[LeadQuality, ...]:
    """Return the verdict on every lead, in order; a figure that could not be had accuses nobody."""
    recorded_s = duration_s * (1 - figures.missing)
    fires = {rule.name: getattr(figures, rule.figure) >= rule.usable for rule in RULES}
    spoils = {rule.name: getattr(figures, rule.figure) >= rule.poor for rule in RULES}
    unlike = figures.agreement < UNLIKE if len(figures.missing) >= LEAST_COMPARED else np.zeros_like(recorded_s, bool)
    found = []
    for lead in range(len(recorded_s)):
        if recorded_s[lead] < min(LEAST_RECORDED_S, duration_s):
            found.append(LeadQuality("poor", (f"missing: only {recorded_s[lead]:.1f} s were recorded",)))
            continue
        if figures.flat[lead] >= OFF:
            found.append(LeadQuality("poor", ("lead off: no signal, one level throughout",)))
            continue
        fired = [rule for rule in RULES if fires[rule.name][lead]]
        reasons = [rule.says.format(getattr(figures, rule.figure)[lead]) for rule in fired]
        if unlike[lead]:
            reasons.append("unlike: no beats in step with those of the other leads")
        poor = any(spoils[rule.name][lead] for rule in fired)
        found.append(LeadQuality("poor" if poor else "usable" if reasons else "good", tuple(reasons)))
    return tuple(found)
