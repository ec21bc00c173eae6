"""Fitting what ``heads.json`` holds: stacking, calibration, operating points, conformal sets, the line of age.

The form of the file: `training.heart12_heads`. Everything is fitted on one fold that neither network nor trees have
seen; figures stated beside thresholds are of records left out of the fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.evaluation.conformal import interval_width, label_cutoffs
from ecg_core.evaluation.operating_points import POINTS, choose_thresholds, predictive_value
from training.heart12_heads import (
    AGE,
    AGE_MEAN,
    AGE_SD,
    COVERAGE,
    FEW,
    PREVALENCES,
    UNKNOWN,
    VIEWS,
    Answers,
    Layout,
    tree_ages,
)
from training.heart12_stacking import Coefficients, choose_pull, fit_each, fit_shared, parts, probability

PULLS = (2.0, 8.0, 32.0, 128.0)
FOLDS = 5
GROUPS = ("statements", "subclass", "superclass", "sex")
"""Heads whose labels share a strength of the pull, and those of them that are rare what they share."""


def fit_heads(
    layout: Layout,
    answers: Mapping[str, Answers],
    targets: np.ndarray,
    trees: Mapping[str, Sequence[str]],
    graphs: Mapping[str, str],
    *,
    features: Mapping[str, Sequence[str]] = MappingProxyType({}),
    seed: int = 0,
) -> dict[str, Any]:
    """Return what `HEADS` holds, fitted on records that neither network nor trees have seen.

    Parameters
    ----------
    layout
        Names of the outputs.
    answers
        View to what was said of the records.
    targets
        Shape (n, n_outputs - 1): 0 or 1 for each label, then standardised age; below `UNKNOWN` not known.
    trees
        Graph to the outputs that its columns are.
    graphs
        View to the graph whose answers it has; only views with trees.
    features
        Graph to the names of the figures that it reads.
    seed
        Of the folds.
    """
    return {
        "outputs": list(layout.outputs),
        "heads": {head: dict(labels) for head, labels in layout.heads.items()},
        "trees": {graph: list(names) for graph, names in trees.items()},
        "features": {graph: list(names) for graph, names in features.items()},
        "coverage": COVERAGE,
        "prevalences": list(PREVALENCES),
        "views": {
            view: _fit_view(layout, view, said, targets, graphs.get(view), trees, seed)
            for view, said in answers.items()
        },
    }


def spread_trees(layout: Layout, said: Answers, names: Sequence[str]) -> np.ndarray:
    """Return the trees' answers in the columns of the outputs they are of, shape (n, n_labels); NaN elsewhere."""
    wide = np.full((len(said.net), len(layout.binary)), np.nan)
    if said.trees is not None:
        labels = [at for at, name in enumerate(names) if name != AGE]
        wide[:, [layout.binary.index(names[at]) for at in labels]] = said.trees[:, labels]
    return wide


def cross_fitted(
    layout: Layout, said: Answers, targets: np.ndarray, names: Sequence[str], *, seed: int = 0
) -> np.ndarray:
    """Return probabilities of records by calibrations that have not seen them, shape (n, n_labels)."""
    net, trees, truth, known = _arrays(layout, said, targets, names)
    pulls = _pulls(layout, net, trees, truth, known, seed)
    found = np.empty_like(net)
    for left_out in parts(len(net), FOLDS, seed):
        kept = np.setdiff1d(np.arange(len(net)), left_out)
        fitted = _fit_labels(layout, net[kept], trees[kept], truth[kept], known[kept], pulls)
        found[left_out] = probability(_combined(fitted, net[left_out], trees[left_out]))
    return found


_Fitted = tuple[Coefficients, Coefficients, np.ndarray]
"""With trees, without, and which labels the first is used for."""


def _arrays(
    layout: Layout, said: Answers, targets: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the network's and the trees' answers, truth and whether it is known, each of shape (n, n_labels)."""
    labels = len(layout.binary)
    known = targets[:, :labels] > UNKNOWN
    truth = np.where(known, targets[:, :labels], 0.0).astype(np.float64)
    return said.net[:, :labels].astype(np.float64), spread_trees(layout, said, names), truth, known.astype(np.float64)


def _pulls(
    layout: Layout, net: np.ndarray, trees: np.ndarray, truth: np.ndarray, known: np.ndarray, seed: int
) -> dict[str, tuple[float, float]]:
    """Return the pulls of each group, for labels with trees and without, chosen by records left out."""
    folds = parts(len(net), FOLDS, seed)
    chosen = {}
    for group in GROUPS:
        columns = np.array(layout.columns(group))
        enough = columns[(truth * known)[:, columns].sum(axis=0) >= FEW]
        if not len(enough):
            chosen[group] = (PULLS[-1], PULLS[-1])
            continue
        both = enough[np.isfinite(trees[:, enough]).any(axis=0)]
        plain = choose_pull(net[:, enough], None, truth[:, enough], known[:, enough], PULLS, folds)[0]
        stacked = plain
        if len(both):
            there = known[:, both] * np.isfinite(trees[:, both])
            of_trees = np.nan_to_num(trees[:, both])
            stacked = choose_pull(net[:, both], of_trees, truth[:, both], there, PULLS, folds)[0]
        chosen[group] = (plain, stacked)
    return chosen


def _fit_labels(
    layout: Layout,
    net: np.ndarray,
    trees: np.ndarray,
    truth: np.ndarray,
    known: np.ndarray,
    pulls: Mapping[str, tuple[float, float]],
) -> _Fitted:
    labels = net.shape[1]
    alone, stacked = ([np.ones(labels), np.zeros(labels), np.zeros(labels)] for _ in range(2))
    uses_trees = np.zeros(labels, bool)
    positives = (truth * known).sum(axis=0)
    for group in GROUPS:
        columns = np.array(layout.columns(group))
        plain, with_trees = pulls[group]
        rare = positives[columns] < FEW
        for some, fit in ((columns[rare], fit_shared), (columns[~rare], fit_each)):
            if len(some):
                _put(alone, some, fit(net[:, some], None, truth[:, some], known[:, some], plain))
            both = some[np.isfinite(trees[:, some]).any(axis=0)]
            if len(both):
                there = known[:, both] * np.isfinite(trees[:, both])
                fitted = fit(net[:, both], np.nan_to_num(trees[:, both]), truth[:, both], there, with_trees)
                _put(stacked, both, fitted)
                uses_trees[both] = fitted.trees > 0
    return Coefficients(*stacked), Coefficients(*alone), uses_trees


def _put(into: list[np.ndarray], columns: np.ndarray, found: Coefficients) -> None:
    for array, values in zip(into, (found.net, found.trees, found.offset), strict=True):
        array[columns] = values


def _combined(fitted: _Fitted, net: np.ndarray, trees: np.ndarray) -> np.ndarray:
    """Return logits: stacked where a label uses trees and they spoke, else of the network alone."""
    stacked, alone, uses_trees = fitted
    return np.where(
        uses_trees & np.isfinite(trees),
        stacked.logits(net, np.nan_to_num(trees)),
        alone.logits(net, np.zeros_like(net)),
    )


def _fit_view(
    layout: Layout,
    view: str,
    said: Answers,
    targets: np.ndarray,
    graph: str | None,
    trees: Mapping[str, Sequence[str]],
    seed: int,
) -> dict[str, Any]:
    net, of_trees, truth, known = _arrays(layout, said, targets, trees[graph] if graph else ())
    pulls = _pulls(layout, net, of_trees, truth, known, seed)
    fitted = _fit_labels(layout, net, of_trees, truth, known, pulls)
    found = probability(_combined(fitted, net, of_trees))
    tallies = _left_out(layout, net, of_trees, truth, known, pulls, seed)
    labels = {
        name: _label(at, fitted, found[:, at], truth[:, at] > 0, known[:, at] > 0, tallies)
        for at, name in enumerate(layout.binary)
    }
    return {
        "leads": list(VIEWS[view]),
        "trees": graph,
        "n": len(net),
        "age": _fit_age(said.net, targets[:, -1], tree_ages(trees, graph, said)),
        "labels": labels,
    }


def _left_out(
    layout: Layout,
    net: np.ndarray,
    trees: np.ndarray,
    truth: np.ndarray,
    known: np.ndarray,
    pulls: Mapping[str, tuple[float, float]],
    seed: int,
) -> Mapping[tuple[int, str], np.ndarray]:
    """Return (tp, fn, fp, tn) by label and operating point, of thresholds at records that they were not chosen on."""
    tallies: dict[tuple[int, str], np.ndarray] = {}
    for left_out in parts(len(net), FOLDS, seed):
        kept = np.setdiff1d(np.arange(len(net)), left_out)
        fitted = _fit_labels(layout, net[kept], trees[kept], truth[kept], known[kept], pulls)
        inside = probability(_combined(fitted, net[kept], trees[kept]))
        outside = probability(_combined(fitted, net[left_out], trees[left_out]))
        for at in range(net.shape[1]):
            rows, tested = known[kept, at] > 0, known[left_out, at] > 0
            is_so, is_so_outside = truth[kept, at][rows] > 0, truth[left_out, at][tested] > 0
            if not is_so.any() or is_so.all():
                continue
            for point, threshold in choose_thresholds(is_so, inside[rows, at]).items():
                called = outside[tested, at] >= threshold
                cells = (is_so_outside & called, is_so_outside & ~called, ~is_so_outside & called)
                counts = [int(cell.sum()) for cell in cells]
                tally = np.array([*counts, int(tested.sum()) - sum(counts)])
                tallies[at, point] = tallies.get((at, point), 0) + tally
    return tallies


def _label(
    at: int,
    fitted: _Fitted,
    found: np.ndarray,
    truth: np.ndarray,
    known: np.ndarray,
    tallies: Mapping[tuple[int, str], np.ndarray],
) -> dict[str, Any]:
    stacked, alone, uses_trees = fitted
    used = stacked if uses_trees[at] else alone
    positives = int((truth & known).sum())
    experimental = min(positives, int(known.sum()) - positives) < FEW
    points, conformal = {}, None
    if not experimental:
        cutoffs = label_cutoffs(truth[known], found[known], COVERAGE)
        conformal = {"present": _short(cutoffs.present), "absent": _short(cutoffs.absent)}
        thresholds = choose_thresholds(truth[known], found[known])
        points = {point: _point(thresholds[point], tallies[at, point]) for point in POINTS}
    return {
        "net": _short(used.net[at]),
        "trees": _short(used.trees[at]) if uses_trees[at] else 0.0,
        "offset": _short(used.offset[at]),
        "alone": {"net": _short(alone.net[at]), "offset": _short(alone.offset[at])} if uses_trees[at] else None,
        "n": int(known.sum()),
        "positives": positives,
        "experimental": experimental,
        "points": points,
        "conformal": conformal,
    }


def _point(threshold: float, tally: np.ndarray) -> dict[str, Any]:
    tp, fn, fp, tn = (int(count) for count in tally)
    sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
    return {
        "threshold": _short(threshold),
        "sensitivity": round(sensitivity, 4),
        "specificity": round(specificity, 4),
        "ppv": _rounded(predictive_value(sensitivity, specificity, (tp + fn) / (tp + fn + fp + tn))),
        "ppv_at": [_rounded(predictive_value(sensitivity, specificity, share)) for share in PREVALENCES],
    }


def _fit_age(net: np.ndarray, target: np.ndarray, of_trees: np.ndarray | None) -> dict[str, Any]:
    """Return line and width of age: the line of least absolute error, over the stated spread, then the interval.

    The same of what trees say beside the network (years, shape (n,), NaN where they do not), where they do.
    """
    known = target > UNKNOWN
    median, spread = net[known, -2].astype(np.float64), np.exp(net[known, -1].astype(np.float64))
    stated, found = AGE_MEAN + AGE_SD * target[known], AGE_MEAN + AGE_SD * median
    slope, offset = _least_absolute(found[:, None], stated, 1 / spread)
    error = np.abs(stated - slope * found - offset) / (AGE_SD * slope * spread)
    width = interval_width(error, COVERAGE)
    row = {"mean": AGE_MEAN, "sd": AGE_SD, "slope": slope, "offset": offset, "width": width}
    stacked = None
    if of_trees is not None and (spoke := np.isfinite(of_trees[known])).any():
        both, truth = np.column_stack([found, of_trees[known]])[spoke], stated[spoke]
        slopes = _least_absolute(both, truth, 1 / spread[spoke])
        error = np.abs(truth - both @ slopes[:2] - slopes[2]) / (AGE_SD * spread[spoke])
        stacked = dict(zip(("slope", "trees", "offset"), map(_short, slopes), strict=True))
        stacked["width"] = _short(interval_width(error, COVERAGE))
    return {key: _short(value) for key, value in row.items()} | {"stacked": stacked}


def _least_absolute(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[float, ...]:
    """Return slopes and offset of the line with the least weighted absolute error, by reweighted least squares.

    x has shape (n, n_slopes).
    """
    columns = np.column_stack([x, np.ones(len(x))])
    line = np.append(np.full(x.shape[1], 1 / x.shape[1]), 0.0)
    for _ in range(60):
        pull = np.sqrt(weight / np.maximum(np.abs(y - columns @ line), 1e-3))
        line = np.linalg.lstsq(columns * pull[:, None], y * pull)[0]
    return tuple(line.tolist())


def _short(value: float) -> float:
    return float(f"{float(value):.6g}")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
