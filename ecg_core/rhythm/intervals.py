"""Figures of the intervals between beats: how regular they are, and in which way they are not.

Sources: Sarkar 2008 (doi:10.1109/TBME.2007.903707) for what differences of intervals tell of AF and of premature beats,
Lake & Moorman 2011 (doi:10.1152/ajpheart.00561.2010) for the coefficient of sample entropy.
"""

from __future__ import annotations

import math

import numpy as np

from ecg_core.statistics import deviation, mean, median, quantiles, share

EARLY = 0.85
"""An interval under this part of the local median ends in a premature beat."""
LATE = 1.15
"""An interval over this many times the local median is a pause."""
_LOCAL = 9
"""Intervals that the local median is taken over."""
_LEAST = 4
"""Intervals from which figures are given."""
_RUN = 8
"""Intervals of a run."""
_SAME_S = 0.03
_EDGES = np.arange(0.3, 2.35, 0.05)
"""Of the classes of intervals, in terms of the median, whose entropy is taken."""
_CELL_S = 0.04
"""Size of a cell of the plot of one difference against the next."""


def local_median(rr_s: np.ndarray) -> np.ndarray:
    """Return the median of the intervals around each one, seconds, shape (n_rr,)."""
    from scipy.ndimage import median_filter

    if not len(rr_s):
        return np.empty(0)
    found: np.ndarray = median_filter(rr_s, size=min(_LOCAL, len(rr_s)), mode="nearest")
    return found


def measure_intervals(rr_s: np.ndarray) -> dict[str, float]:
    """Return the figures of consecutive RR intervals, seconds, shape (n_rr,); none where there are too few."""
    if len(rr_s) < _LEAST:
        return {}
    average, middle = float(mean(rr_s)), float(median(rr_s))
    step = np.diff(rr_s)
    size = np.abs(step)
    local = local_median(rr_s)
    relative = rr_s / local
    early, late = relative < EARLY, relative > LATE
    paused = early[:-1] & (relative[1:] > 1.05)
    quiet = ~(early | late)
    quiet[1:] &= ~early[:-1]
    steady = rr_s[quiet] if quiet.sum() >= _LEAST else rr_s
    low, q25, q75, high = quantiles(rr_s, (0.05, 0.25, 0.75, 0.95)) / middle
    step20, step50, step80 = quantiles(size, (0.2, 0.5, 0.8)) / middle
    sd1, sd2 = float(deviation(step) / np.sqrt(2)), float(deviation(rr_s[1:] + rr_s[:-1]) / np.sqrt(2))
    return {
        "rr_median_s": middle,
        "rr_min_s": float(rr_s.min()),
        "rr_max_s": float(rr_s.max()),
        "rr_cv": float(deviation(rr_s) / average),
        "rr_rmssd": float(np.sqrt(mean(step * step)) / average),
        "rr_step_median": float(step50),
        "rr_step_mean": float(mean(size) / average),
        "rr_step_q80": float(step80),
        "rr_step_q20": float(step20),
        "rr_nn50": share(size > 0.05),
        "rr_nn5": share(size > 0.05 * middle),
        "rr_nn10": share(size > 0.1 * middle),
        "rr_nn20": share(size > 0.2 * middle),
        "rr_q05": float(low),
        "rr_q25": float(q25),
        "rr_q75": float(q75),
        "rr_q95": float(high),
        "rr_iqr": float(q75 - q25),
        "rr_sd1_sd2": sd1 / (sd2 + 1e-6),
        "rr_lag1": _lag(rr_s, 1),
        "rr_lag2": _lag(rr_s, 2),
        "rr_lag3": _lag(rr_s, 3),
        "rr_step_lag1": _lag(step, 1),
        "rr_turning": share(step[1:] * step[:-1] < 0),
        "rr_curvature": float(np.sqrt(mean(np.diff(step) ** 2)) / (np.sqrt(mean(step * step)) + 1e-3)),
        "rr_entropy": _shannon(_histogram(rr_s / middle)),
        "rr_cosen": _sample_entropy(rr_s, _SAME_S) + float(np.log(2 * _SAME_S / average)),
        "rr_sampen10": _sample_entropy(rr_s / middle, 0.1),
        "rr_spread_cells": _cells(step),
        "rr_origin": share(np.hypot(step[1:], step[:-1]) < 0.06 * middle),
        "rr_early": share(early),
        "rr_early_n": float(early.sum()),
        "rr_earlier_n": float((relative < 0.7).sum()),
        "rr_late": share(late),
        "rr_late_n": float(late.sum()),
        "rr_long_n": float((relative > 1.6).sum()),
        "rr_early_paused_n": float(paused.sum()),
        "rr_early_paused_share": float(paused.sum() / max(1, early.sum())),
        "rr_relative_min": float(relative.min()),
        "rr_relative_max": float(relative.max()),
        "rr_steady_cv": float(deviation(steady) / mean(steady)),
        "rr_steady_rmssd": float(np.sqrt(mean(np.diff(steady) ** 2)) / mean(steady)),
        "rr_steady_share": share(quiet),
        "rr_trend": _trend(rr_s),
        **_runs(size / middle),
    }


def _lag(values: np.ndarray, lag: int) -> float:
    """Return the autocorrelation at a lag, 0 where it is not defined."""
    centred = values - mean(values)
    power = float((centred**2).sum())
    return float((centred[lag:] * centred[:-lag]).sum() / power) if power > 0 and len(values) > lag else 0.0


def _trend(values: np.ndarray) -> float:
    """Return the size of the correlation with time, 0 where it is not defined."""
    centred = values - mean(values)
    power = float(centred @ centred)
    if not power > 0:
        return 0.0
    at = np.arange(len(values)) - (len(values) - 1) / 2
    return min(abs(float(at @ centred)) / math.sqrt(float(at @ at) * power), 1.0)


def _histogram(values: np.ndarray) -> np.ndarray:
    """Return how many values lie between each two of `_EDGES`, the last one included."""
    below = np.searchsorted(ordered := np.sort(values), _EDGES)
    below[-1] = np.searchsorted(ordered, _EDGES[-1], side="right")
    return np.diff(below)


def _shannon(counts: np.ndarray) -> float:
    """Return the entropy of counts in bits, relative to that of as many different values as fit."""
    share = counts[counts > 0] / max(1, counts.sum())
    most = np.log2(min(max(2, counts.sum()), len(counts)))
    return float(-(share * np.log2(share)).sum() / most)


def _sample_entropy(values: np.ndarray, tolerance: float) -> float:
    """Return the sample entropy for templates of one value, with counts that are never zero."""
    close = np.abs(values[:, None] - values[None]) <= tolerance
    np.fill_diagonal(close, False)
    pairs = close[:-1, :-1]
    longer = pairs & close[1:, 1:]
    return float(-np.log((longer.sum() + 1.0) / (pairs.sum() + 1.0)))


def _cells(step: np.ndarray) -> float:
    """Return over how many cells of the plot of differences the points spread, relative to their number."""
    cell = np.floor(np.stack((step[1:], step[:-1])) / _CELL_S + 0.5).astype(np.int64)
    return len(set((cell[0] * 4096 + cell[1]).tolist())) / len(cell[0])


def _runs(size: np.ndarray) -> dict[str, float]:
    """Return figures of the most and the least regular stretch of the strip."""
    width = min(_RUN, len(size))
    running = np.convolve(size, np.full(width, 1 / width), mode="valid")
    middle = median(np.lib.stride_tricks.sliding_window_view(size, width).T)
    return {
        "rr_run_calm": float(running.min()),
        "rr_run_wild": float(running.max()),
        "rr_run_wild_median": float(middle.max()),
        "rr_run_calm_median": float(middle.min()),
        "rr_run_regular": _longest(size < 0.06) / len(size),
        "rr_run_irregular": _longest(size > 0.06) / len(size),
    }


def _longest(mask: np.ndarray) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))
