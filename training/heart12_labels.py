"""The labels of ``heart12`` of which something is promised: their calls, operating points and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.conformal import Cutoffs
from ecg_core.evaluation.operating_points import POINTS, precision_recall_points, roc_points, score_calls
from ecg_core.evaluation.reliability import decision_points, reliability_points
from ecg_core.evaluation.report import Metric
from training.heart12_heads import FEW, UNKNOWN, Answers, Layout, probabilities
from training.heart12_scores import AF, CLASSES
from training.heart12_text import entry

CURVE_POINTS = 16


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of which something is promised, each a column of the arrays."""

    names: list[str]
    truth: np.ndarray
    known: np.ndarray
    probability: np.ndarray
    thresholds: Mapping[str, np.ndarray]
    cutoffs: list[Cutoffs]

    @classmethod
    def of(cls, layout: Layout, heads: Mapping[str, Any], view: str, said: Answers, targets: np.ndarray) -> Labels:
        """Return the labels of a view that are not experimental."""
        rows = heads["views"][view]["labels"]
        kept = [at for at, name in enumerate(layout.binary) if not rows[name]["experimental"]]
        names = [layout.binary[at] for at in kept]
        return cls(
            names,
            targets[:, kept] > 0.5,
            targets[:, kept] > UNKNOWN,
            probabilities(heads, view, said)[:, kept],
            {point: np.array([rows[name]["points"][point]["threshold"] for name in names]) for point in POINTS},
            [Cutoffs(**rows[name]["conformal"]) for name in names],
        )

    def score(self, point: str, prevalences: Sequence[float]) -> Score:
        """Return the scorer of calls at an operating point."""
        return score_calls(self.truth, self.probability >= self.thresholds[point], self.known, self.names, prevalences)

    def points(self, point: str, found: Mapping[str, Metric]) -> dict[str, Any]:
        """Return what was ``found`` at an operating point, label by label, with the threshold."""
        table: dict[str, Any] = {}
        for name, threshold in zip(self.names, self.thresholds[point].tolist(), strict=True):
            figures = {key.removeprefix(f"{name}."): m for key, m in found.items() if key.startswith(f"{name}.")}
            elsewhere = {key: entry(m)["value"] for key, m in figures.items() if key.startswith("ppv_at")}
            here = {key: entry(m) for key, m in figures.items() if key not in elsewhere}
            table[name] = {"threshold": threshold, **here, "elsewhere": elsewhere}
        return table

    def curves(self) -> dict[str, Any]:
        """Return the points of each kind of curve, of labels with enough of both classes."""
        found: dict[str, Any] = {kind: {} for kind in ("roc", "precision_recall", "reliability", "decision")}
        for at, name in enumerate(self.names):
            rows = self.known[:, at]
            truth, probability = self.truth[rows, at], self.probability[rows, at]
            if not min(truth.sum(), (~truth).sum()) >= FEW // 2:
                continue
            found["roc"][name] = roc_points(truth, probability, CURVE_POINTS)
            found["precision_recall"][name] = precision_recall_points(truth, probability, CURVE_POINTS)
            found["reliability"][name] = reliability_points(truth, probability)
            if name.startswith(CLASSES) or name.endswith(f".{AF}"):
                found["decision"][name] = decision_points(truth, probability)
        return found
