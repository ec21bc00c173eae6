"""The labels of ``heart12`` of which something is promised: their calls, operating points and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.conformal import Cutoffs
from ecg_core.evaluation.operating_points import POINTS, score_calls
from ecg_core.evaluation.outcomes import Outcomes, draw_curves
from ecg_core.evaluation.report import Metric
from ecg_core.evaluation.statements import TELLING
from training.heart12_heads import UNKNOWN, Answers, Layout, probabilities
from training.heart12_text import entry


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
        nobody: list[tuple[str, ...]] = [()] * len(self.truth)
        return draw_curves(self.outcomes(nobody), decided=TELLING.__contains__)

    def outcomes(self, said: Sequence[Sequence[str]]) -> Outcomes:
        """Return what was called for the best F1; ``said`` is what people said of each record."""
        limits = self.thresholds["max_f1"]
        return Outcomes(
            tuple(self.names),
            self.truth,
            self.known,
            self.probability,
            self.known & (self.probability >= limits),
            dict(zip(self.names, limits.tolist(), strict=True)),
            said,
        )
