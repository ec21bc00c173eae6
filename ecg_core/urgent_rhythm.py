"""Critical rhythms by rule: ventricular tachycardia and complete block.

Sources
-------
- Al-Khatib et al., 2017 AHA/ACC/HRS guideline on ventricular arrhythmias, Circulation 2018;138:e272: ventricular
  tachycardia is three or more ventricular complexes in a row at more than 100/min.
- Page et al., 2015 ACC/AHA/HRS guideline on supraventricular tachycardia, Circulation 2016;133:e506: a tachycardia of
  over 100/min with QRS of 120 ms or more is taken for ventricular until that is refuted. Departures: it must be over
  120/min, regular and without P waves, so that a sinus rhythm (whose P hides in T from about 100/min on) or
  fibrillation with bundle branch block is none.
- Kusumoto et al., 2018 ACC/AHA/HRS guideline on bradycardia, Circulation 2019;140:e382: in third-degree block nothing
  is conducted to the ventricles. Regular P waves and slower regular QRS complexes that keep no time with them are its
  sign; how regular and how independent is stated below, and our choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.beats import Beats
from ecg_core.measurements.intervals import WIDE_QRS_MS
from ecg_core.measurements.values import Measurements, spread_of
from ecg_core.waves import PEAK, Waves

TACHYCARDIA_BPM = 100.0
WIDE_BPM = 120.0
LEAST_RUN = 3
"""Ventricular complexes in a row that are a tachycardia."""
REGULAR = 0.1
"""A rhythm is regular when its intervals scatter (robust SD) by less than this part of their median."""

_LEAST_BEATS = 4
_LEAST_P = 5
_ESCAPE_BPM = 60.0
"""Without conduction, an escape rhythm is slower than this."""
_FASTER = 1.1
"""The atria beat faster than the ventricles by this factor at least."""
_ON_GRID = 0.15
_ON_GRID_SHARE = 0.8
"""P waves are regular when this share of their intervals is a multiple of the shortest usual one, to within that part
of it: those that hide in a QRS complex or a T wave are missing."""
_IN_STEP = 0.75
"""QRS complexes keep time with P waves where their phases in the P cycle have a mean vector of this length or more."""

_VENTRICULAR = "AHA/ACC/HRS guideline on ventricular arrhythmias 2017"
_WIDE = "ACC/AHA/HRS guideline on supraventricular tachycardia 2015"
_BRADYCARDIA = "ACC/AHA/HRS guideline on bradycardia 2018"


@dataclass(frozen=True)
class UrgentFinding:
    """One critical finding."""

    code: str
    text: str
    values: Mapping[str, float]
    """What it rests on, by name (``"hr_bpm"``, ``"V2.st_j_mv"``)."""
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {**vars(self), "values": dict(self.values)}


def ventricular_runs(beats: Beats, classes: Sequence[str]) -> Iterator[UrgentFinding]:
    """Yield the longest run of fast ventricular beats, and how many there are."""
    ventricular = np.array([letter == "V" for letter in classes], bool)
    if len(ventricular) != len(beats):
        return
    edges = np.flatnonzero(np.diff(ventricular, prepend=False, append=False)).reshape(-1, 2)
    runs = []
    for start, stop in edges:
        if stop - start >= LEAST_RUN and beats.stretch[start] == beats.stretch[stop - 1]:
            rate = 60 * (stop - start - 1) / (beats.times_s[stop - 1] - beats.times_s[start])
            if rate > TACHYCARDIA_BPM:
                runs.append((int(stop - start), float(rate), float(beats.times_s[start])))
    if not runs:
        return
    length, rate, start_s = max(runs)
    text = f"{length} beats in a row look ventricular, at {rate:.0f}/min, from {start_s:.1f} s on"
    text += f"; {len(runs)} such runs" if len(runs) > 1 else ""
    values = {"beats": float(length), "rate_bpm": rate, "start_s": start_s, "runs": float(len(runs))}
    yield UrgentFinding("ventricular_tachycardia", text, values, _VENTRICULAR)


def wide_tachycardia(measurements: Measurements, beats: Beats) -> Iterator[UrgentFinding]:
    """Yield a regular tachycardia of wide complexes without P waves."""
    rate, width = measurements["hr_bpm"].value, measurements["qrs_ms"].value
    if rate is None or width is None or rate <= WIDE_BPM or width < WIDE_QRS_MS:
        return
    if measurements["pr_ms"].value is not None or not _is_regular(beats.rr_s):
        return
    text = f"Regular tachycardia at {rate:.0f}/min with QRS of {width:.0f} ms and no P waves: may be ventricular"
    yield UrgentFinding("wide_tachycardia", text, {"hr_bpm": rate, "qrs_ms": width}, _WIDE)


def complete_block(waves: Waves) -> Iterator[UrgentFinding]:
    """Yield that P waves and slower QRS complexes, both regular, do not keep time."""
    p_s, qrs_s = (np.sort(waves.global_.of(kind)[:, PEAK]) for kind in ("p", "qrs"))
    if len(p_s) < _LEAST_P or len(qrs_s) < _LEAST_BEATS:
        return
    rr_s, pp_s = np.diff(qrs_s), np.diff(p_s)
    cycle_s = float(np.median(pp_s[pp_s <= 1.4 * pp_s.min()]))
    off = np.abs(pp_s / cycle_s - np.maximum(np.rint(pp_s / cycle_s), 1))
    ventricular, atrial = 60 / float(np.median(rr_s)), 60 / cycle_s
    if not _is_regular(rr_s) or (off <= _ON_GRID).mean() < _ON_GRID_SHARE:
        return
    if ventricular >= _ESCAPE_BPM or atrial < _FASTER * ventricular:
        return
    before = np.searchsorted(p_s, qrs_s) - 1
    phase = (qrs_s[before >= 0] - p_s[before[before >= 0]]) / cycle_s
    if abs(np.exp(2j * np.pi * phase).mean()) >= _IN_STEP:
        return
    text = (
        f"P waves at {atrial:.0f}/min and QRS complexes at {ventricular:.0f}/min, both regular, do not keep time:"
        " third-degree AV block"
    )
    yield UrgentFinding("complete_block", text, {"atrial_bpm": atrial, "ventricular_bpm": ventricular}, _BRADYCARDIA)


def _is_regular(intervals_s: np.ndarray) -> bool:
    return len(intervals_s) >= LEAST_RUN and float(spread_of(intervals_s)) < REGULAR * float(np.median(intervals_s))
