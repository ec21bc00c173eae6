"""`measure`: a recording and its marks in, the table of an electrocardiograph out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ecg_core.beats import Beats
from ecg_core.leads import CHEST, LIMB
from ecg_core.measurements.amplitudes import HEIGHT_NAMES, ST_NAMES, measure_axes, measure_leads, measure_sums
from ecg_core.measurements.intervals import (
    FIBRILLATION,
    FORMULAS,
    NO_BEAT,
    WIDE_QRS_MS,
    measure_intervals,
    measure_rates,
    rr_before,
    rr_intervals,
)
from ecg_core.measurements.ranges import VOLTAGE_YEARS, assumptions, is_adult, reference_ranges, st_ranges
from ecg_core.measurements.representative import END, ONSET, QRS, P, T, align_dominant, global_marks
from ecg_core.measurements.values import Measurement, Measurements
from ecg_core.measurements.voltages import read_voltages
from ecg_core.preprocess import highpass_edge_hz, keeps_st
from ecg_core.recording import Recording, Subject
from ecg_core.statistics import median
from ecg_core.waves import Waves

BAND_HZ = 150.0
"""How far an adult's recording should reach, or narrow waves lose height (Kligfield et al., AHA/ACC/HRS
recommendations part I, J Am Coll Cardiol 2007;49:1109)."""

VALUES = (
    *("hr_bpm", "rr_min_ms", "rr_max_ms"),
    *("pr_ms", "p_ms", "qrs_ms", "qt_ms", "jt_ms", *(f"qtc_{name}_ms" for name in FORMULAS)),
    *("p_axis_deg", "qrs_axis_deg", "t_axis_deg"),
    *("sokolow_lyon_mv", "cornell_mv", "r_transition"),
)
"""Names of the values of a whole recording, in their order."""

_AXES = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")
_SUMS = ("sokolow_lyon_mv", "cornell_mv")
_RESTS_ON = {
    **dict.fromkeys(_AXES, LIMB),
    "sokolow_lyon_mv": ("V1", "V5", "V6"),
    "cornell_mv": ("V3", "aVL"),
    "r_transition": CHEST,
}
"""Leads whose names decide what a value means."""
_VOLTAGES = (*_AXES, *_SUMS, "r_transition")

OVERLAP_S = 0.010
"""From this overlap of T with the next P on, the area of neither is its own."""
CLEAR_S = 0.020
"""T must be over this long before QRS begins, or there is no level to measure against."""

NOT_MEASURED = "not measured"
_PACED = "the ventricles are paced"
_ON_P = "T runs into the next P wave"
_ON_QRS = "T runs into the next QRS complex: there is no level to measure against"
_SCALED = "the signal was scaled to a deviation of 1: it is in millivolts no longer"


def measure(
    recording: Recording,
    waves: Waves,
    subject: Subject | None = None,
    *,
    beats: Beats | None = None,
    withheld: Mapping[str, str] | None = None,
    doubtful: Mapping[str, str] | None = None,
    fibrillation: bool = False,
    paced: bool = False,
) -> Measurements:
    """Measure rates, intervals, axes, wave heights and ST levels.

    Intervals, axes and voltages speak of the beats of the dominant shape (`align_dominant`), rates of all. Nothing is
    clipped to what is usual. What cannot be had is None, with the reason.

    Parameters
    ----------
    recording
        Of any length, at any rate, with any leads; unfiltered, or in the diagnostic band where ST levels are wanted.
    waves
        Its waves; the global ones are used.
    subject
        Whose ranges apply; without it, the recording's.
    beats
        Its beats, from which rates are taken, also where ``waves`` covers only a part of the recording; without them
        the rates are those of the QRS complexes in ``waves``.
    withheld
        Leads that are not to be measured, and why; they need not be among the recording's.
    doubtful
        Leads that may not be what they are called, and why: a caution for all that rests on them.
    fibrillation
        The rhythm is atrial fibrillation or flutter: P is not measured, and QTc is averaged over beats.
    paced
        The ventricles are paced: QT and signs of hypertrophy are withheld.
    """
    subject, withheld = subject or recording.subject, withheld or {}
    order = (*recording.leads, *withheld)
    if kept := tuple(lead for lead in recording.leads if lead not in withheld):
        recording = recording if len(kept) == recording.n_leads else recording.select(kept)
    marks = global_marks(waves)
    if fibrillation:
        marks[:, P] = math.nan
    rr_s = rr_intervals(recording, marks) if beats is None else rr_before(beats, marks)
    rates = measure_rates(rr_s) if beats is None else measure_rates(beats.rr_s, beats.heart_rate.reason)
    values = {name: Measurement(None, NOT_MEASURED, reason=waves.reason or NO_BEAT) for name in VALUES} | rates
    leads: dict[str, dict[str, Measurement]] = {}
    if len(marks):
        typical = align_dominant(recording, marks)
        voltages = read_voltages(recording, typical)
        rows = typical.rows
        values |= measure_intervals(marks[rows], rr_s[rows], rr_s, fibrillation=fibrillation, paced=paced)
        values |= measure_axes(typical, voltages, recording.leads)
        values |= measure_sums(voltages, recording.leads)
        leads = measure_leads(voltages, recording.leads)
        reasons = _forbidden(recording, marks, rows, fibrillation=fibrillation, paced=paced)
        values = _without(values, reasons)
        leads = {lead: _without(row, reasons) for lead, row in leads.items()}
    values, leads = _judge(values, leads, subject, doubtful or {}, paced=paced)
    for lead, reason in withheld.items():
        leads[lead] = {name: Measurement(None, NOT_MEASURED, reason=reason) for name in (*HEIGHT_NAMES, *ST_NAMES)}
    leads = {lead: leads[lead] for lead in order if lead in leads}
    return Measurements(values, leads, subject, paced, (*assumptions(subject), *_notes(recording)))


def _forbidden(
    recording: Recording, marks: np.ndarray, rows: np.ndarray, *, fibrillation: bool, paced: bool
) -> dict[str, str]:
    """Return why values cannot be had, by their names, because of the rhythm or of what was done to the signal."""
    found: dict[str, str] = {}
    if fibrillation:
        found["p_axis_deg"] = FIBRILLATION
    if paced:
        found |= dict.fromkeys((*_SUMS, "r_transition"), _PACED)
    if not keeps_st(recording):
        found |= dict.fromkeys(ST_NAMES, _why_no_st(recording))
    if _outlasts_s(marks, rows, P) > OVERLAP_S:
        found |= dict.fromkeys(("p_axis_deg", "t_axis_deg"), _ON_P)
    if _outlasts_s(marks, rows, QRS) > -CLEAR_S:
        found |= dict.fromkeys((*_VOLTAGES, *HEIGHT_NAMES, *ST_NAMES), _ON_QRS)
    if any(step.name == "normalise" for step in recording.history):
        found |= dict.fromkeys((*_VOLTAGES, *HEIGHT_NAMES, *ST_NAMES), _SCALED)
    return found


def _judge(
    values: dict[str, Measurement],
    leads: dict[str, dict[str, Measurement]],
    subject: Subject,
    doubtful: Mapping[str, str],
    *,
    paced: bool,
) -> tuple[dict[str, Measurement], dict[str, dict[str, Measurement]]]:
    """Set ranges and flags, and the cautions that forbid a flag."""
    width = values["qrs_ms"].value
    wide = f"QRS lasts {width:.0f} ms" if width is not None and width >= WIDE_QRS_MS else None
    young = None
    if is_adult(subject) and subject.age is not None and subject.age < VOLTAGE_YEARS:
        young = f"voltage criteria hold above {VOLTAGE_YEARS:.0f} years"
    for name in _SUMS:
        values[name] = values[name].with_caution(wide, young)
    for name, rests_on in _RESTS_ON.items():
        values[name] = values[name].with_caution(next((doubtful[lead] for lead in rests_on if lead in doubtful), None))
    ranges, st = reference_ranges(subject), st_ranges(subject)
    judged = {}
    for lead, row in leads.items():
        items = {name: item.with_caution(doubtful[lead]) for name, item in row.items()} if lead in doubtful else row
        j_level = items["st_j_mv"].with_caution(_PACED if paced else wide).judged(st.get(lead))
        judged[lead] = items | {"st_j_mv": j_level}
    return {name: item.judged(ranges.get(name)) for name, item in values.items()}, judged


def _without(items: dict[str, Measurement], reasons: Mapping[str, str]) -> dict[str, Measurement]:
    """Return the measurements, with a reason in place of each value that is forbidden."""
    return {
        name: Measurement(None, item.method, reason=reasons[name]) if name in reasons else item
        for name, item in items.items()
    }


def _outlasts_s(marks: np.ndarray, rows: np.ndarray, wave: int) -> float:
    """Return by how long (s) T outlasts the onset of the next P or QRS: the median over the beats ``rows``."""
    rows = rows[rows > 0]
    overlap = marks[rows - 1, T, END] - marks[rows, wave, ONSET]
    overlap = overlap[~np.isnan(overlap)]
    return float(median(overlap)) if len(overlap) else -math.inf


def _why_no_st(recording: Recording) -> str:
    edge = highpass_edge_hz(recording)
    cause = "the removal of its baseline" if edge is None else f"a high-pass filter at {edge:g} Hz"
    return f"the recording went through {cause}, which moves ST"


def _notes(recording: Recording) -> list[str]:
    edges = [step.parameters.get("applied_high_hz") for step in recording.history]
    band = min(float(edge) for edge in (*edges, recording.fs / 2) if edge is not None)
    if band >= BAND_HZ:
        return []
    return [f"the signal ends at {band:g} Hz instead of {BAND_HZ:g} Hz: narrow waves may be higher than they measure"]
