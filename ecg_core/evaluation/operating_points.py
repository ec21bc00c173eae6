"""Thresholds chosen for a purpose, what happens at them, and the curves that they are points of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.classification import BinaryMetric, sensitivity_at

POINTS = ("max_f1", "se95", "sp95")
"""Best F1; the highest threshold with 95 % sensitivity; the lowest one with 95 % specificity."""
_STATED = 0.95


def choose_thresholds(truth: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """Return the threshold of each of `POINTS`; positive is at or above it.

    A threshold lies halfway between the probabilities that it parts, so that it does not hang on rounding.

    Parameters
    ----------
    truth
        Bool, shape (n,), with both classes.
    probability
        0 to 1, shape (n,).
    """
    truth = np.asarray(truth, bool)
    order = np.argsort(-np.asarray(probability, np.float64), kind="stable")
    values = np.asarray(probability, np.float64)[order]
    last = np.flatnonzero(np.diff(values, append=-1.0))
    hits, called = np.cumsum(truth[order])[last], last + 1
    positives, negatives = int(truth.sum()), int((~truth).sum())
    below = np.append(values[last[1:]], 0.0)
    halfway = (values[last] + below) / 2
    allowed = called - hits <= (1 - _STATED) * negatives + 1e-9
    nobody = (1.0 + float(values[0])) / 2
    return {
        "max_f1": float(halfway[np.argmax(2 * hits / (positives + called))]),
        "se95": float(halfway[np.argmax(hits >= _STATED * positives - 1e-9)]),
        "sp95": float(halfway[np.flatnonzero(allowed)[-1]]) if allowed[0] else nobody,
    }


def predictive_value(sensitivity: float, specificity: float, prevalence: float) -> float | None:
    """Return the share of the called that are positive where ``prevalence`` of all are; None where none is called."""
    right, wrong = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    return right / (right + wrong) if right + wrong > 0 else None


def sensitivity_at_specificity(specificity: float) -> BinaryMetric:
    """Return the metric `sensitivity_at` for one specificity."""
    return lambda truth, score, weights: sensitivity_at(truth, score, specificity, weights)


def score_calls(
    truth: np.ndarray, called: np.ndarray, known: np.ndarray, labels: Sequence[str], prevalences: Sequence[float] = ()
) -> Score:
    """Return ``LABEL.sensitivity``, ``.specificity``, ``.ppv``, ``.npv``, ``.f1`` and, say, ``.ppv_at_0.05``.

    Parameters
    ----------
    truth, called, known
        Bool, shape (n_records, n_labels); records whose truth is not known do not count for the label.
    """
    truth, called, known = (np.asarray(array, bool) for array in (truth, called, known))
    cells = [truth & called, truth & ~called, ~truth & called, ~truth & ~called]
    columns = np.concatenate([(cell & known).astype(np.float64) for cell in cells], axis=1)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        figures: dict[str, np.ndarray] = {}
        for at, (tp, fn, fp, tn) in enumerate(_by_label(weights @ columns, len(labels))):
            label, sensitivity, specificity = labels[at], ratio(tp, tp + fn), ratio(tn, tn + fp)
            figures |= {
                f"{label}.sensitivity": sensitivity,
                f"{label}.specificity": specificity,
                f"{label}.ppv": ratio(tp, tp + fp),
                f"{label}.npv": ratio(tn, tn + fn),
                f"{label}.f1": ratio(2 * tp, 2 * tp + fp + fn),
            }
            for share in prevalences:
                right = sensitivity * share
                figures[f"{label}.ppv_at_{share:g}"] = ratio(right, right + (1 - specificity) * (1 - share))
        return figures

    return score


def roc_points(truth: np.ndarray, score: np.ndarray, n: int = 25) -> dict[str, list[float]]:
    """Return up to ``n`` points of the ROC curve: ``false_positive_rate`` and ``sensitivity``, both rising.

    The points are spread evenly along the curve, so that its steep part is kept.
    """
    hits, called, positives = _counts(truth, score)
    x = np.append(0.0, (called - hits) / (len(truth) - positives))
    y = np.append(0.0, hits / positives)
    at = _spread(np.cumsum(np.abs(np.diff(x, prepend=0.0)) + np.abs(np.diff(y, prepend=0.0))), n)
    return {"false_positive_rate": _rounded(x[at]), "sensitivity": _rounded(y[at])}


def precision_recall_points(truth: np.ndarray, score: np.ndarray, n: int = 25) -> dict[str, list[float]]:
    """Return up to ``n`` points of the precision-recall curve: ``sensitivity`` rising, and the ``ppv`` there."""
    hits, called, positives = _counts(truth, score)
    recall, precision = hits / positives, hits / called
    kept = np.flatnonzero(np.diff(hits, prepend=0) > 0)
    recall, precision = recall[kept], precision[kept]
    at = _spread(recall, n)
    return {"sensitivity": _rounded(recall[at]), "ppv": _rounded(precision[at])}


def _by_label(sums: np.ndarray, labels: int) -> list[tuple[Any, ...]]:
    """Return (tp, fn, fp, tn) of each label from columns in that order."""
    return [tuple(sums[:, cell * labels + at] for cell in range(4)) for at in range(labels)]


def _counts(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return hits and calls at each distinct score, highest first, and the number of positives."""
    truth, score = np.asarray(truth, bool), np.asarray(score, np.float64)
    order = np.argsort(-score, kind="stable")
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    return np.cumsum(truth[order])[last], last + 1, int(truth.sum())


def _spread(along: np.ndarray, n: int) -> np.ndarray:
    """Return the places of up to ``n`` values of a rising array, evenly apart, the first and the last among them."""
    return np.unique(np.searchsorted(along, np.linspace(along[0], along[-1], n) - 1e-12).clip(0, len(along) - 1))


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
