"""Figures of the beats' times, their waves' times and their classes."""

from __future__ import annotations

import math

import numpy as np

from ecg_core.beat_classes.value import CLASSES, BeatClass
from ecg_core.rhythm.intervals import measure_intervals
from ecg_core.statistics import median, quantiles
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T

STEP_S = 0.01
"""Beats are taken to this: finer intervals would tell trees at which rate a recording was made."""

_RR = (
    *("rr_median_s", "rr_min_s", "rr_max_s", "rr_cv", "rr_rmssd", "rr_step_median", "rr_step_mean", "rr_step_q80"),
    *("rr_step_q20", "rr_nn50", "rr_nn5", "rr_nn10", "rr_nn20", "rr_q05", "rr_q25", "rr_q75", "rr_q95", "rr_iqr"),
    *("rr_sd1_sd2", "rr_lag1", "rr_lag2", "rr_lag3", "rr_step_lag1", "rr_turning", "rr_curvature", "rr_entropy"),
    *("rr_cosen", "rr_sampen10", "rr_spread_cells", "rr_origin", "rr_early", "rr_late", "rr_early_paused_share"),
    *("rr_relative_min", "rr_relative_max", "rr_steady_cv", "rr_steady_rmssd", "rr_steady_share", "rr_trend"),
    *("rr_run_calm", "rr_run_wild", "rr_run_regular", "rr_run_irregular"),
)
"""Of consecutive RR intervals, see `ecg_core.rhythm.intervals`."""

BEAT_FIGURES = (
    *_RR,
    *("p_share", "p_alone", "pr_ms", "pr_spread_ms", "pr_min_ms", "pr_max_ms", "pr_step_ms", "p_ms", "p_spread_ms"),
    *("pp_cv", "qrs_ms", "qrs_spread_ms", "qrs_min_ms", "qrs_max_ms"),
    *("t_share", "qt_ms", "qt_spread_ms", "jt_ms", "tpe_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "tp_ms"),
)
"""``p_share``: part of the QRS complexes with a P wave before them; ``p_alone``: P waves that no QRS follows, for each
QRS; ``pp_cv``: how irregular P waves are; ``pr_step_ms``: mean change of PR from beat to beat; ``tpe_ms``: T peak to T
end; ``tp_ms``: T end to the next P. Spreads are half the range from the 10th to the 90th percentile."""

CLASS_FIGURES = (
    *("class_S", "class_V", "class_F", "class_S_max", "class_V_max"),
    *("ectopic_step", "ectopic_step2", "ectopic_step3", "ectopic_run"),
)
"""``class_V``: mean probability of the class over the beats; ``ectopic_step2``: mean difference of the probability of
an ectopic beat from beat to the next but one; ``ectopic_run``: part of the beats in the longest run of ectopic ones.

All on condition that a beat is not paced or unclassifiable: how likely that is hangs on whether a recording is fast
enough to look for spikes, and those that trees learn from are not."""

_LEAST = 1e-6
_PLAIN: tuple[BeatClass, ...] = ("N", "S", "V", "F")


def measure_beats(beats_s: np.ndarray, stretch: np.ndarray, marks: np.ndarray) -> dict[str, float]:
    """Return `BEAT_FIGURES`, without those that cannot be had.

    Parameters
    ----------
    beats_s
        Beats in seconds, shape (n_beats,).
    stretch
        Number of the recorded stretch that each lies in, shape (n_beats,).
    marks
        Global marks in seconds, shape (n_rows, 3, 3).
    """
    times = np.rint(beats_s / STEP_S) * STEP_S
    rr_s = np.diff(times)[np.diff(stretch) == 0]
    given = measure_intervals(rr_s[rr_s > 0])
    found = {name: given[name] for name in _RR if name in given}
    onset, end = 1000 * marks[:, :, ONSET], 1000 * marks[:, :, END]
    has = ~np.isnan(onset)
    beats = has[:, QRS]
    n = int(beats.sum())
    if not n:
        return found
    found["p_share"] = float((has[:, P] & beats).sum() / n)
    found["p_alone"] = float((has[:, P] & ~beats).sum() / n)
    found["t_share"] = float((has[:, T] & beats).sum() / n)
    pr = _known(onset[:, QRS] - onset[:, P])
    found |= _spans("pr", pr, extremes=True)
    if len(pr) > 1:
        found["pr_step_ms"] = float(np.abs(np.diff(pr)).mean())
    found |= _spans("p", _known(end[:, P] - onset[:, P]))
    pp = np.diff(np.sort(marks[has[:, P], P, PEAK]))
    if len(pp) > 1:
        found["pp_cv"] = float(pp.std() / pp.mean())
    found |= _spans("qrs", _known(end[:, QRS] - onset[:, QRS]), extremes=True)
    found |= _spans("qt", _known(end[:, T] - onset[:, QRS]))
    for name, values in (
        ("jt_ms", end[:, T] - end[:, QRS]),
        ("tpe_ms", end[:, T] - 1000 * marks[:, T, PEAK]),
        ("tp_ms", onset[1:, P] - end[:-1, T]),
    ):
        if len(known := _known(values)):
            found[name] = float(median(known))
    if "qt_ms" in found and len(rr_s):
        mean = float(rr_s.mean())
        found["qtc_bazett_ms"] = found["qt_ms"] / math.sqrt(mean)
        found["qtc_fridericia_ms"] = found["qt_ms"] / math.cbrt(mean)
    return found


def measure_classes(probabilities: np.ndarray) -> dict[str, float]:
    """Return `CLASS_FIGURES` of probabilities of shape (n_beats, 5); none without beats."""
    n = len(probabilities)
    if not n:
        return {}
    plain = probabilities[:, [CLASSES.index(name) for name in _PLAIN]]
    plain = plain / np.maximum(plain.sum(axis=1, keepdims=True), _LEAST)
    of = dict(zip(_PLAIN, plain.T, strict=True))
    found = {f"class_{name}": float(of[name].mean()) for name in _PLAIN[1:]}
    found |= {"class_S_max": float(of["S"].max()), "class_V_max": float(of["V"].max())}
    ectopic = of["S"] + of["V"] + of["F"]
    for lag, name in ((1, "ectopic_step"), (2, "ectopic_step2"), (3, "ectopic_step3")):
        if n > lag:
            found[name] = float(np.abs(ectopic[lag:] - ectopic[:-lag]).mean())
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ectopic > 0.5, [False]))))
    found["ectopic_run"] = int((edges[1::2] - edges[::2]).max(initial=0)) / n
    return found


def _known(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[~np.isnan(values)])


def _spans(wave: str, values_ms: np.ndarray, *, extremes: bool = False) -> dict[str, float]:
    """Return the median of what a wave lasts, its spread and, if asked for, its extremes."""
    if not len(values_ms):
        return {}
    low, middle, high = quantiles(values_ms, (0.1, 0.5, 0.9)).tolist()
    found = {f"{wave}_ms": middle, f"{wave}_spread_ms": (high - low) / 2}
    if extremes:
        found |= {f"{wave}_min_ms": float(values_ms.min()), f"{wave}_max_ms": float(values_ms.max())}
    return found
