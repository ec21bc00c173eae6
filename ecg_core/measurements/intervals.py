"""Rates and intervals, from marks alone.

QTc after Bazett (Heart 1920;7:353), Fridericia (Acta Med Scand 1920;53:469), Framingham (Sagie, Am J Cardiol
1992;70:797) and Hodges (J Am Coll Cardiol 1983;1:694).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ecg_core.beats import Beats
from ecg_core.measurements.representative import END, MIN_SHARE, ONSET, PEAK, QRS, P, T
from ecg_core.measurements.values import Measurement, finite, spread_of, summarise
from ecg_core.recording import Recording

WIDE_QRS_MS = 120.0
"""From this duration on, ventricular conduction prolongs QT, turns ST and T, and raises voltages."""
BAZETT_BPM = (50.0, 110.0)
"""Outside these rates Bazett's correction misleads."""

FORMULAS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "bazett": ("QT / RR^(1/2)", lambda qt, rr: qt / np.sqrt(rr)),
    "fridericia": ("QT / RR^(1/3)", lambda qt, rr: qt / np.cbrt(rr)),
    "framingham": ("QT + 154 (1 - RR)", lambda qt, rr: qt + 154 * (1 - rr)),
    "hodges": ("QT + 1.75 (60 / RR - 60)", lambda qt, rr: qt + 1.75 * (60 / rr - 60)),
}
"""QTc in ms from QT in ms and RR in s."""

_SAME_BEAT_S = 0.15
"""A marked QRS and a beat this close are one."""

NO_BEAT = "no QRS complex was marked"
FIBRILLATION = "in atrial fibrillation or flutter there is no P wave to measure"
PACED_QT = "the ventricles are paced: QT and what follows from it say nothing about repolarisation"


def rr_intervals(recording: Recording, marks: np.ndarray) -> np.ndarray:
    """Return the time (s, shape (n,)) from the beat before to each beat; NaN for the first and across what was lost.

    Parameters
    ----------
    recording
        In which an interval is lost where all leads were, for a sample or more.
    marks
        Global marks (s) of n beats, shape (n, 3, 3).
    """
    peaks = marks[:, QRS, PEAK]
    lost = np.cumsum(np.isnan(recording.signal).all(axis=0))
    if len(lost) and lost[-1]:
        at = lost[np.clip(np.rint(peaks * recording.fs).astype(np.int64), 0, len(lost) - 1)]
        whole = np.diff(at) == 0
    else:
        whole = np.ones(max(len(peaks) - 1, 0), bool)
    return np.concatenate([np.full(min(len(peaks), 1), np.nan), np.where(whole, np.diff(peaks), np.nan)])


def rr_before(beats: Beats, marks: np.ndarray) -> np.ndarray:
    """Return the time (s, shape (n,)) from the beat before to each marked one; NaN for the first and across gaps.

    Parameters
    ----------
    beats
        All beats; a marked QRS is the one of them that lies nearest to it, if any is near.
    marks
        Global marks (s) of n beats, shape (n, 3, 3).
    """
    times, peaks = beats.times_s, marks[:, QRS, PEAK]
    found = np.full(len(peaks), np.nan)
    if len(times) < 2:
        return found
    after = np.clip(np.searchsorted(times, peaks), 1, len(times) - 1)
    row = after - (peaks - times[after - 1] < times[after] - peaks)
    whole = (row > 0) & (beats.stretch[row] == beats.stretch[row - 1]) & (np.abs(times[row] - peaks) < _SAME_BEAT_S)
    found[whole] = times[row[whole]] - times[row[whole] - 1]
    return found


def measure_rates(rr_s: np.ndarray, no_rate: str | None = None) -> dict[str, Measurement]:
    """Return the heart rate and the range of RR, given RR intervals (s, shape (n,), NaN where lost).

    ``no_rate`` says why there are none, where that is known.
    """
    known = rr_s[~np.isnan(rr_s)]
    methods = {
        "hr_bpm": "60 / mean RR",
        "rr_min_ms": "shortest RR interval",
        "rr_max_ms": "longest RR interval",
    }
    if not len(known):
        reason = no_rate or (NO_BEAT if not len(rr_s) else "no two beats follow each other within what was recorded")
        return {name: Measurement(None, method, reason=reason) for name, method in methods.items()}
    values = {
        "hr_bpm": (60 / known.mean(), finite(spread_of(60 / known))),
        "rr_min_ms": (1000 * known.min(), None),
        "rr_max_ms": (1000 * known.max(), None),
    }
    return {
        name: Measurement(float(value), methods[name], len(known), spread) for name, (value, spread) in values.items()
    }


def measure_intervals(
    marks: np.ndarray, rr_s: np.ndarray, all_rr_s: np.ndarray, *, fibrillation: bool, paced: bool
) -> dict[str, Measurement]:
    """Return PR, P, QRS, QT, JT and QTc.

    Parameters
    ----------
    marks
        Global marks (s) of the beats of the dominant shape, shape (n, 3, 3).
    rr_s
        RR interval (s) before each of them, shape (n,); NaN where lost.
    all_rr_s
        RR intervals of the whole recording; NaN where lost.
    fibrillation
        There are no P waves, whatever is marked, and QTc is averaged over beats.
    paced
        QT is withheld.
    """
    onset, end = 1000 * marks[:, :, ONSET], 1000 * marks[:, :, END]
    over = "median over the beats of the dominant shape, from global marks"
    no_p = FIBRILLATION if fibrillation else _lacking("P", onset[:, P])
    no_t = PACED_QT if paced else _lacking("T", onset[:, T])
    qt = np.full(len(marks), np.nan) if no_t else end[:, T] - onset[:, QRS]
    found = {
        "pr_ms": _interval(onset[:, QRS] - onset[:, P], f"P onset to QRS onset, {over}", no_p),
        "p_ms": _interval(end[:, P] - onset[:, P], f"P onset to P end, {over}", no_p),
        "qrs_ms": _interval(end[:, QRS] - onset[:, QRS], f"QRS onset to QRS end, {over}", None),
        "qt_ms": _interval(qt, f"QRS onset to T end, {over}", no_t),
        "jt_ms": _interval(end[:, T] - end[:, QRS], f"QRS end to T end, {over}", no_t),
    }
    corrected = {f"qtc_{name}_ms": _corrected(name, qt, rr_s, all_rr_s, fibrillation, no_t) for name in FORMULAS}
    width = found["qrs_ms"].value
    if width is not None and width >= WIDE_QRS_MS:
        wide = f"QRS lasts {width:.0f} ms and prolongs QT: judge JT"
        corrected = {name: item.with_caution(wide) for name, item in corrected.items()}
        found["qt_ms"] = found["qt_ms"].with_caution(wide)
    return found | corrected


def _lacking(wave: str, onset: np.ndarray) -> str | None:
    """Return why a wave with these onsets (NaN where absent) cannot be measured, if so."""
    there = int(np.count_nonzero(~np.isnan(onset)))
    if not len(onset):
        return NO_BEAT
    if there >= MIN_SHARE * len(onset):
        return None
    which = f"only {there} of {len(onset)} beats have" if there else "none of the beats has"
    return f"{which} a {wave} wave that was seen whole"


def _interval(values_ms: np.ndarray, method: str, withheld: str | None) -> Measurement:
    if withheld:
        return Measurement(None, method, reason=withheld)
    return summarise(values_ms, method, NO_BEAT)


def _corrected(
    name: str, qt_ms: np.ndarray, rr_s: np.ndarray, all_rr_s: np.ndarray, fibrillation: bool, withheld: str | None
) -> Measurement:
    formula, correct = FORMULAS[name]
    how = "RR the one before the beat, mean over beats" if fibrillation else "QT the median over beats, RR the mean"
    method = f"{formula}, {how}"
    if withheld:
        return Measurement(None, method, reason=withheld)
    each = correct(qt_ms, rr_s)
    each = each[~np.isnan(each)]
    if np.isnan(all_rr_s).all() or (fibrillation and not len(each)):
        return Measurement(
            None, method, reason="no two beats follow each other: there is no RR interval to correct for"
        )
    value = each.mean() if fibrillation else correct(np.nanmedian(qt_ms), np.nanmean(all_rr_s))
    n = len(each) if fibrillation else int(np.count_nonzero(~np.isnan(qt_ms)))
    found = Measurement(float(value), method, n, finite(spread_of(each)))
    return found.with_caution(*_cautions(name, 60 / float(np.nanmean(all_rr_s)), fibrillation))


def _cautions(name: str, rate_bpm: float, fibrillation: bool) -> list[str | None]:
    outside = name == "bazett" and not BAZETT_BPM[0] <= rate_bpm <= BAZETT_BPM[1]
    return [
        f"at {rate_bpm:.0f}/min Bazett's formula misleads" if outside else None,
        "in atrial fibrillation Fridericia's is preferred" if fibrillation and name != "fridericia" else None,
    ]
