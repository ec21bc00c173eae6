"""Whether probabilities mean what they say: calibration error, slope and intercept.

Truth, probabilities and weights as in `ecg_core.evaluation.classification`.
"""

from __future__ import annotations

import math

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import ratio

BINS = 10
_FURTHEST = 1e-7
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""
_STEPS = 50


def calibration_error(
    truth: np.ndarray,
    probability: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    bins: int = BINS,
    debiased: bool = True,
) -> np.ndarray:
    """Return the expected calibration error: mean distance of predicted from observed frequency, over equal-mass bins.

    Even a perfect model has a distance in every bin, by chance. The debiased error takes off what chance adds, after
    Kumar 2019 (arXiv:1909.10155, section on debiasing): a bin's distance d of standard error s is replaced by
    2 |d| - E|N(d, s)|, with the expectation in closed form instead of by simulation; the sum is never below 0.

    Equal probabilities stay in one bin, the one that their middle rank falls into. A bootstrap interval of this figure
    lies somewhat high, since a record drawn twice looks like evidence twice.

    Parameters
    ----------
    truth
        Bool, shape (n_records,).
    probability
        0 to 1, shape (n_records,).
    weights
        Shape (..., n_records).
    bins
        Number of bins.
    debiased
        Take off what chance adds.
    """
    truth, probability, rows = _checked(truth, probability, weights)
    order = np.argsort(probability, kind="stable")
    values = probability[order]
    first = np.flatnonzero(np.diff(values, prepend=-1.0))
    mass = np.add.reduceat(rows[:, order], first, axis=1)
    hits = np.add.reduceat(rows[:, order] * truth[order], first, axis=1)
    total = mass.sum(axis=1, keepdims=True)
    middle = ratio(mass.cumsum(axis=1) - mass / 2, total)
    bin_of = np.minimum((np.nan_to_num(middle) * bins).astype(np.int64), bins - 1)
    flat = (bin_of + bins * np.arange(len(rows))[:, None]).ravel()

    def binned(figure: np.ndarray) -> np.ndarray:
        return np.bincount(flat, figure.ravel(), minlength=bins * len(rows)).reshape(len(rows), bins)

    in_bin = binned(mass)
    observed = np.nan_to_num(ratio(binned(hits), in_bin))
    distance = np.nan_to_num(ratio(binned(mass * values[first]), in_bin)) - observed
    error = np.abs(distance)
    if debiased:
        spread = np.sqrt(np.nan_to_num(ratio(observed * (1 - observed), in_bin)))
        error = 2 * error - _mean_distance(distance, spread)
    summed = np.maximum((in_bin * error).sum(axis=1), 0.0)
    return _shaped(ratio(summed, total[:, 0]), weights)


def calibration_line(
    truth: np.ndarray, probability: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return (slope, intercept) of the logistic regression of the truth on the logit of the probability.

    Slope 1 and intercept 0 are perfect; a slope below 1 says that the probabilities are too extreme. NaN where only one
    class occurs, where the probabilities are all the same, or where they separate the classes, so that no finite slope
    fits best. Parameters as for `calibration_error`.
    """
    truth, probability, rows = _checked(truth, probability, weights)
    kept = np.clip(probability, _FURTHEST, 1 - _FURTHEST)
    logit = np.log(kept) - np.log1p(-kept)
    slope, intercept = np.ones(len(rows)), np.zeros(len(rows))
    settled = np.zeros(len(rows), bool)
    for _ in range(_STEPS):
        at = np.flatnonzero(~settled & np.isfinite(slope))
        if not len(at):
            break
        weight = rows[at]
        fitted = 1 / (1 + np.exp(-np.clip(slope[at, None] * logit + intercept[at, None], -500, 500)))
        off, curve = weight * (truth - fitted), weight * fitted * (1 - fitted)
        gradient = off.sum(axis=1), off @ logit
        a, b, c = curve.sum(axis=1), curve @ logit, curve @ logit**2
        # Relative, so that a curvature lost to rounding (classes apart, one probability) does not pass for one.
        determinant = a * c - b * b
        determinant[determinant <= 1e-10 * a * c] = np.nan
        up = (a * gradient[1] - b * gradient[0]) / determinant
        along = (c * gradient[0] - b * gradient[1]) / determinant
        # Short steps keep Newton's method from leaping out of reach of the optimum.
        shorten = np.minimum(1.0, 2.0 / np.maximum(np.maximum(np.abs(up), np.abs(along)), 1e-300))
        slope[at] += shorten * up
        intercept[at] += shorten * along
        settled[at] = np.maximum(np.abs(up), np.abs(along)) < 1e-9
    slope[~settled] = intercept[~settled] = np.nan
    return _shaped(slope, weights), _shaped(intercept, weights)


def _mean_distance(mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return E|x| of normal x."""
    from scipy.special import erf

    safe = np.where(spread > 0, spread, 1.0)
    ratio_ = mean / safe
    expected = safe * math.sqrt(2 / math.pi) * np.exp(-(ratio_**2) / 2) + mean * erf(ratio_ / math.sqrt(2))
    return np.where(spread > 0, expected, np.abs(mean))


def _checked(
    truth: np.ndarray, probability: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, probabilities and weights of shape (n_rows, n_records)."""
    truth, probability = np.asarray(truth, bool), np.asarray(probability, np.float64)
    rows = np.atleast_2d(np.ones(truth.shape) if weights is None else np.asarray(weights, np.float64))
    if truth.ndim != 1 or truth.shape != probability.shape or rows.shape[1:] != truth.shape or not len(truth):
        raise InvalidValue(
            "one truth, probability and weight a record",
            field="probability",
            found=f"{truth.shape}, {probability.shape}, {rows.shape}",
            expected="(n,), (n,), (..., n), n above 0",
        )
    if not ((probability >= 0) & (probability <= 1)).all():
        raise InvalidValue("not a probability", field="probability", expected="0 to 1")
    return truth, probability, rows


def _shaped(figures: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Return the figures in the shape of the weights without their last axis."""
    return figures.reshape(() if weights is None else np.shape(weights)[:-1])
