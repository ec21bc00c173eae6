"""Labels of a table against the probabilities and calls of a model, label by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.classification import auc, average_precision


@dataclass(frozen=True)
class Called:
    """What a recording shows and what a model said of it."""

    truth: frozenset[str]
    probability: Mapping[str, float]
    """Of every label that the model speaks of here."""
    positive: frozenset[str]
    """Labels that it called."""


def score_called(answers: Sequence[Called]) -> Score:
    """Return ``macro_auc``, ``macro_auprc`` and, of each label that occurs and is spoken of, its figures.

    ``MI.auc``, ``MI.auprc`` rank; ``MI.se``, ``MI.sp``, ``MI.ppv`` and ``MI.f1`` are of what was called positive. A
    label counts in the means where both classes occur. Recordings of which a label was not spoken stay out of it.

    Raises
    ------
    InvalidValue
        The model speaks of no label of the table.
    """
    spoken = frozenset().union(*(answer.probability for answer in answers))
    asked = frozenset().union(*(answer.truth for answer in answers))
    labels = sorted(spoken & asked)
    if not labels:
        raise InvalidValue(
            "the model speaks of no label of the table",
            field="labels",
            found=", ".join(sorted(asked)[:20]) or "no label",
            options=sorted(spoken),
        )
    columns = {label: _Column(answers, label) for label in labels}

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        figures = {
            f"{label}.{name}": values
            for label, column in columns.items()
            for name, values in column.figures(weights).items()
        }
        both = [label for label, column in columns.items() if column.both]
        means = {}
        for name in ("auc", "auprc"):
            values = np.array([figures[f"{label}.{name}"] for label in both]).reshape(len(both), len(weights))
            defined = ~np.isnan(values)
            means[f"macro_{name}"] = ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))
        return means | figures

    return score


class _Column:
    """One label."""

    def __init__(self, answers: Sequence[Called], label: str) -> None:
        self.rows = np.array([at for at, answer in enumerate(answers) if label in answer.probability])
        among = [answers[at] for at in self.rows]
        self.truth = np.array([label in answer.truth for answer in among], bool)
        self.probability = np.array([answer.probability[label] for answer in among], np.float64)
        self.called = np.array([label in answer.positive for answer in among], bool)
        self.both = bool(self.truth.any() and not self.truth.all())

    def figures(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        of_rows = weights[:, self.rows]
        undefined = np.full(len(weights), np.nan)
        tp, fn, fp, tn = (
            of_rows @ cell.astype(np.float64)
            for cell in (
                self.truth & self.called,
                self.truth & ~self.called,
                ~self.truth & self.called,
                ~self.truth & ~self.called,
            )
        )
        return {
            "auc": auc(self.truth, self.probability, of_rows) if self.both else undefined,
            "auprc": average_precision(self.truth, self.probability, of_rows) if self.both else undefined,
            "se": ratio(tp, tp + fn),
            "sp": ratio(tn, tn + fp),
            "ppv": ratio(tp, tp + fp),
            "f1": ratio(2 * tp, 2 * tp + fp + fn),
        }
