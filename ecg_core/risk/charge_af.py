"""`charge_af`: the published five-year risk of atrial fibrillation, on stated facts.

Alonso et al. 2013, "Simple risk model predicts incidence of atrial fibrillation in a racially and geographically
diverse population: the CHARGE-AF Consortium", J Am Heart Assoc 2:e000102, doi:10.1161/JAHA.112.000102: the simple
model, from 18,556 people of 46 to 94 years in three cohorts (ARIC, CHS, Framingham). Nothing in it is from the ECG; the
augmented model, with ECG hypertrophy and PR, predicted no better.

Age, height, weight and both blood pressures have to be stated. Over the other facts, where unknown, the risk is
averaged, each fact as frequent as in those cohorts and independent of the others (`SHARES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.risk.facts import FACTS
from ecg_core.risk.value import Estimate, Narrowing

BASIS = "charge_af"
SOURCE = "CHARGE-AF simple model, Alonso et al. 2013, doi:10.1161/JAHA.112.000102"
YOUNGEST, OLDEST = 46.0, 94.0
SURVIVAL = 0.9718412736
"""Share without AF after five years where the sum is `CENTRE`."""
CENTRE = 12.58156
TERMS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "age": (5.0, 0.508),
        "height_cm": (10.0, 0.248),
        "weight_kg": (15.0, 0.115),
        "systolic_mmhg": (20.0, 0.197),
        "diastolic_mmhg": (10.0, -0.101),
        "race": (1.0, 0.465),
        "smoker": (1.0, 0.359),
        "antihypertensives": (1.0, 0.349),
        "diabetes": (1.0, 0.237),
        "heart_failure": (1.0, 0.701),
        "myocardial_infarction": (1.0, 0.496),
    }
)
"""Fact to its step and the logarithm of the hazard ratio a step; ``race`` counts 1 where it is white."""
NEEDED = ("age", "height_cm", "weight_kg", "systolic_mmhg", "diastolic_mmhg")
CAUTIONS = (
    "overestimated the risk about two-fold in EPIC-Norfolk (Pfister 2015, doi:10.1177/2047487314544045): read it as a "
    "rank rather than a promise where nobody has recalibrated it",
    "nothing in it is from this ECG",
)


@dataclass(frozen=True)
class Share:
    """How many people a fact is true of, in a cohort."""

    value: float
    source: str


SHARES: Mapping[str, Share] = MappingProxyType(
    {
        "race": Share(0.81, "white: 81 % of the 18,556 people the model is from (Alonso 2013, abstract)"),
        "smoker": Share(
            689 / 4847,
            "smokers: 689 of 4,847 people of ARIC in 1996-98, mean age 63 (Mosley 2020, doi:10.1001/jama.2019.21782)",
        ),
        "antihypertensives": Share(
            1400 / 4847,
            "drugs: 1,400 of 4,847 people of ARIC in 1996-98, mean age 63 (Mosley 2020, doi:10.1001/jama.2019.21782)",
        ),
        "diabetes": Share(
            2159 / 18336, "diabetes: 2,159 of 18,336 people of ARIC and CHS (Soliman 2011, doi:10.1136/hrt.2010.215871)"
        ),
        "heart_failure": Share(
            0.0245,
            "heart failure: 24 and 25 of 1,000 men and women of Framingham over 45 years (Ho 1993, JACC 22 Suppl A:6A)",
        ),
        "myocardial_infarction": Share(
            551 / 11846,
            "infarction: 551 of 11,846 people of ARIC in 2005, mean age 71 (J Card Fail 2017;23:802, "
            "doi:10.1016/j.cardfail.2017.09.002)",
        ),
    }
)
"""Facts that may be unknown, and how frequent each was in the model's own cohorts. One share for all ages: at 50 heart
failure, infarction and treatment are rarer, at 85 more frequent."""


def charge_af_risk(age: float, facts: Mapping[str, Any]) -> float:
    """Return the risk, 0 to 1, of a person of whom every fact of `TERMS` is known.

    Parameters
    ----------
    age
        Years.
    facts
        In the units of `ecg_core.risk.facts.FACTS`.
    """
    if missing := [name for name in TERMS if name != "age" and name not in facts]:
        raise InvalidValue("the equation lacks facts", field="facts", found=", ".join(facts), expected=str(missing))
    return _risk(_sum({"age": age, **facts}, tuple(TERMS)))


def charge_af(age: float | None, facts: Mapping[str, Any]) -> Estimate:
    """Return the risk on the facts that are known, averaged over those that are not.

    Parameters
    ----------
    age
        Years, as stated: never estimated from the ECG, whose error of some years doubles the risk.
    facts
        From `parse_facts` or `known_facts`.
    """
    known = {name: value for name, value in {"age": age, **facts}.items() if value is not None}
    if age is not None and not YOUNGEST <= age <= OLDEST:
        return _none(f"the equation is for ages {YOUNGEST:g} to {OLDEST:g}; stated: {age:g}")
    if missing := tuple(name for name in NEEDED if name not in known):
        words = ", ".join(FACTS[name].title if name in FACTS else name for name in missing)
        return _none(f"it needs facts that were not stated: {words}", missing)

    unknown = tuple(name for name in SHARES if name not in known)
    fixed = _sum(known, tuple(name for name in TERMS if name in known))
    truths = np.array(list(product((False, True), repeat=len(unknown))), bool)
    shares = np.array([SHARES[name].value for name in unknown])
    weights = np.where(truths, shares, 1 - shares).prod(axis=1)
    steps = np.array([TERMS[name][1] for name in unknown])
    risks = np.array([_risk(fixed + extra) for extra in truths @ steps])
    likely = _weighted_quantiles(risks, weights, (0.05, 0.95))
    return Estimate(
        BASIS,
        float(risks @ weights),
        low=float(risks.min()),
        high=float(risks.max()),
        likely_low=likely[0],
        likely_high=likely[1],
        averaged_over={name: SHARES[name].value for name in unknown},
        would_narrow=_narrowing(unknown, truths, shares, risks),
        cautions=(*CAUTIONS, *_about_unknown(unknown)),
        source=_sources(unknown),
    )


def _none(reason: str, needs: tuple[str, ...] = ()) -> Estimate:
    return Estimate(BASIS, None, reason, needs, source=SOURCE)


def _sum(values: Mapping[str, Any], names: tuple[str, ...]) -> float:
    """Return the terms of the facts named; a race counts where it is white."""
    total = 0.0
    for name in names:
        step, weight = TERMS[name]
        value = values[name] == "white" if name == "race" else values[name]
        total += float(value) / step * weight
    return total


def _risk(total: float) -> float:
    return float(1 - SURVIVAL ** np.exp(total - CENTRE))


def _narrowing(unknown: tuple[str, ...], truths: np.ndarray, shares: np.ndarray, risks: np.ndarray) -> Narrowing | None:
    """Return the fact whose knowledge leaves the narrowest range, on average over what it may turn out to be."""
    if not unknown:
        return None
    expected = [
        sum(
            part * float(np.ptp(risks[truths[:, at] == said]))
            for said, part in ((True, shares[at]), (False, 1 - shares[at]))
        )
        for at in range(len(unknown))
    ]
    best = int(np.argmin(expected))
    return Narrowing(unknown[best], FACTS[unknown[best]].title, float(np.ptp(risks)), float(expected[best]))


def _weighted_quantiles(values: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    places = np.minimum(np.searchsorted(reached, shares), len(values) - 1)
    return [float(value) for value in values[order][places]]


def _about_unknown(unknown: tuple[str, ...]) -> tuple[str, ...]:
    if not unknown:
        return ()
    named = ", ".join(FACTS[name].title for name in unknown)
    return (f"averaged over what was not stated, as frequent as in the model's cohorts whatever the age: {named}",)


def _sources(unknown: tuple[str, ...]) -> str:
    shares = "".join(f"; {SHARES[name].source}" for name in unknown)
    return f"{SOURCE}{shares}"
