"""Reliability and decision curves: what probabilities are worth, point by point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import FEWER_RESAMPLES, measure
from ecg_core.evaluation.calibration import BINS

DECISIONS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_Z = 1.959963984540054


def reliability_points(truth: np.ndarray, probability: np.ndarray, bins: int = BINS) -> dict[str, list[float]]:
    """Return ``predicted`` and ``observed`` frequency by bin, ``low`` and ``high`` of the latter (Wilson), and ``n``.

    Parameters
    ----------
    truth
        Bool, shape (n_records,).
    probability
        0 to 1, shape (n_records,); each bin holds the same number of records, or as near as can be.
    """
    truth, probability = np.asarray(truth, bool), np.asarray(probability, np.float64)
    if truth.shape != probability.shape or len(truth) < bins:
        raise InvalidValue("too few records", field="reliability", found=len(truth), expected=f"{bins} or more")
    found: dict[str, list[float]] = {name: [] for name in ("predicted", "observed", "low", "high", "n")}
    for rows in np.array_split(np.argsort(probability, kind="stable"), bins):
        n, observed = len(rows), float(truth[rows].mean())
        middle = (observed + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * np.sqrt(observed * (1 - observed) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        values = (probability[rows].mean(), observed, max(0.0, middle - half), min(1.0, middle + half))
        for name, value in zip(found, values, strict=False):
            found[name].append(round(float(value), 5))
        found["n"].append(n)
    return found


def decision_points(
    truth: np.ndarray,
    probability: np.ndarray,
    at: Sequence[float] = DECISIONS,
    *,
    resamples: int = FEWER_RESAMPLES,
    seed: int = 0,
) -> dict[str, list[float]]:
    """Return the net benefit of acting on a probability of ``at`` or more, on all and on none (Vickers 2006).

    Net benefit is hits less false alarms times odds, a record (doi:10.1177/0272989X06295361). ``at`` says how many
    false alarms a hit is worth: at 0.05, nineteen. ``low`` and ``high`` are the 95 % bootstrap interval of ``model``
    over records.
    """
    truth, probability = np.asarray(truth, bool), np.asarray(probability, np.float64)
    odds = np.array([limit / (1 - limit) for limit in at])
    called = probability[:, None] >= np.array(at)
    benefits = np.where(called, np.where(truth[:, None], 1.0, -odds), 0.0)
    names = [str(limit) for limit in at]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = weights @ benefits / weights.sum(axis=1, keepdims=True)
        return dict(zip(names, found.T, strict=True))

    rows = measure(score, [str(row) for row in range(len(truth))], resamples=resamples, seed=seed)
    found = np.array([[row.value, row.low, row.high] for row in (rows[name].rounded() for name in names)], np.float64)
    model, low, high = found.T.tolist()
    share = float(truth.mean())
    return {
        "threshold": list(at),
        "model": model,
        "low": low,
        "high": high,
        "all": [round(float(value), 5) for value in share - odds * (1 - share)],
        "none": [0.0] * len(odds),
    }
