"""What the model ``rhythm`` fits beside its network: boosted trees, their calibration, and the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.evaluation.bootstrap import ratio
from ecg_core.rhythm.model import Calibration
from ecg_core.rhythm.value import LABELS

if TYPE_CHECKING:
    import xgboost

_SWEEPS = 3
_STEPS = np.exp(np.linspace(-1.2, 1.2, 49))
"""Factors tried on the weight of a label, one label after another."""
_RATED = ("N", "A", "O")


def boost(settings: Mapping[str, Any], rows: np.ndarray, labels: np.ndarray, seed: int) -> xgboost.Booster:
    """Return boosted trees fitted to rows of figures, (n, n_features), and class numbers, (n,)."""
    import xgboost

    parameters = {
        "objective": "multi:softprob",
        "num_class": len(LABELS),
        "tree_method": "hist",
        "seed": seed,
        "nthread": 1,
        **{key: value for key, value in settings.items() if key != "rounds"},
    }
    return xgboost.train(parameters, xgboost.DMatrix(rows, labels), settings["rounds"])


def ask_trees(booster: xgboost.Booster, rows: np.ndarray) -> np.ndarray:
    """Return the probabilities of the trees, shape (n, 4)."""
    import xgboost

    return np.asarray(booster.predict(xgboost.DMatrix(rows)))


def weights_for(labels: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the weight of each record, (n,), with which the labels have these shares."""
    found = np.bincount(labels, minlength=len(LABELS)) / len(labels)
    return np.asarray((shares / np.maximum(found, 1 / len(labels)))[labels])


def fit_calibration(trees: np.ndarray, labels: np.ndarray, shares: np.ndarray, l2: float) -> Calibration:
    """Fit slope and offsets to the trees' answers, (n, 4), by maximum likelihood where the labels have these shares.

    ``l2`` draws them to a slope of 1 and what the shares alone ask for, with the strength of so many records.
    """
    from scipy.optimize import minimize

    weights = weights_for(labels, shares)

    def made(values: np.ndarray) -> Calibration:
        return Calibration(float(values[0]), np.array([0.0, *values[1:]]))

    def loss(values: np.ndarray) -> float:
        told = made(values)(trees)[np.arange(len(labels)), labels]
        pull = float(((values - start) ** 2).sum())
        return float(-(weights * np.log(np.maximum(told, 1e-9))).sum() + l2 / 2 * pull)

    ratio_of_shares = np.log(shares / (np.bincount(labels, minlength=len(LABELS)) / len(labels)))
    start = np.array([1.0, *(ratio_of_shares[1:] - ratio_of_shares[0])])
    return made(minimize(loss, start, method="BFGS").x)


@dataclass(frozen=True)
class Shares:
    """How frequent the labels may be, and how much a decision that suits it counts."""

    of_label: np.ndarray
    weight: float


def fit_decision(probabilities: np.ndarray, labels: np.ndarray, wanted: Sequence[Shares]) -> np.ndarray:
    """Return the weight of each label, (4,), with which the challenge's score is best.

    Probabilities refer to the shares of the first of ``wanted``; the scores at all of them are averaged.
    """
    weights = [(weights_for(labels, shares.of_label), shares.weight) for shares in wanted]

    def score(decision: np.ndarray) -> float:
        answers = (probabilities * decision).argmax(axis=1)
        return sum(part * f1_noa(labels, answers, row) for row, part in weights)

    best, decision = -1.0, np.ones(len(LABELS))
    for _ in range(_SWEEPS):
        for label in range(1, len(LABELS)):
            tried = np.array([np.where(np.arange(len(LABELS)) == label, decision * step, decision) for step in _STEPS])
            scores = np.array([score(row) for row in tried])
            # The middle of what is nearly as good: the very best is chance.
            good = np.flatnonzero(scores >= scores.max() - 5e-4)
            if scores.max() > best:
                decision, best = tried[good[len(good) // 2]], float(scores[good[len(good) // 2]])
    return decision / decision[0]


def f1_noa(labels: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> float:
    """Return the challenge's score of weighted records."""
    size = len(LABELS)
    table = np.bincount(labels * size + answers, weights, size * size).reshape(size, size)
    f1 = ratio(2 * np.diag(table), table.sum(axis=0) + table.sum(axis=1))
    return float(np.mean([f1[LABELS.index(label)] for label in _RATED]))
