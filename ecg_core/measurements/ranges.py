"""What is usual in adults, by age and sex, with its source. No range is given where no source is.

Sources
-------
- Page et al., 2015 ACC/AHA/HRS guideline on supraventricular tachycardia, Circulation 2016;133:e506: sinus tachycardia
  is a rate above 100/min.
- Kusumoto et al., 2018 ACC/AHA/HRS guideline on bradycardia, Circulation 2019;140:e382: sinus bradycardia is a rate
  under 50/min; first-degree block a PR above 200 ms.
- Surawicz et al., AHA/ACCF/HRS recommendations part III, J Am Coll Cardiol 2009;53:976: QRS above 110 ms is abnormal
  over 16 years; adults' QRS axis lies between -30 and 90 degrees; in pre-excitation PR is under 120 ms.
- Rautaharju et al., part IV, J Am Coll Cardiol 2009;53:982: QTc is long from 450 ms in men and 460 ms in women on.
- Mason et al., J Electrocardiol 2007;40:228 (46,129 people unlikely to have heart disease): 2nd percentile of QTc
  361 ms (Bazett), 359 ms (Fridericia). The other formulas have no such limit.
- Hancock et al., part V, J Am Coll Cardiol 2009;53:992: P is long from 120 ms on; voltage criteria of hypertrophy hold
  over 35 years.
- Sokolow, Lyon, Am Heart J 1949;37:161: S in V1 and R in V5 or V6 from 3.5 mV on.
- Casale et al., Circulation 1987;75:565 (Cornell): R in aVL and S in V3 above 2.8 mV in men, 2.0 mV in women.
- Thygesen et al., Fourth Universal Definition of Myocardial Infarction, Circulation 2018;138:e618: ST at J from 0.1 mV
  on; in V2 and V3 from 0.2 mV in men, 0.25 mV in men under 40, 0.15 mV in women.
"""

from __future__ import annotations

from dataclasses import replace

from ecg_core.leads import STANDARD_12
from ecg_core.measurements.intervals import FORMULAS
from ecg_core.measurements.values import Range
from ecg_core.recording import Subject

ADULT_YEARS = 18.0
VOLTAGE_YEARS = 35.0
"""Voltage criteria of hypertrophy hold above this age."""

_PAGE_KUSUMOTO = "ACC/AHA/HRS guidelines on bradycardia 2018 and supraventricular tachycardia 2015"
_PR = "AHA/ACCF/HRS 2009 part III (short), ACC/AHA/HRS 2018 guideline on bradycardia (long)"
_PART_3, _PART_4, _PART_5 = (f"AHA/ACCF/HRS 2009 part {part}" for part in ("III", "IV", "V"))
_QTC = f"Mason 2007, 2nd percentile (short), {_PART_4} (long)"
_SHORT_QTC_MS = {"bazett": 361.0, "fridericia": 359.0}
FOURTH_DEFINITION = "Fourth Universal Definition of Myocardial Infarction (2018)"


def is_adult(subject: Subject) -> bool:
    """Return whether adult ranges apply; where the age is unknown, an adult is assumed."""
    return subject.age is None or subject.age >= ADULT_YEARS


def reference_ranges(subject: Subject) -> dict[str, Range]:
    """Return the usual ranges of whole-recording values by name; none under 18 years.

    Where the sex is unknown, the limits are those of the sex that exceeds them more easily, so that whoever is flagged
    would be flagged as either.
    """
    if not is_adult(subject):
        return {}
    long_ms = 450.0 if subject.sex == "male" else 460.0
    qtc = {name: Range(None, long_ms, _PART_4, high_included=False) for name in FORMULAS}
    qtc |= {name: replace(qtc[name], low=low, source=_QTC) for name, low in _SHORT_QTC_MS.items()}
    return {
        "hr_bpm": Range(50.0, 100.0, _PAGE_KUSUMOTO),
        "pr_ms": Range(120.0, 200.0, _PR),
        "p_ms": Range(None, 120.0, _PART_5, high_included=False),
        "qrs_ms": Range(None, 110.0, _PART_3),
        **{f"qtc_{name}_ms": usual for name, usual in qtc.items()},
        "qrs_axis_deg": Range(-30.0, 90.0, _PART_3),
        "sokolow_lyon_mv": Range(None, 3.5, "Sokolow and Lyon 1949", high_included=False),
        "cornell_mv": Range(None, 2.0 if subject.sex == "female" else 2.8, "Casale 1987"),
    }


def st_ranges(subject: Subject) -> dict[str, Range]:
    """Return the usual range of the level at J (mV) by lead; none under 18 years, and none for aVR.

    Where the sex is unknown the limits are men's, where the age is, those of 40 years and more.
    """
    if not is_adult(subject):
        return {}
    if subject.sex == "female":
        chest = 0.15
    else:
        chest = 0.2 if subject.age is None or subject.age >= 40 else 0.25
    limits = dict.fromkeys(STANDARD_12, 0.1) | {"V2": chest, "V3": chest}
    del limits["aVR"]
    return {lead: Range(None, limit, FOURTH_DEFINITION, high_included=False) for lead, limit in limits.items()}


def assumptions(subject: Subject) -> list[str]:
    """Return in words what the ranges assume or withhold."""
    if not is_adult(subject):
        return ["under 18 years: adult ranges do not apply, and none are given"]
    found = []
    if subject.age is None:
        found.append("the age is unknown: an adult is assumed")
    if subject.sex is None:
        found.append("the sex is unknown: of the limits that differ, women's for QTc and men's for voltages and ST")
    return found
