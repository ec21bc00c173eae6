"""Acceptable or not: how well a probability of "unacceptable" tells, as for CinC 2011."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.classification import auc, average_precision, rates_at, sensitivity_at, specificity_at

PREVALENCE = 0.23
"""Share of unacceptable records: about 77 % of the labelled records of the published set A are acceptable."""


def score_quality(truth: np.ndarray, probability: np.ndarray, threshold: float) -> Score:
    """Return how well a probability tells unacceptable records.

    Parameters
    ----------
    truth
        Whether each record is unacceptable, bool, shape (n_records,).
    probability
        That it is, shape (n_answers, n_records): one row, or one for each repetition of a cross-validation, over which
        the metrics are averaged. NaN where the model declines: such a record counts in ``answered`` alone.
    threshold
        From which a record is called unacceptable, for ``sensitivity``, ``specificity`` and ``ppv_at_23``.

    Returns
    -------
    The score. ``calibration_error``, ``calibration_slope`` and ``calibration_intercept`` refer to a sample with a share
    `PREVALENCE` of unacceptable records.
    """
    truth = np.asarray(truth, bool)
    answered = np.isfinite(probability).all(axis=0)
    kept = np.flatnonzero(answered)

    def of_row(row: np.ndarray, weights: np.ndarray) -> Mapping[str, np.ndarray]:
        labels = truth[kept]
        rates = rates_at(labels, row, threshold, weights)
        natural = _to_prevalence(labels, weights)
        slope, intercept = calibration_line(labels, row, natural)
        return {
            "auc": auc(labels, row, weights),
            "auprc": average_precision(labels, row, weights),
            "sensitivity": rates.sensitivity,
            "specificity": rates.specificity,
            "ppv_at_23": rates.ppv_at(PREVALENCE),
            "sensitivity_at_95_specificity": sensitivity_at(labels, row, 0.95, weights),
            "specificity_at_95_sensitivity": specificity_at(labels, row, 0.95, weights),
            "calibration_error": calibration_error(labels, row, natural, debiased=False),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
        }

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        rows = [of_row(row[kept], weights[:, kept]) for row in probability]
        share = ratio((weights * answered).sum(axis=1), weights.sum(axis=1))
        return {name: np.mean([row[name] for row in rows], axis=0) for name in rows[0]} | {"answered": share}

    return score


def _to_prevalence(truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weights, (n_resamples, n_records), scaled so that unacceptable records are as many as in nature."""
    share = ratio(weights @ truth.astype(np.float64), weights.sum(axis=1))[:, None]
    wanted = np.where(truth, PREVALENCE, 1 - PREVALENCE)
    scaled: np.ndarray = weights * np.nan_to_num(ratio(wanted, np.where(truth, share, 1 - share)))
    return scaled
