"""Sets and intervals that hold the truth as often as they say, for records like those they were fitted on.

Class-conditional split conformal prediction (Vovk 2012, arXiv:1209.2673): of the records in which a label is present,
all but a stated share have "present" in their set, and likewise of those in which it is absent. Intervals of a quantity
are conformalised by its own stated spread (Lei 2018, doi:10.1080/01621459.2017.1307116). The promise is marginal: it
holds on average over records drawn as the calibration records were, not for each kind of patient, and fails elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import Score, ratio


@dataclass(frozen=True)
class Cutoffs:
    """Of one label: the set holds "present" where p >= ``present`` and "absent" where p <= ``absent``."""

    present: float
    absent: float


def label_cutoffs(truth: np.ndarray, probability: np.ndarray, coverage: float) -> Cutoffs:
    """Return the cutoffs with which sets hold the truth in ``coverage`` of the records of either class.

    Parameters
    ----------
    truth
        Bool, shape (n,).
    probability
        Shape (n,). With too few records of a class to promise anything, the set always holds it.
    """
    truth, probability = np.asarray(truth, bool), np.asarray(probability, np.float64)
    if truth.shape != probability.shape or not 0 < coverage < 1:
        raise InvalidValue(
            "one truth and probability a record, and a share to cover",
            field="conformal",
            found=f"{truth.shape}, {probability.shape}, {coverage}",
        )
    present = _kept_above(probability[truth], coverage, 0.0)
    absent = -_kept_above(-probability[~truth], coverage, -1.0)
    return Cutoffs(present, absent)


def interval_width(error: np.ndarray, coverage: float) -> float:
    """Return the size that the ``error`` (absolute, over its stated spread; shape (n,)) keeps to in ``coverage``."""
    width = -_kept_above(-np.asarray(error, np.float64), coverage, -np.inf)
    if not np.isfinite(width):
        raise InvalidValue("too few records for this coverage", field="conformal", found=len(error))
    return width


def score_sets(
    truth: np.ndarray, probability: np.ndarray, known: np.ndarray, cutoffs: list[Cutoffs], labels: list[str]
) -> Score:
    """Return ``LABEL.coverage_present``, ``.coverage_absent`` and ``.decided``, the share of sets that hold one answer.

    ``coverage`` is that over all labels and records, ``decided`` likewise.

    Parameters
    ----------
    truth, known
        Bool, shape (n_records, n_labels); what is not known does not count.
    probability
        Shape (n_records, n_labels).
    """
    truth, known = np.asarray(truth, bool), np.asarray(known, bool)
    may_be = probability >= np.array([cutoff.present for cutoff in cutoffs])
    may_not = probability <= np.array([cutoff.absent for cutoff in cutoffs])
    masks = (truth & may_be, truth, ~truth & may_not, ~truth, may_be ^ may_not, np.ones_like(truth))
    columns = np.concatenate([(mask & known).astype(np.float64) for mask in masks], axis=1)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = (weights @ columns).reshape(len(weights), len(masks), len(labels))
        total = sums.sum(axis=2)
        found = {
            "coverage": ratio(total[:, 0] + total[:, 2], total[:, 5]),
            "decided": ratio(total[:, 4], total[:, 5]),
        }
        for at, label in enumerate(labels):
            found[f"{label}.coverage_present"] = ratio(sums[:, 0, at], sums[:, 1, at])
            found[f"{label}.coverage_absent"] = ratio(sums[:, 2, at], sums[:, 3, at])
            found[f"{label}.decided"] = ratio(sums[:, 4, at], sums[:, 5, at])
        return found

    return score


def _kept_above(values: np.ndarray, coverage: float, without: float) -> float:
    """Return the cutoff that a new value reaches with probability ``coverage``; ``without`` where none can be had."""
    place = int(np.floor((len(values) + 1) * (1 - coverage) + 1e-9))
    return float(np.sort(values)[place - 1]) if place >= 1 else without
