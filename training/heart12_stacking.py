"""Logistic regressions of many labels at once, on what a network and trees said, pulled towards the network as it is.

For each label, ``logit p = net * z_net + trees * z_trees + offset``: stacking and calibration in one. The pull is that
of normal priors around net 1, trees 0 and offset 0, so a label with few positives stays near the network and one with
many follows its records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_STEPS = 40
_LONGEST_STEP = 1.0
_OFFSET_PULL = 0.25
"""Pull on the offset, as a part of that on the weights: offsets may differ twice as much."""
_FIXED = 1e9


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Of every label, each of shape (n_labels,)."""

    net: np.ndarray
    trees: np.ndarray
    offset: np.ndarray

    def logits(self, net: np.ndarray, trees: np.ndarray) -> np.ndarray:
        """Return logits, shape (n, n_labels), for answers of that shape."""
        return self.net * net + self.trees * trees + self.offset

    def __getitem__(self, rows: np.ndarray) -> Coefficients:
        """Return those of some labels."""
        return Coefficients(self.net[rows], self.trees[rows], self.offset[rows])


def probability(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-logits))."""
    return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))


def log_loss(truth: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return what each answer costs, in nats, in the shape of the arguments."""
    return np.logaddexp(0.0, logits) - truth * logits


def fit_each(
    net: np.ndarray, trees: np.ndarray | None, truth: np.ndarray, known: np.ndarray, pull: float
) -> Coefficients:
    """Return the coefficients of every label, fitted label by label; none of the weights is below 0.

    Parameters
    ----------
    net, trees, truth, known
        Shape (n, n_labels); ``trees`` None where there are none, truth 0 or 1, unknown truths do not count.
    pull
        Strength of the priors: one over the variance of the weights.
    """
    labels = net.shape[1]
    free = np.ones((3, labels), bool)
    free[1] = trees is not None
    other = np.zeros_like(net) if trees is None else trees
    found = _fit(net, other, truth, known, pull, free)
    for row, values in enumerate((found.net, found.trees)):
        free[row] &= values >= 0
    return found if free[0].all() and (trees is None or free[1].all()) else _fit(net, other, truth, known, pull, free)


def fit_shared(
    net: np.ndarray, trees: np.ndarray | None, truth: np.ndarray, known: np.ndarray, pull: float
) -> Coefficients:
    """Return one weight of the network, one of the trees and one offset, shared by several labels; as `fit_each`."""
    answers, truths, counted = (array.reshape(-1, 1) for array in (net, truth, known))
    one = fit_each(answers, None if trees is None else trees.reshape(-1, 1), truths, counted, pull)
    return one[np.zeros(net.shape[1], np.int64)]


def parts(n: int, k: int, seed: int) -> list[np.ndarray]:
    """Return ``k`` disjoint sets of rows that together are all of them, dealt at random."""
    return [np.sort(part) for part in np.array_split(np.random.default_rng(seed).permutation(n), k)]


def choose_pull(
    net: np.ndarray,
    trees: np.ndarray | None,
    truth: np.ndarray,
    known: np.ndarray,
    pulls: Sequence[float],
    folds: Sequence[np.ndarray],
) -> tuple[float, float]:
    """Return the pull whose answers to records left out cost least, and that cost in nats a label and record.

    Parameters are those of `fit_each`, with the pulls to choose among and the sets of rows to leave out in turn. With
    no label, the strongest pull is chosen.
    """
    if not net.shape[1]:
        return max(pulls), 0.0
    costs = []
    for pull in pulls:
        cost = 0.0
        for left_out in folds:
            kept = np.setdiff1d(np.arange(len(net)), left_out)
            fitted = fit_each(net[kept], None if trees is None else trees[kept], truth[kept], known[kept], pull)
            other = np.zeros_like(net[left_out]) if trees is None else trees[left_out]
            cost += float((log_loss(truth[left_out], fitted.logits(net[left_out], other)) * known[left_out]).sum())
        costs.append(cost / max(1, int(known.sum())))
    best = int(np.argmin(costs))
    return pulls[best], costs[best]


def _fit(
    net: np.ndarray, trees: np.ndarray, truth: np.ndarray, known: np.ndarray, pull: float, free: np.ndarray
) -> Coefficients:
    """Newton's method for all labels together; a coefficient that is not ``free``, shape (3, n_labels), is 0."""
    labels = net.shape[1]
    inputs = (net, trees, np.ones_like(net))
    centre = np.array([1.0, 0.0, 0.0])[:, None] * free
    strength = np.where(free, np.array([1.0, 1.0, _OFFSET_PULL])[:, None] * pull, _FIXED)
    values = centre.copy()
    for _ in range(_STEPS):
        fitted = probability(sum(value * x for value, x in zip(values, inputs, strict=True)))
        off, curve = known * (truth - fitted), known * fitted * (1 - fitted)
        gradient = np.stack([(off * x).sum(axis=0) for x in inputs]) - strength * (values - centre)
        hessian = np.empty((labels, 3, 3))
        for row in range(3):
            weighted = curve * inputs[row]
            for column in range(row, 3):
                hessian[:, row, column] = hessian[:, column, row] = (weighted * inputs[column]).sum(axis=0)
        hessian[:, [0, 1, 2], [0, 1, 2]] += strength.T
        step = np.linalg.solve(hessian, gradient.T[:, :, None])[:, :, 0].T
        values += step * np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=0), 1e-12))
        if np.abs(step).max() < 1e-6:
            break
    return Coefficients(*values)
