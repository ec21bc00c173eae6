"""The few figures by which subgroups, conditions and ways of calibrating ``heart12`` are compared.

The same as those of that name of `ecg_core.evaluation.heart12`, from arrays, so that any of the records can be scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.calibration import calibration_error
from ecg_core.evaluation.classification import auc
from training.heart12_heads import AGE_MEAN, AGE_SD, UNKNOWN, Answers, Layout, ages, probabilities

CLASSES = "superclass"
AF = "AFIB"
IN_BRIEF = ("superclass.macro_auc", "superclass.ece", f"{AF}.auc", "sex.auc", "age.mae")
WITH_CLASSES = (*IN_BRIEF, "superclass.NORM.auc", "superclass.MI.auc")


@dataclass(frozen=True, eq=False)
class Table:
    """Truth and calibrated answers of records."""

    layout: Layout
    targets: np.ndarray
    """Shape (n, n_labels + 1), as `training.heart12_calibration.fit_heads` takes them."""
    probability: np.ndarray
    """Shape (n, n_labels)."""
    years: np.ndarray
    """Shape (n,)."""

    @classmethod
    def of(cls, layout: Layout, heads: Mapping[str, Any], view: str, said: Answers, targets: np.ndarray) -> Table:
        """Return what was said in a view, calibrated."""
        return cls(layout, targets, probabilities(heads, view, said), ages(heads, view, said)[0])

    def __getitem__(self, rows: np.ndarray) -> Table:
        """Return some of the records."""
        return Table(self.layout, self.targets[rows], self.probability[rows], self.years[rows])


def years_of(targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return true ages in years, NaN where not known, and whether they are known; each of shape (n,)."""
    age = targets[:, -1].astype(np.float64)
    known = age > UNKNOWN
    return np.where(known, AGE_MEAN + AGE_SD * age, np.nan), known


def score_brief(table: Table) -> Score:
    """Return the scorer of `WITH_CLASSES` and of all ``superclass.NAME.auc``; NaN where only one class occurs."""
    targets, said, layout = table.targets, table.probability, table.layout
    classes, rhythms, (sex,) = (layout.columns(head) for head in (CLASSES, "rhythm", "sex"))
    af = layout.outputs.index(f"statements.{AF}")
    diagnosed = np.flatnonzero((targets[:, classes] > 0.5).any(axis=1))
    with_rhythm = np.flatnonzero((targets[:, rhythms] > 0.5).any(axis=1))
    sexed = np.flatnonzero(targets[:, sex] > UNKNOWN)
    error = np.abs(table.years - years_of(targets)[0])
    aged = np.flatnonzero(np.isfinite(error))

    def ranked(column: int, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return auc(targets[rows, column] > 0.5, said[rows, column], weights[:, rows])

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        found = {}
        for label, column in zip(layout.heads[CLASSES], classes, strict=True):
            found[f"{CLASSES}.{label}.auc"] = ranked(column, diagnosed, weights)
        found[f"{CLASSES}.macro_auc"] = np.mean([*found.values()], axis=0)
        found[f"{CLASSES}.ece"] = mean_error(table.targets[:, classes], said[:, classes], diagnosed, weights)
        of_aged = weights[:, aged]
        found |= {
            f"{AF}.auc": ranked(af, with_rhythm, weights),
            "sex.auc": ranked(sex, sexed, weights),
            "age.mae": ratio(of_aged @ error[aged], of_aged.sum(axis=1)),
        }
        return found

    return score


def mean_error(targets: np.ndarray, said: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the calibration error of some records, averaged over labels (columns)."""
    if not len(rows):
        return np.full(len(weights), np.nan)
    each = [calibration_error(targets[rows, at] > 0.5, said[rows, at], weights[:, rows]) for at in range(said.shape[1])]
    return np.mean(each, axis=0)
