"""`reference_risk`: how often people of an age came to have AF in the cohorts that CHARGE-AF is from.

It stands beside an estimate, or in its absence, and is not one: nothing but age and sex goes in, and nothing is from
the tracing. Rates a year become a five-year risk as 1 - exp(-5 rate), without regard to death from other causes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ecg_core.recording import Sex
from ecg_core.risk.value import ReferenceRisk

YEARS = 5.0
_CHS = "Cardiovascular Health Study, Psaty et al. 1997, Circulation 96:2455, doi:10.1161/01.CIR.96.7.2455"
_FRAMINGHAM = "Framingham, after Kannel & Benjamin 2009, Cardiol Clin 27:13, doi:10.1016/j.ccl.2008.09.015"


@dataclass(frozen=True)
class Band:
    """New cases of AF in an age group, per 1,000 person-years."""

    youngest: float
    oldest: float
    """Below this age."""
    men: float
    women: float
    source: str


BANDS = (
    Band(55, 65, 3.1, 1.9, _FRAMINGHAM),
    Band(65, 75, 17.6, 10.1, _CHS),
    Band(75, 85, 42.7, 21.6, _CHS),
)


def reference_risk(age: float | None, sex: Sex | None) -> ReferenceRisk:
    """Return the five-year risk, 0 to 1, of people of this age; of both sexes together where the sex is not known."""
    if age is None:
        return ReferenceRisk(None, "the age is not known")
    band = next((band for band in BANDS if band.youngest <= age < band.oldest), None)
    if band is None:
        return ReferenceRisk(
            None, f"published rates are at hand for ages {BANDS[0].youngest:g} to {BANDS[-1].oldest - 1:g}"
        )
    men, women = _risk(band.men), _risk(band.women)
    who = {"male": "men", "female": "women", None: "people"}[sex]
    says = f"of {who} of {band.youngest:g} to {band.oldest - 1:g} years in the cohort named below; not from this ECG"
    if sex is None:
        return ReferenceRisk((men + women) / 2, None, min(men, women), max(men, women), says, band.source)
    return ReferenceRisk(men if sex == "male" else women, says=says, source=band.source)


def _risk(per_1000_years: float) -> float:
    return -math.expm1(-YEARS * per_1000_years / 1000)
