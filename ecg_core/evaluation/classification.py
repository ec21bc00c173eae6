"""Labels against labels and probabilities: ranking, operating points, macro means, the CinC 2017 score.

The binary metrics take one truth and one score a record and, for resampling, weights: with weights of shape
(n_resamples, n_records) they return one figure a resample, without weights one of shape (). A figure that the records
do not define (an AUC with one class) is NaN. Conventions of the published PTB-XL benchmark: a record with no label of a
task is left out of the task, and a label counts in a macro mean when both classes occur.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import Score, Tally, ratio

BinaryMetric = Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
"""(truth, score, weights) -> one figure a resample."""

CINC2017_LABELS = ("N", "A", "O", "~")
ENOUGH_POSITIVES = 10
"""Positives from which a label counts in the second macro mean."""


@dataclass(frozen=True, eq=False)
class Rates:
    """What happens at a threshold; each of the shape of the weights without their last axis."""

    sensitivity: np.ndarray
    specificity: np.ndarray
    ppv: np.ndarray
    npv: np.ndarray
    f1: np.ndarray

    def ppv_at(self, prevalence: float) -> np.ndarray:
        """Return the positive predictive value where this share of the records is positive."""
        if not 0 <= prevalence <= 1:
            raise InvalidValue("not a prevalence", field="prevalence", found=prevalence, expected="0 to 1")
        right = self.sensitivity * prevalence
        return ratio(right, right + (1 - self.specificity) * (1 - prevalence))


def auc(truth: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the area under the ROC curve: how often a positive outranks a negative, ties counting half.

    Parameters
    ----------
    truth
        Bool, shape (n_records,).
    score
        Higher is more likely positive; shape (n_records,), finite.
    weights
        Shape (..., n_records), see the module.
    """
    positive, negative = _above(truth, score, weights)
    before = np.concatenate((np.zeros_like(positive[..., :1]), positive[..., :-1]), axis=-1)
    step = np.diff(negative, axis=-1, prepend=0.0)
    area = (step * (before + positive) / 2).sum(axis=-1)
    return ratio(area, positive[..., -1] * negative[..., -1])


def average_precision(truth: np.ndarray, score: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the area under the precision-recall curve, as the sum of precision over steps of recall (AUPRC).

    Equal scores are one step. Parameters as for `auc`.
    """
    positive, negative = _above(truth, score, weights)
    called = positive + negative
    precision = np.divide(positive, called, out=np.zeros_like(called), where=called > 0)
    step = np.diff(positive, axis=-1, prepend=0.0)
    return ratio((step * precision).sum(axis=-1), positive[..., -1])


def sensitivity_at(
    truth: np.ndarray, score: np.ndarray, specificity: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the best sensitivity of any threshold with at least this specificity; parameters as for `auc`."""
    positive, negative = _above(truth, score, weights)
    allowed = negative <= (1 - specificity) * negative[..., -1:] * (1 + 1e-12)
    best = np.where(allowed, positive, 0.0).max(axis=-1)
    return np.where(negative[..., -1] > 0, ratio(best, positive[..., -1]), np.nan)


def specificity_at(
    truth: np.ndarray, score: np.ndarray, sensitivity: float, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the best specificity of any threshold with at least this sensitivity; parameters as for `auc`."""
    flipped = np.logical_not(np.asarray(truth, bool))
    return sensitivity_at(flipped, -np.asarray(score, np.float64), sensitivity, weights)


def rates_at(truth: np.ndarray, score: np.ndarray, threshold: float, weights: np.ndarray | None = None) -> Rates:
    """Return what happens when scores at or above ``threshold`` are called positive; parameters as for `auc`."""
    truth, score, weights = _checked(truth, score, weights)
    called = score >= threshold
    tp, fn, fp, tn = (
        weights @ np.asarray(cell, np.float64)
        for cell in (truth & called, truth & ~called, ~truth & called, ~truth & ~called)
    )
    return Rates(
        ratio(tp, tp + fn), ratio(tn, tn + fp), ratio(tp, tp + fp), ratio(tn, tn + fn), ratio(2 * tp, 2 * tp + fp + fn)
    )


def score_labels(
    truth: np.ndarray, score: np.ndarray, labels: Sequence[str], metrics: Mapping[str, BinaryMetric] | None = None
) -> Score:
    """Return every metric of every label of a task and the macro means: ``MI.auc``, ``macro_auc``, ``macro_auc_10``.

    Parameters
    ----------
    truth
        Bool, shape (n_records, n_labels); records with no label are left out.
    score
        Shape (n_records, n_labels).
    labels
        Their names. A label of which only one class occurs has no figure and stays out of the means; those in
        ``macro_auc_10`` have ten positives or more besides. Which labels have, the records themselves decide, not a
        resample.
    metrics
        Name to metric; ``auc`` and ``auprc`` unless given.
    """
    truth, score = np.asarray(truth, bool), np.asarray(score, np.float64)
    if truth.shape != score.shape or truth.ndim != 2 or truth.shape[1] != len(labels):
        raise InvalidValue(
            "truth, scores and labels do not fit",
            field="labels",
            found=f"{truth.shape}, {score.shape}, {len(labels)}",
            expected="(n_records, n_labels) twice",
        )
    chosen: Mapping[str, BinaryMetric] = metrics or {"auc": auc, "auprc": average_precision}
    kept = np.flatnonzero(truth.any(axis=1))
    truth, score = truth[kept], score[kept]
    positives = truth.sum(axis=0)
    both = (positives > 0) & (positives < len(truth))
    enough = both & (positives >= ENOUGH_POSITIVES)

    def found(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_task = weights[:, kept]
        undefined = np.full(len(weights), np.nan)
        figures: dict[str, np.ndarray] = {}
        for name, metric in chosen.items():
            columns = [
                metric(truth[:, at], score[:, at], of_task) if both[at] else undefined for at in range(len(labels))
            ]
            figures |= {f"{label}.{name}": column for label, column in zip(labels, columns, strict=True)}
            values = np.column_stack(columns)
            figures[f"macro_{name}"] = _mean(values[:, both])
            figures[f"macro_{name}_{ENOUGH_POSITIVES}"] = _mean(values[:, enough])
        return figures

    return found


def tally_cinc2017(truth: str, answer: str) -> dict[str, float]:
    """Return the additive figure of a record, for `score_cinc2017`: its place in the confusion matrix."""
    for label in (truth, answer):
        if label not in CINC2017_LABELS:
            raise InvalidValue("not a label", field="CinC 2017", found=repr(label), options=CINC2017_LABELS)
    return {truth + answer: 1.0}


def score_cinc2017(records: Sequence[Mapping[str, float]]) -> Score:
    """Return ``f1_n f1_a f1_o f1_noise`` and their challenge score ``f1_noa``, the mean of the first three.

    F1 of a class is twice its hits over all records that are of it and all that are called it: noisy records (``~``)
    count in both.
    """
    tally = Tally(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        figures = {}
        for label, name in zip(CINC2017_LABELS, ("n", "a", "o", "noise"), strict=True):
            of_it = np.sum([sums[label + answer] for answer in CINC2017_LABELS], axis=0)
            called = np.sum([sums[truth + label] for truth in CINC2017_LABELS], axis=0)
            figures[f"f1_{name}"] = ratio(2 * sums[label + label], of_it + called)
        return {"f1_noa": np.mean([figures[f"f1_{name}"] for name in ("n", "a", "o")], axis=0), **figures}

    return score


def _checked(
    truth: np.ndarray, score: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth, score = np.asarray(truth, bool), np.asarray(score, np.float64)
    weights = np.ones(truth.shape) if weights is None else np.asarray(weights, np.float64)
    if truth.ndim != 1 or truth.shape != score.shape or weights.shape[-1:] != truth.shape:
        raise InvalidValue(
            "one truth, score and weight a record",
            field="score",
            found=f"{truth.shape}, {score.shape}, {weights.shape}",
            expected="(n,), (n,), (..., n)",
        )
    if not np.isfinite(score).all():
        raise InvalidValue("not a number", field="score", found=f"{int((~np.isfinite(score)).sum())} of {len(score)}")
    return truth, score, weights


def _above(truth: np.ndarray, score: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of positives and of negatives at or above each distinct score, highest first."""
    truth, score, weights = _checked(truth, score, weights)
    if not len(truth):
        empty = np.zeros((*weights.shape[:-1], 1))
        return empty, empty
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    ordered = weights[..., order]
    positive = (ordered * truth[order]).cumsum(axis=-1)
    negative = ordered.cumsum(axis=-1) - positive
    if len(last) < len(order):
        positive, negative = positive[..., last], negative[..., last]
    return positive, negative


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of the defined figures of every row, NaN where there is none."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1))
