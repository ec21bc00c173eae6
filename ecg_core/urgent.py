"""Critical findings by rule, on measurements, beats and waves; no network states any of them.

Those of the rhythm stand in `ecg_core.urgent_rhythm`. Sources of the others:

- Nolan et al., European Resuscitation Council guidelines 2005, Resuscitation 2005;67S1:S39: in bradycardia, a rate
  under 40/min is an adverse sign.
- Panchal et al., 2020 AHA guidelines, Circulation 2020;142:S366: a tachycardia that causes symptoms is usually of
  150/min or more.
- Drew et al., AHA/ACCF statement on torsade de pointes, Circulation 2010;121:1047: the danger of QTc above 500 ms.
- Thygesen et al., Fourth Universal Definition of Myocardial Infarction, Circulation 2018;138:e618: ST elevation at J in
  two contiguous leads, in the absence of left ventricular hypertrophy and bundle branch block.
- Sgarbossa et al., N Engl J Med 1996;334:481: in left bundle branch block, ST elevation of 0.1 mV or more in a lead
  whose QRS is upright. Departures: it is asked of any QRS of 120 ms or more, and the level must exceed the lead's own
  limit as well, or early repolarisation in V2 and V3 would count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

from ecg_core.beats import Beats
from ecg_core.leads import CHEST, STANDARD_12
from ecg_core.measurements.intervals import WIDE_QRS_MS
from ecg_core.measurements.ranges import FOURTH_DEFINITION, is_adult
from ecg_core.measurements.values import Measurement, Measurements
from ecg_core.urgent_rhythm import UrgentFinding, complete_block, ventricular_runs, wide_tachycardia
from ecg_core.waves import Waves

SLOW_BPM = 40.0
FAST_BPM = 150.0
LONG_QTC_MS = 500.0
CONCORDANT_MV = 0.1
LEAST_SIGNIFICANCE = 3.0
"""An ST level under this many standard errors of its median over beats is noise."""

CONTIGUOUS = (*pairwise(CHEST), *combinations(("II", "III", "aVF"), 2), ("I", "aVL"))
"""Pairs of leads that look at neighbouring parts of the heart."""


def urgent_findings(
    measurements: Measurements,
    *,
    beats: Beats | None = None,
    classes: Sequence[str] = (),
    waves: Waves | None = None,
) -> list[UrgentFinding]:
    """Return the critical findings, none where there is none.

    What has no value supports no finding, nor does an ST level that drowns in its scatter over the beats. Rates and ST
    levels are judged in adults alone (unknown age: assumed), rhythms and ST levels not under ventricular pacing.

    Parameters
    ----------
    measurements
        The table.
    beats, classes
        The beats, and the AAMI class of each; without them ventricular tachycardia is not looked for.
    waves
        P waves and QRS complexes; without them complete block is not looked for.
    """
    found = [*_rate(measurements)] if is_adult(measurements.subject) else []
    if not measurements.paced:
        if beats is not None:
            found += [*ventricular_runs(beats, classes), *wide_tachycardia(measurements, beats)]
        if waves is not None:
            found += complete_block(waves)
    return [*found, *_qtc(measurements), *_st(measurements)]


def _rate(measurements: Measurements) -> Iterator[UrgentFinding]:
    rate = measurements["hr_bpm"].value
    if rate is None:
        return
    if rate < SLOW_BPM:
        source = "European Resuscitation Council guidelines 2005"
        yield UrgentFinding("slow_rate", f"Ventricular rate {rate:.1f}/min, under 40", {"hr_bpm": rate}, source)
    if rate > FAST_BPM:
        source = "American Heart Association guidelines 2020"
        yield UrgentFinding("fast_rate", f"Ventricular rate {rate:.1f}/min, over 150", {"hr_bpm": rate}, source)


def _qtc(measurements: Measurements) -> Iterator[UrgentFinding]:
    item = measurements["qtc_fridericia_ms"]
    if item.value is None or item.value <= LONG_QTC_MS:
        return
    text = f"QTc {item.value:.0f} ms (Fridericia), over 500"
    if item.caution:
        text += f"; {item.caution}"
    yield UrgentFinding("long_qtc", text, {"qtc_fridericia_ms": item.value}, "AHA/ACCF 2010 (Drew)")


def _st(measurements: Measurements) -> Iterator[UrgentFinding]:
    if measurements.paced:
        return
    width = measurements["qrs_ms"].value
    rows = measurements.leads
    levels = {lead: rows[lead]["st_j_mv"] for lead in STANDARD_12 if lead in rows}
    judged = {lead: (item.value, item.range) for lead, item in levels.items() if _is_sure(item)}
    raised = {
        lead: value
        for lead, (value, usual) in judged.items()
        if value is not None and usual is not None and usual.flag(value) == "high"
    }
    if width is not None and width >= WIDE_QRS_MS:
        upright = {
            lead: value for lead, value in raised.items() if value >= CONCORDANT_MV and _is_upright(measurements, lead)
        }
        if upright:
            text = f"ST elevation in the direction of QRS, which lasts {width:.0f} ms: {_list(upright)}"
            yield UrgentFinding("st_elevation", text, _names(upright) | {"qrs_ms": width}, "Sgarbossa 1996")
        return
    leads = [lead for lead in raised if any(lead in pair and set(pair) <= raised.keys() for pair in CONTIGUOUS)]
    if not leads:
        return
    raised = {lead: raised[lead] for lead in leads}
    text = f"ST elevation in contiguous leads: {_list(raised)}"
    if measurements["sokolow_lyon_mv"].flag == "high" or measurements["cornell_mv"].flag == "high":
        text += "; high voltages: hypertrophy can raise ST too"
    if caution := next((levels[lead].caution for lead in raised if levels[lead].caution), None):
        text += f"; {caution}"
    yield UrgentFinding("st_elevation", text, _names(raised), FOURTH_DEFINITION)


def _is_sure(level: Measurement) -> bool:
    if level.value is None or level.spread is None:
        return level.value is not None
    # The median of n normal values scatters by 1.25 / sqrt(n) of their standard deviation.
    return abs(level.value) >= LEAST_SIGNIFICANCE * 1.25 * level.spread / math.sqrt(level.n)


def _is_upright(measurements: Measurements, lead: str) -> bool:
    q, r, s = (measurements.leads[lead][f"{wave}_mv"].value or 0.0 for wave in "qrs")
    return r > max(q, s)


def _list(levels: Mapping[str, float]) -> str:
    return ", ".join(f"{lead} {value:.2f} mV" for lead, value in levels.items())


def _names(levels: Mapping[str, float]) -> dict[str, float]:
    return {f"{lead}.st_j_mv": value for lead, value in levels.items()}
