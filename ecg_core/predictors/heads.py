"""The file ``heads.json`` of ``heart12``: which output is which, and how outputs become probabilities, by view.

Its form stands in `training.heart12_heads`, which writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.errors import ModelError
from ecg_core.predictors.value import OPERATING_POINTS, OperatingPoint

FILE = "heads.json"
NEEDED = ("rhythm", "sex")
"""Heads that are asked by name."""
AGE = ("age.median", "age.log_spread")
"""The last two outputs; all before them are labels."""
_STACKED = ("slope", "trees", "offset", "width")


@dataclass(frozen=True)
class Terms:
    """An answer as a sum: ``slope`` times what the network says, what the trees add, and ``offset``."""

    slope: float
    trees: float
    """0 where they had nothing to read."""
    offset: float

    def reversed(self) -> Terms:
        """Return the terms of the opposite answer."""
        return Terms(-self.slope, -self.trees, -self.offset)


@dataclass(frozen=True)
class Age:
    """How the two outputs of age become years and their interval."""

    mean: float
    sd: float
    slope: float
    offset: float
    width: float
    stacked: Mapping[str, float] | None = None
    """``slope``, ``trees``, ``offset`` and ``width`` in place of those where trees spoke, too."""
    tree_column: int | None = None
    """Column of the trees' answers that is the age."""

    def years(self, median: float, log_spread: float, trees: np.ndarray | None = None) -> tuple[float, float, float]:
        """Return years, and the interval around them, none below 0; ``trees`` as in `View.probabilities`."""
        terms, spread = self.terms(trees), self.sd * float(np.exp(log_spread))
        stacked = None if trees is None or self.tree_column is None else self.stacked
        reach = spread * (self.width * self.slope if stacked is None else stacked["width"])
        years = terms.slope * median + terms.trees + terms.offset
        return max(years, 0.0), max(years - reach, 0.0), max(years + reach, 0.0)

    def terms(self, trees: np.ndarray | None) -> Terms:
        """Return what years are the sum of; ``trees`` as in `View.probabilities`."""
        if trees is None or self.stacked is None or self.tree_column is None:
            return Terms(self.slope * self.sd, 0.0, self.slope * self.mean + self.offset)
        slope, weight, offset = (self.stacked[key] for key in ("slope", "trees", "offset"))
        added = weight * self.sd * float(trees[self.tree_column])
        return Terms(slope * self.sd, added, (slope + weight) * self.mean + offset)


@dataclass(frozen=True, eq=False)
class View:
    """A way to read a recording: leads, and what was fitted on recordings read so. Arrays have one entry a label."""

    name: str
    leads: tuple[str, ...]
    trees: str | None
    """File of the trees whose answers are stacked."""
    tree_columns: np.ndarray
    """Column of the trees' answers for each label, -1 where they have none."""
    net: np.ndarray
    stacked: np.ndarray
    """Weight of the trees."""
    offset: np.ndarray
    net_alone: np.ndarray
    offset_alone: np.ndarray
    """In place of those above where the trees have nothing to read."""
    experimental: np.ndarray
    thresholds: Mapping[OperatingPoint, np.ndarray]
    """By operating point; NaN where there is none."""
    present: np.ndarray
    absent: np.ndarray
    """Cutoffs of the conformal sets; NaN where nothing is claimed."""
    age: Age
    accuracy: Mapping[str, Any]
    lost: Mapping[str, Mapping[str, Any]]
    """The same with so many leads missing (``"1"``, ``"2"``)."""

    def probabilities(self, net: np.ndarray, trees: np.ndarray | None) -> np.ndarray:
        """Return calibrated probabilities, shape (n_labels,).

        Parameters
        ----------
        net
            The network's answers, shape (n_outputs,).
        trees
            The trees', shape (n_tree_labels,); None where they had nothing to read.
        """
        slope, added, offset = self._terms(trees)
        logit = slope * net[: len(self.net)].astype(np.float64) + added + offset
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -60, 60))))

    def terms(self, at: int, trees: np.ndarray | None) -> Terms:
        """Return what the log odds of label number ``at`` are the sum of; ``trees`` as in `probabilities`."""
        return Terms(*(float(values[at]) for values in self._terms(trees)))

    def _terms(self, trees: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if trees is None:
            return self.net_alone, np.zeros_like(self.net_alone), self.offset_alone
        said = np.append(trees.astype(np.float64), 0.0)[self.tree_columns]
        return self.net, self.stacked * said, self.offset


class Heads:
    """All of the file."""

    def __init__(self, artefact: Artefact) -> None:
        """Read it from a model."""
        found = artefact.json(FILE)
        try:
            self.outputs = tuple(found["outputs"])
            if self.outputs[-2:] != AGE:
                raise ValueError(f"the last outputs are {self.outputs[-2:]}, not {AGE}")
            self.heads: dict[str, dict[str, int]] = {
                head: {label: self.labels.index(output) for label, output in labels.items()}
                for head, labels in found["heads"].items()
            }
            if missing := [head for head in NEEDED if head not in self.heads]:
                raise ValueError(f"no head {', '.join(missing)}")
            self.features = {graph: tuple(found["features"][graph]) for graph in found["trees"]}
            self.coverage = float(found["coverage"])
            self.views = {name: self._view(name, view, found["trees"]) for name, view in found["views"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form",
                file=str(artefact.path / FILE),
                found=repr(error),
            ) from error

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The outputs that are labels."""
        return self.outputs[: -len(AGE)]

    def _view(self, name: str, view: Mapping[str, Any], tree_labels: Mapping[str, list[str]]) -> View:
        of = [view["labels"][output] for output in self.labels]
        graph = view["trees"]
        from_trees = list(tree_labels[graph]) if graph else []

        def column(values: list[Any]) -> np.ndarray:
            return np.array([np.nan if value is None else value for value in values], np.float64)

        alone = [fit["alone"] or {"net": fit["net"], "offset": fit["offset"]} for fit in of]
        points = {
            point: column([fit["points"].get(point, {}).get("threshold") for fit in of]) for point in OPERATING_POINTS
        }
        return View(
            name=name,
            leads=tuple(view["leads"]),
            trees=graph,
            tree_columns=np.array([from_trees.index(o) if o in from_trees else -1 for o in self.labels], np.int64),
            net=column([fit["net"] for fit in of]),
            stacked=column([fit["trees"] for fit in of]),
            offset=column([fit["offset"] for fit in of]),
            net_alone=column([fit["net"] for fit in alone]),
            offset_alone=column([fit["offset"] for fit in alone]),
            experimental=np.array([bool(fit["experimental"]) for fit in of]),
            thresholds=points,
            present=column([(fit["conformal"] or {}).get("present") for fit in of]),
            absent=column([(fit["conformal"] or {}).get("absent") for fit in of]),
            age=_age(view["age"], from_trees),
            accuracy=MappingProxyType(view.get("accuracy", {})),
            lost={lost: MappingProxyType(figures) for lost, figures in view.get("lost", {}).items()},
        )


def _age(row: Mapping[str, Any], from_trees: Sequence[str]) -> Age:
    """Return how age is told, given the row of a view and what each column of its trees' answers is."""
    stacked = row["stacked"]
    return Age(
        **{key: float(row[key]) for key in ("mean", "sd", "slope", "offset", "width")},
        stacked=None if stacked is None else {key: float(stacked[key]) for key in _STACKED},
        tree_column=from_trees.index(AGE[0]) if AGE[0] in from_trees else None,
    )
