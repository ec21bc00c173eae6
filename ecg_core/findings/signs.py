"""What is measured, as a sign for or against a statement.

A sign raises and lowers no probability: it is told beside it, and where it contradicts the statement both are shown.
Limits are those of the AHA/ACCF/HRS recommendations (part III on conduction, J Am Coll Cardiol 2009;53:976; part V on
hypertrophy, 2009;53:992), of the ACC/AHA/HRS guideline on bradycardia (Circulation 2019;140:e382) and of the Fourth
Universal Definition of Myocardial Infarction (Circulation 2018;138:e618). A value only contradicts a statement where it
misses the limit by more than two measurements of one ECG differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.leads import CHEST, LIMB
from ecg_core.urgent import CONTIGUOUS
from ecg_core.waves import ONSET, QRS, P

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis
    from ecg_core.measurements import Measurement

LONG_PR_MS, SHORT_PR_MS = 200.0, 120.0
COMPLETE_BLOCK_MS, INCOMPLETE_BLOCK_MS = 120.0, 110.0
LONG_P_MS = 120.0
FAST_BPM, SLOW_BPM = 100.0, 60.0
"""Of sinus tachycardia, and of what the statement "sinus bradycardia" is usually written from."""
TOLERANCE = {"ms": 8.0, "qt": 15.0, "bpm": 5.0, "deg": 10.0}
"""How much two measurements of one ECG may differ."""
LOW_LIMB_MV, LOW_CHEST_MV = 0.5, 1.0
Q_MV = 0.1
"""Size of a Q wave that counts, where two contiguous leads show it."""
ST_LOW_MV = -0.05
IRREGULAR = 0.12
"""Robust spread of RR, in parts of its median, from which the rhythm is called irregular here."""

TERRITORIES: Mapping[str, tuple[str, ...]] = {
    "inferior": ("II", "III", "aVF"),
    "lateral": ("I", "aVL", "V5", "V6"),
    "anterior": ("V2", "V3", "V4", "V5"),
    "anteroseptal": ("V1", "V2", "V3", "V4"),
    "anterolateral": ("I", "aVL", "V3", "V4", "V5", "V6"),
    "inferolateral": ("II", "III", "aVF", "V5", "V6", "I", "aVL"),
}


@dataclass(frozen=True)
class Sign:
    """What a measurement says of a statement."""

    text: str
    agrees: bool | None = None
    """None where it speaks neither for nor against."""
    values: Mapping[str, float] = field(default_factory=dict)


Check = Callable[["Analysis"], Sign | None]
"""None where nothing was measured."""


def _value(
    name: str,
    word: str,
    agrees: Callable[[float], bool] = lambda _: False,
    disputes: Callable[[float], bool] = lambda _: False,
) -> Check:
    """Return the check of one measurement; with a caution it is told and decides nothing."""
    unit = {"bpm": "/min", "ms": " ms", "deg": "°"}[name.rpartition("_")[2]]

    def check(analysis: Analysis) -> Sign | None:
        item = analysis.measurements[name]
        if item.value is None:
            return None
        text = f"{word} {item.value:.0f}{unit} measured"
        if item.caution:
            return Sign(f"{text} ({item.caution})", None, {name: item.value})
        says = True if agrees(item.value) else False if disputes(item.value) else None
        return Sign(text, says, {name: item.value})

    return check


def _long_qtc(analysis: Analysis) -> Sign | None:
    item = analysis.measurements["qtc_fridericia_ms"]
    if item.value is None:
        return None
    text, values = f"QTc {item.value:.0f} ms (Fridericia) measured", {"qtc_fridericia_ms": item.value}
    if item.caution or item.range is None or item.range.high is None:
        return Sign(f"{text} ({item.caution})" if item.caution else text, None, values)
    says = True if item.flag == "high" else False if item.value < item.range.high - TOLERANCE["qt"] else None
    return Sign(text, says, values)


def _left_voltage(analysis: Analysis) -> Sign | None:
    """Speak for hypertrophy where voltages exceed a limit; that they do not says little."""
    items = {name: analysis.measurements[name] for name in ("sokolow_lyon_mv", "cornell_mv")}
    known = {name: item for name, item in items.items() if item.value is not None}
    if not known:
        return None
    words = {"sokolow_lyon_mv": "Sokolow-Lyon", "cornell_mv": "Cornell"}
    text = ", ".join(f"{words[name]} {item.value:.1f} mV" for name, item in known.items()) + " measured"
    values = {name: float(item.value) for name, item in known.items() if item.value is not None}
    if cautions := dict.fromkeys(item.caution for item in known.values() if item.caution):
        return Sign(f"{text} ({'; '.join(map(str, cautions))})", None, values)
    return Sign(text, True if any(item.flag == "high" for item in known.values()) else None, values)


def _low_voltage(analysis: Analysis) -> Sign | None:
    rows = analysis.measurements.leads
    sizes = {lead: _qrs_mv(rows[lead]) for lead in (*LIMB, *CHEST) if lead in rows}
    limb = [size for lead in LIMB if (size := sizes.get(lead)) is not None]
    chest = [size for lead in CHEST if (size := sizes.get(lead)) is not None]
    if len(limb) < len(LIMB):
        return None
    text = f"largest QRS {max(limb):.1f} mV in the limb leads"
    text += f", {max(chest):.1f} mV in the chest leads" if chest else ""
    if max(limb) < LOW_LIMB_MV and (not chest or max(chest) < LOW_CHEST_MV):
        return Sign(f"{text} measured", True)
    return Sign(f"{text} measured", False if max(limb) >= 2 * LOW_LIMB_MV else None)


def _qrs_mv(row: Mapping[str, Measurement]) -> float | None:
    """Return the size of a QRS complex from its lowest to its highest point."""
    q, r, s = (row[f"{wave}_mv"].value for wave in "qrs")
    return None if q is None or r is None or s is None else r + max(q, s)


def _q_waves(leads: tuple[str, ...] | None) -> Check:
    def check(analysis: Analysis) -> Sign | None:
        rows = analysis.measurements.leads
        # aVR looks into the heart: its complexes begin downward.
        searched = [lead for lead in leads or rows if lead in rows and lead != "aVR"]
        sizes: dict[str, float] = {}
        for lead in searched:
            q, r, s = (rows[lead][f"{wave}_mv"].value or 0.0 for wave in "qrs")
            # A complex without any R is all Q (QS), and is measured as S.
            if (size := q if r else s) >= Q_MV:
                sizes[lead] = size
        return _in_neighbours(sizes, "Q waves")

    return check


def _st(leads: tuple[str, ...] | None, *, low: bool = False, high: bool = False) -> Check:
    def check(analysis: Analysis) -> Sign | None:
        rows = analysis.measurements.leads
        searched = [lead for lead in leads or rows if lead in rows and lead != "aVR"]
        items = {lead: rows[lead]["st_j_mv"] for lead in searched}
        known = {lead: item for lead, item in items.items() if item.value is not None and not item.caution}
        found = {}
        for lead, item in known.items():
            value = item.value or 0.0
            if (low and value <= ST_LOW_MV) or (high and item.flag == "high"):
                found[lead] = value
        return _in_neighbours(found, "ST at J")

    return check


def _in_neighbours(found: Mapping[str, float], word: str) -> Sign | None:
    """Return a sign for what two contiguous leads show; that none do is no sign against."""
    told = [lead for lead in found if any(lead in pair and set(pair) <= found.keys() for pair in CONTIGUOUS)]
    if not told:
        return None
    return Sign(f"{word} measured: " + ", ".join(f"{lead} {found[lead]:.2f} mV" for lead in told), True)


def _p_waves(*, wanted: bool) -> Check:
    def check(analysis: Analysis) -> Sign | None:
        marks = analysis.waves.global_.marks
        seen = ~np.isnan(marks[:, :, ONSET])
        n, with_p = int(seen[:, QRS].sum()), int((seen[:, QRS] & seen[:, P]).sum())
        if not n:
            return None
        mostly = True if with_p >= 0.8 * n else False if with_p <= 0.2 * n else None
        says = None if mostly is None else mostly == wanted
        return Sign(f"P waves are marked before {with_p} of {n} beats", says)

    return check


def _rr_range(analysis: Analysis) -> Sign | None:
    shortest, longest = (analysis.measurements[f"rr_{end}_ms"].value for end in ("min", "max"))
    if shortest is None or longest is None:
        return None
    return Sign(f"RR from {shortest:.0f} to {longest:.0f} ms measured")


def _irregular(analysis: Analysis) -> Sign | None:
    rr_s = analysis.beats.rr_s
    if len(rr_s) < 3:
        return None
    low, middle, high = np.quantile(rr_s, (0.25, 0.5, 0.75))
    spread = float((high - low) / 1.349 / middle)
    text = f"RR intervals scatter by {spread:.0%} of their median"
    return Sign(text, True if spread >= IRREGULAR else False if spread < IRREGULAR / 3 else None)


def _early(letters: str, word: str) -> Check:
    def check(analysis: Analysis) -> Sign | None:
        found = analysis.classes
        if found.reason:
            return None
        n = sum(letter in letters for letter in found.classes)
        total = len(found.classes)
        return Sign(f"{n or 'none'} of {total} beats look{'s' if n < 2 else ''} {word}", n > 0)

    return check


def _spikes(analysis: Analysis) -> Sign | None:
    found = analysis.pacing
    if found.paced is None:
        return None
    # That no spikes are found is no sign against pacing: those of bipolar leads can be too small to be seen.
    return Sign(f"{len(found)} pacing spikes", True) if found.paced else Sign("no pacing spikes are seen")


def _dissociation(analysis: Analysis) -> Sign | None:
    told = next((finding for finding in analysis.urgent if finding.code == "complete_block"), None)
    return None if told is None else Sign(told.text, True, told.values)


def _near(limit: float, unit: str, *, above: bool) -> tuple[Callable[[float], bool], Callable[[float], bool]]:
    """Return what agrees with a limit and what contradicts it by more than the tolerance."""
    slack = TOLERANCE[unit]
    if above:
        return lambda value: value >= limit, lambda value: value < limit - slack
    return lambda value: value <= limit, lambda value: value > limit + slack


SIGNS: dict[str, Check] = {
    "fast": _value("hr_bpm", "rate", *_near(FAST_BPM, "bpm", above=True)),
    "slow": _value("hr_bpm", "rate", *_near(SLOW_BPM, "bpm", above=False)),
    "rr_range": _rr_range,
    "fibrillation": _irregular,
    "p_waves": _p_waves(wanted=True),
    "no_p_waves": _p_waves(wanted=False),
    "early_v": _early("V", "ventricular"),
    "early_s": _early("S", "supraventricular and early"),
    "early_beats": _early("SV", "ectopic"),
    "spikes": _spikes,
    "dissociation": _dissociation,
    "pr_long": _value("pr_ms", "PR", *_near(LONG_PR_MS, "ms", above=True)),
    "pr_short": _value("pr_ms", "PR", *_near(SHORT_PR_MS, "ms", above=False)),
    "p_long": _value("p_ms", "P", lambda value: value >= LONG_P_MS),
    "qrs_complete": _value(
        "qrs_ms", "QRS", lambda v: v >= COMPLETE_BLOCK_MS, lambda v: v < INCOMPLETE_BLOCK_MS - TOLERANCE["ms"]
    ),
    "qrs_incomplete": _value(
        "qrs_ms",
        "QRS",
        lambda v: INCOMPLETE_BLOCK_MS <= v < COMPLETE_BLOCK_MS,
        lambda v: v >= COMPLETE_BLOCK_MS + TOLERANCE["ms"],
    ),
    "qrs_delayed": _value("qrs_ms", "QRS", *_near(INCOMPLETE_BLOCK_MS, "ms", above=True)),
    "qrs_width": _value("qrs_ms", "QRS", lambda v: v > INCOMPLETE_BLOCK_MS),
    "axis_left": _value("qrs_axis_deg", "QRS axis", lambda v: -90 <= v <= -45, lambda v: v > -30 + TOLERANCE["deg"]),
    "axis_right": _value("qrs_axis_deg", "QRS axis", lambda v: v >= 90, lambda v: -90 < v < 90 - TOLERANCE["deg"]),
    "axis_rightward": _value("qrs_axis_deg", "QRS axis", lambda v: v > 90),
    "qtc": _value("qtc_fridericia_ms", "QTc (Fridericia)"),
    "qtc_long": _long_qtc,
    "left_voltage": _left_voltage,
    "low_voltage": _low_voltage,
    "q_any": _q_waves(None),
    "st_low": _st(None, low=True),
    "st_high": _st(None, high=True),
    "st_any": _st(None, low=True, high=True),
    **{f"q_{name}": _q_waves(leads) for name, leads in TERRITORIES.items()},
    **{f"st_low_{name}": _st(leads, low=True) for name, leads in TERRITORIES.items()},
}
