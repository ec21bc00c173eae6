"""The statements of PTB-XL as outcomes of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ecg_core.datasets.ptbxl import SUPERCLASSES, PtbXlTruth
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.calibration import calibration_error
from ecg_core.evaluation.classification import auc
from ecg_core.evaluation.outcomes import Outcomes

CLASSES = "superclass"
Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
RHYTHMS = frozenset(
    ("AFIB", "AFLT", "BIGU", "PACE", "PSVT", "SARRH", "SBRAD", "SR", "STACH", "SVARR", "SVTAC", "TRIGU")
)
"""Statements of PTB-XL that name a rhythm."""
TELLING = (*(f"superclass.{label}" for label in SUPERCLASSES), "statements.AFIB")
"""Labels of which decision curves and failures are told."""


def outcomes_of(
    truths: Sequence[PtbXlTruth], outputs: Sequence[str], said: np.ndarray, thresholds: np.ndarray
) -> Outcomes:
    """Return what was said of labels named as outputs are: ``superclass.MI``, ``statements.AFIB``.

    Parameters
    ----------
    said
        Probabilities, shape (n_records, n_outputs); NaN in a record that could not be read.
    thresholds
        Shape (n_outputs,), not finite for a label that is never called.
    """
    truth, known = truth_of_outputs(truths, outputs)
    known &= np.isfinite(said)
    return Outcomes(
        tuple(outputs),
        truth,
        known,
        np.nan_to_num(said),
        known & (np.nan_to_num(said) >= np.where(np.isfinite(thresholds), thresholds, np.inf)),
        {output: float(limit) for output, limit in zip(outputs, thresholds, strict=True) if np.isfinite(limit)},
        [tuple(truth.statements) for truth in truths],
    )


def truth_of_outputs(truths: Sequence[PtbXlTruth], outputs: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return whether each label is so, and whether that is known, both bool, shape (n_records, n_outputs).

    A record without any diagnostic statement is left out of the superclasses and subclasses.
    """
    truth = np.zeros((len(truths), len(outputs)), bool)
    known = np.ones_like(truth)
    for at, output in enumerate(outputs):
        head, _, label = output.partition(".")
        for row, of in enumerate(truths):
            if head == "sex":
                truth[row, at], known[row, at] = of.sex == label, of.sex is not None
                continue
            has = {CLASSES: of.superclasses, "subclass": of.subclasses}.get(head, frozenset(of.statements))
            truth[row, at], known[row, at] = label in has, bool(has)
    return truth, known


def score_brief(of: Outcomes) -> Score:
    """Return ``superclass.MI.auc`` and its like, their means ``superclass.macro_auc`` and ``.ece``, and ``AFIB.auc``.

    AFIB is told within the records that have a statement of rhythm, as by the published benchmark.
    """
    classes = {label: of.labels.index(f"{CLASSES}.{label}") for label in SUPERCLASSES}
    at_af = of.labels.index("statements.AFIB")
    diagnosed = np.flatnonzero(of.known[:, [*classes.values()]].all(axis=1))
    rhythmic = np.array([bool(RHYTHMS & set(said)) for said in of.said], bool)
    heart = np.flatnonzero(rhythmic & of.known[:, at_af])

    def figure(metric: Metric, at: int, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return NaN where a condition leaves no record to be read."""
        if not len(rows):
            return np.full(len(weights), np.nan)
        return metric(of.truth[rows, at], of.probability[rows, at], weights[:, rows])

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        each = {f"{CLASSES}.{label}.auc": figure(auc, at, diagnosed, weights) for label, at in classes.items()}
        errors = [figure(calibration_error, at, diagnosed, weights) for at in classes.values()]
        return {
            **each,
            f"{CLASSES}.macro_auc": np.mean([*each.values()], axis=0),
            f"{CLASSES}.ece": np.mean(errors, axis=0),
            "AFIB.auc": figure(auc, at_af, heart, weights),
        }

    return score
