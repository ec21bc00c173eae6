"""What a model said about labels, beside what is so: the curves, rates and failures that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.calibration import BINS
from ecg_core.evaluation.classification import ENOUGH_POSITIVES, auc, average_precision
from ecg_core.evaluation.operating_points import precision_recall_points, roc_points, score_calls
from ecg_core.evaluation.reliability import decision_points, reliability_points
from ecg_core.recording import Subject

CURVE_POINTS = 16
WORST = 10
"""Failures of each kind that are kept."""
_RATES = ("sensitivity", "specificity", "ppv", "f1")


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What a model said about labels; a column a label, a row a record."""

    labels: tuple[str, ...]
    truth: np.ndarray
    """Bool, shape (n_records, n_labels)."""
    known: np.ndarray
    """Whether the truth is known and the model answered, bool, of that shape."""
    probability: np.ndarray
    """Calibrated, of that shape; anything where not ``known``."""
    called: np.ndarray
    """Bool, of that shape."""
    thresholds: Mapping[str, float | None]
    """Label to the probability from which it is called, None where it is not called by one; without those that are
    never called."""
    said: Sequence[Sequence[str]]
    """What people said of each record."""

    def column(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Return truth and probability of a label where they are known."""
        rows = self.known[:, at]
        return self.truth[rows, at], self.probability[rows, at]


def score_outcomes(of: Outcomes, ranked: Sequence[str] = ()) -> Score:
    """Return ``LABEL.sensitivity``, ``.specificity``, ``.ppv`` and ``.f1``, and of some ``.auc`` and ``.auprc``.

    Those are of labels that are ``ranked``. A label that is never called has no rates, and one of which only one class
    occurs no figure.
    """
    told = [
        at
        for at in range(len(of.labels))
        if of.labels[at] in of.thresholds and 0 < (truth := of.column(at)[0]).sum() < len(truth)
    ]
    rates = score_calls(of.truth[:, told], of.called[:, told], of.known[:, told], [of.labels[at] for at in told])
    metrics: dict[str, Callable[..., np.ndarray]] = {"auc": auc, "auprc": average_precision}

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        figures = {name: values for name, values in rates(weights).items() if name.rpartition(".")[2] in _RATES}
        for at, label in enumerate(of.labels):
            if label in ranked:
                of_label = weights[:, of.known[:, at]]
                figures |= {f"{label}.{name}": metric(*of.column(at), of_label) for name, metric in metrics.items()}
        return figures

    return score


def draw_curves(of: Outcomes, *, decided: Callable[[str], bool] = lambda _: True, seed: int = 0) -> dict[str, Any]:
    """Return the points of each kind of curve, of labels with ten records or more of either class.

    Parameters
    ----------
    decided
        Of which labels a decision curve is drawn.
    seed
        Of its interval.
    """
    found: dict[str, Any] = {kind: {} for kind in ("roc", "precision_recall", "reliability", "decision")}
    for at, label in enumerate(of.labels):
        truth, probability = of.column(at)
        if min(truth.sum(), (~truth).sum()) < ENOUGH_POSITIVES or len(truth) < BINS:
            continue
        found["roc"][label] = roc_points(truth, probability, CURVE_POINTS)
        found["precision_recall"][label] = precision_recall_points(truth, probability, CURVE_POINTS)
        found["reliability"][label] = reliability_points(truth, probability)
        if decided(label):
            found["decision"][label] = decision_points(truth, probability, seed=seed)
    return found


def worst_cases(
    of: Outcomes, names: Sequence[str], people: Sequence[Subject], labels: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the most confident errors of each label that is called: `WORST` of each kind, and how many there are.

    Parameters
    ----------
    names, people
        Of the records.
    labels
        Those that are looked at; all without it.
    """
    found = {}
    for at, label in enumerate(of.labels):
        if label not in of.thresholds or (labels is not None and label not in labels):
            continue
        known, truth, called = of.known[:, at], of.truth[:, at], of.called[:, at]
        if not (truth & known).any():
            continue

        def kind(wrong: np.ndarray, surest_first: int, at: int = at) -> dict[str, Any]:
            rows = np.flatnonzero(wrong)
            ranked = rows[np.argsort(surest_first * of.probability[rows, at], kind="stable")]
            return {
                "n": len(rows),
                "worst": [_case(of, row, at, names[row], people[row]) for row in ranked[:WORST].tolist()],
            }

        found[label] = {
            "threshold": None if (limit := of.thresholds[label]) is None else round(float(limit), 5),
            "n": int(known.sum()),
            "positives": int((truth & known).sum()),
            "false_positives": kind(known & ~truth & called, -1),
            "false_negatives": kind(known & truth & ~called, 1),
        }
    return found


def _case(of: Outcomes, row: int, at: int, name: str, person: Subject) -> dict[str, Any]:
    return {
        "record": name,
        "probability": round(float(of.probability[row, at]), 4),
        "truth": list(of.said[row]),
        "age": person.age,
        "sex": person.sex,
    }


def worst_records(records: Mapping[str, Mapping[str, float | None]], metric: str, most: int = WORST) -> list[Any]:
    """Return the records in which a figure of their own is lowest, with all their figures."""
    told = [(figures[metric], name) for name, figures in records.items() if figures.get(metric) is not None]
    told = [item for item in told if item[0] < 1]  # type: ignore[operator] # None was left out
    return [
        {"record": name, "figures": {key: None if v is None else round(v, 5) for key, v in records[name].items()}}
        for _, name in sorted(told, key=lambda item: (item[0], item[1]))[:most]
    ]
