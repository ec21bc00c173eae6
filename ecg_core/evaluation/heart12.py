"""How good ``heart12`` is on records with statements of PTB-XL, age and sex.

Conventions of the published benchmark: a record with no label of a task is left out of that task, and a label counts in
a macro mean when both classes occur; means over labels with ten positives or more end in ``_10``. AFIB is told within
the task of rhythms. Ages over 89 are not known and so left out.

All figures are of every record that could be read at all: also of those of which the model, in service, would say less
or nothing (under 18, paced, poor). How many it would say nothing of is a figure of its own, ``abstains``; ``unread``
are those that could not be read at all and are left out of all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.datasets.ptbxl import PtbXlTruth
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.classification import auc, rates_at, score_labels, sensitivity_at

TASKS: Mapping[str, Callable[[PtbXlTruth], frozenset[str]]] = {
    "superclass": lambda truth: truth.superclasses,
    "subclass": lambda truth: truth.subclasses,
    "statements": lambda truth: frozenset(truth.statements),
    "rhythm": lambda truth: frozenset(truth.statements),
}
"""Heads that are tasks of the benchmark, and the labels that a record has in each."""
CLASSES, RHYTHM, AF = "superclass", "rhythm", "AFIB"
_SPECIFICITY = 0.9
_OF_CALIBRATION = ("ece", "slope", "intercept")
_FIRST = ("macro_auc", "macro_auc_10", "macro_auprc", "macro_auprc_10")


@dataclass(frozen=True, eq=False)
class Said:
    """What the model said of records, in their order; NaN throughout for one that could not be read."""

    heads: Mapping[str, Mapping[str, int]]
    """Head to label to column."""
    probability: np.ndarray
    """Calibrated, shape (n_records, n_columns)."""
    called: np.ndarray
    """Whether the probability reached the threshold, bool, of that shape."""
    years: np.ndarray
    """Age and its interval, shape (n_records, 3)."""
    abstains: np.ndarray
    """Whether in service nothing would be said, bool, shape (n_records,)."""


def score_heart12(truths: Sequence[PtbXlTruth], said: Said) -> Score:
    """Return all figures of one way to read the records: ``superclass.macro_auc``, ``AFIB.auc``, ``age.mae``, ..."""
    if len(truths) != len(said.probability):
        raise InvalidValue("one truth a record", field="truths", found=f"{len(truths)}, {len(said.probability)}")
    unread = ~np.isfinite(said.probability).all(axis=1)
    read = np.flatnonzero(~unread)
    kept = [truths[at] for at in read.tolist()]
    probability, called, years = said.probability[read], said.called[read], said.years[read]
    columns = {head: list(said.heads[head].values()) for head in TASKS}
    truth = {head: _truth([labels(item) for item in kept], list(said.heads[head])) for head, labels in TASKS.items()}
    tasks = {head: score_labels(truth[head], probability[:, columns[head]], list(said.heads[head])) for head in TASKS}
    single = {
        f"{CLASSES}.{label}": _label(truth[CLASSES], at, probability[:, column], called[:, column])
        for at, (label, column) in enumerate(said.heads[CLASSES].items())
    }
    at_af = list(said.heads[RHYTHM]).index(AF)
    column = columns[RHYTHM][at_af]
    single[AF] = _label(truth[RHYTHM], at_af, probability[:, column], called[:, column])
    sexed = np.flatnonzero([item.sex is not None for item in kept])
    female = np.array([item.sex == "female" for item in kept], bool)[sexed]
    of_sex = probability[sexed, said.heads["sex"]["female"]]
    ages = np.array([np.nan if item.age is None else item.age for item in kept], np.float64)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_read, total = weights[:, read], weights.sum(axis=1)
        figures: dict[str, np.ndarray] = {}
        for head, task in tasks.items():
            found = task(of_read)
            ordered = [*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST)]
            figures |= {f"{head}.{name}": found[name] for name in ordered}
        for name, one in single.items():
            figures |= {f"{name}.{figure}": values for figure, values in one(of_read).items()}
        for figure in _OF_CALIBRATION:
            each = [figures[f"{CLASSES}.{label}.{figure}"] for label in said.heads[CLASSES]]
            figures[f"{CLASSES}.{figure}"] = np.mean(each, axis=0)
        figures |= {f"{AF}.{name}": figures[f"{RHYTHM}.{AF}.{name}"] for name in ("auc", "auprc")}
        figures["sex.auc"] = auc(female, of_sex, of_read[:, sexed])
        figures |= _of_age(ages, years, of_read)
        figures["abstains"] = ratio(weights @ said.abstains.astype(np.float64), total)
        figures["unread"] = ratio(weights @ unread.astype(np.float64), total)
        return figures

    return score


def _truth(has: Sequence[frozenset[str]], labels: Sequence[str]) -> np.ndarray:
    """Return which record has which label, bool, shape (n_records, n_labels)."""
    rows = [[label in of_record for label in labels] for of_record in has]
    return np.array(rows, bool).reshape(len(has), len(labels))


def _label(truth: np.ndarray, at: int, probability: np.ndarray, called: np.ndarray) -> Score:
    """Return what stands beside the ranking of one label of a task: at thresholds, and of its calibration."""
    rows = np.flatnonzero(truth.any(axis=1))
    truth, probability, called = truth[rows, at], probability[rows], called[rows]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        if not len(rows):
            names = ("se_at_sp90", "sensitivity", "specificity", "ppv", "f1", *_OF_CALIBRATION)
            return dict.fromkeys(names, np.full(len(weights), np.nan))
        of_task = weights[:, rows]
        rates = rates_at(truth, called, 0.5, of_task)
        slope, intercept = calibration_line(truth, probability, of_task)
        return {
            "se_at_sp90": sensitivity_at(truth, probability, _SPECIFICITY, of_task),
            "sensitivity": rates.sensitivity,
            "specificity": rates.specificity,
            "ppv": rates.ppv,
            "f1": rates.f1,
            "ece": calibration_error(truth, probability, of_task),
            "slope": slope,
            "intercept": intercept,
        }

    return score


def _of_age(ages: np.ndarray, years: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the error of the age, and how often its interval covers the truth."""
    known = np.flatnonzero(np.isfinite(ages))
    truth, found, of_known = ages[known], years[known], weights[:, known]
    within = (found[:, 1] <= truth) & (truth <= found[:, 2])
    total = of_known.sum(axis=1)
    return {
        "age.mae": ratio(of_known @ np.abs(found[:, 0] - truth), total),
        "age.coverage": ratio(of_known @ within.astype(np.float64), total),
    }
