"""What ``heart12`` was measured to be worth: the file ``metrics.json``, from answers to records that nothing has seen.

Figures carry 95 % bootstrap intervals over records (the set at hand names no patients). That of a calibration error
lies high, since a record drawn twice looks like evidence twice; it is widened to hold the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecg_core.datasets.ptbxl import PtbXlTruth
from ecg_core.evaluation.bootstrap import FEWER_RESAMPLES, RESAMPLES, Score, measure, ratio
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.conformal import score_sets
from ecg_core.evaluation.heart12 import Said, score_heart12
from ecg_core.evaluation.operating_points import POINTS, score_calls
from ecg_core.evaluation.report import Metric
from ecg_core.evaluation.subgroups import AGE_EDGES, age_bands, by_name, measure_subgroups
from ecg_core.recording import Sex
from training.heart12_calibration import cross_fitted
from training.heart12_heads import UNKNOWN, Answers, Layout, ages, probabilities
from training.heart12_labels import Labels
from training.heart12_scores import CLASSES, IN_BRIEF, WITH_CLASSES, Table, mean_error, score_brief, years_of
from training.heart12_text import entry

FULL = "full"
PREFIXES: Mapping[str, str] = {FULL: "", "limb_v1": "limb_v1.", "limb": "limb.", "I": "lead_I.", "II": "lead_II."}
"""View to what its figures' names begin with."""
OF_SUBGROUPS = (
    *WITH_CLASSES,
    *(f"superclass.{label}.auc" for label in ("STTC", "CD", "HYP")),
    "superclass.MI.sensitivity",
    "superclass.MI.specificity",
)
LEAST = 50
"""Records under which a subgroup is not measured."""
_NAMED = ("statements", "superclass", "subclass")
_OF_SERVICE = ("abstains", "unread")
"""Figures of the exam that are about the whole way, not about these arrays."""


@dataclass(frozen=True, eq=False)
class People:
    """What subgroups are made of, each of shape (n,)."""

    age: np.ndarray
    """Years, NaN where unknown; 90 for those over 89."""
    female: np.ndarray
    """1, 0 or NaN."""
    quality: np.ndarray
    """Verdict on the record: good, usable, poor; empty where it was not judged."""
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of other kinds (device, site): the name of each record's own, empty where unknown."""

    @property
    def groups(self) -> dict[str, dict[str, np.ndarray]]:
        """Kind to level to members, bool, shape (n,)."""
        return {
            "sex": {"female": self.female == 1, "male": self.female == 0},
            "age": dict(age_bands(self.age, AGE_EDGES)),
            "quality": {verdict: self.quality == verdict for verdict in ("good", "usable", "poor")},
            **{kind: by_name(names) for kind, names in self.others.items()},
        }


def measure_heart12(
    layout: Layout,
    heads: Mapping[str, Any],
    answers: Mapping[str, Answers],
    targets: np.ndarray,
    people: People,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return all of ``metrics.json`` but model, version, data, split and robustness.

    Parameters
    ----------
    heads
        As `training.heart12_calibration.fit_heads` made them, on other records.
    answers
        View to answers; ``full`` is needed.
    targets
        As there.
    people
        The same records, in the same order.
    """
    names = [str(row) for row in range(len(targets))]

    def of(score: Score) -> dict[str, Metric]:
        return measure(score, names, resamples=resamples, seed=seed)

    def less(score: Score) -> dict[str, Metric]:
        return measure(score, names, resamples=min(resamples, FEWER_RESAMPLES), seed=seed)

    truths = truths_of(layout, targets)
    metrics: dict[str, Metric] = {}
    for view, said in answers.items():
        metrics |= (of if view == FULL else less)(_score_view(layout, heads, view, said, truths))
    table = Table.of(layout, heads, FULL, answers[FULL], targets)
    whole = Labels.of(layout, heads, FULL, answers[FULL], targets)
    points = {point: of(whole.score(point, heads["prevalences"])) for point in POINTS}
    rates = ("sensitivity", "specificity", "ppv", "f1")
    metrics |= {name: metric for name, metric in points["max_f1"].items() if name.rpartition(".")[2] in rates}
    metrics |= of(_score_calibration(layout, heads, answers[FULL], targets, seed))
    defined = {name: metric for name, metric in metrics.items() if metric.value is not None and metric.low is not None}
    return {
        "n": len(targets),
        "resamples": {FULL: resamples, "all else": min(resamples, FEWER_RESAMPLES)},
        "metrics": {name: entry(metric) for name, metric in sorted(defined.items(), key=_by_importance)},
        "undefined": sorted(set(metrics) - set(defined)),
        "positives": _counts(layout, targets),
        "operating_points": {point: whole.points(point, found) for point, found in points.items()},
        "conformal": {view: _measure_sets(layout, heads, view, answers[view], targets, less) for view in answers},
        "curves": whole.curves(),
        "subgroups": subgroups(table, whole, people, resamples=resamples, seed=seed),
    }


def truths_of(layout: Layout, targets: np.ndarray) -> list[PtbXlTruth]:
    """Return targets in the form in which the exam takes the truth; nothing but labels, age and sex is filled in."""
    sex, (years, known) = layout.columns("sex")[0], years_of(targets)
    named = {head: list(zip(layout.heads[head], layout.columns(head), strict=True)) for head in _NAMED}
    sexes: dict[bool, Sex] = {True: "female", False: "male"}
    found = []
    for number, row in enumerate(targets):
        statements, classes, subclasses = (
            frozenset(label for label, column in named[head] if row[column] > 0.5) for head in _NAMED
        )
        found.append(
            PtbXlTruth(
                ecg_id=number,
                age=float(years[number]) if known[number] else None,
                over_89=False,
                sex=sexes[bool(row[sex] > 0.5)] if row[sex] > UNKNOWN else None,
                statements=dict.fromkeys(statements, 100.0),
                superclasses=classes,
                subclasses=subclasses,
                fold=0,
                patient_id=None,
                af_elsewhere=None,
            )
        )
    return found


def accuracy(metrics: Mapping[str, Any], view: str) -> dict[str, Any]:
    """Return what an answer in a view says of its own accuracy, from ``metrics.json``."""
    prefix = PREFIXES[view]
    found = {
        name: metrics["metrics"][f"{prefix}{name}"] for name in IN_BRIEF if f"{prefix}{name}" in metrics["metrics"]
    }
    return {"data": metrics["data"], "split": metrics["split"], "n": metrics["n"], "metrics": found}


def _score_view(
    layout: Layout, heads: Mapping[str, Any], view: str, said: Answers, truths: Sequence[PtbXlTruth]
) -> Score:
    """Return the figures of the exam, and of age also mean error, its slope along age, and the interval's width."""
    probability, (years, half) = probabilities(heads, view, said), ages(heads, view, said)
    rows = heads["views"][view]["labels"]
    limits = [rows[name]["points"].get("max_f1", {}).get("threshold", np.inf) for name in layout.binary]
    intervals = np.maximum(np.stack([years, years - half, years + half], axis=1), 0.0)
    columns = {
        head: {label: layout.outputs.index(name) for label, name in of.items()} for head, of in layout.heads.items()
    }
    exam = score_heart12(
        truths, Said(columns, probability, probability >= np.array(limits), intervals, np.zeros(len(truths), bool))
    )
    stated = np.array([np.nan if truth.age is None else truth.age for truth in truths], np.float64)
    kept = np.flatnonzero(np.isfinite(stated))
    error, width, stated = (intervals[:, 0] - stated)[kept], 2 * half[kept], stated[kept]
    prefix = PREFIXES[view]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_aged = weights[:, kept]
        total = of_aged.sum(axis=1)
        mean_age, mean_off = ratio(of_aged @ stated, total), ratio(of_aged @ error, total)
        spread = ratio(of_aged @ stated**2, total) - mean_age**2
        together = ratio(of_aged @ (stated * error), total) - mean_age * mean_off
        found = {name: values for name, values in exam(weights).items() if name not in _OF_SERVICE} | {
            "age.bias": mean_off,
            "age.bias_per_decade": 10 * ratio(together, spread),
            "age.interval_width": ratio(of_aged @ width, total),
        }
        return {f"{prefix}{name}": values for name, values in found.items() if not prefix or "auprc" not in name}

    return score


def _score_calibration(
    layout: Layout, heads: Mapping[str, Any], said: Answers, targets: np.ndarray, seed: int
) -> Score:
    """Calibration of sex; and of the superclasses when calibrated on the other parts of these very records."""
    graph = heads["views"][FULL]["trees"]
    found = cross_fitted(layout, said, targets, heads["trees"][graph] if graph else (), seed=seed)
    columns = layout.columns(CLASSES)
    kept = np.flatnonzero((targets[:, columns] > UNKNOWN).all(axis=1))
    truth, probability = targets[kept][:, columns] > 0.5, found[kept][:, columns]
    at_sex = layout.columns("sex")[0]
    sexed = np.flatnonzero(targets[:, at_sex] > UNKNOWN)
    female, of_sex = targets[sexed, at_sex] > 0.5, probabilities(heads, FULL, said)[sexed, at_sex]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_task = weights[:, kept]
        lines = [calibration_line(truth[:, at], probability[:, at], of_task) for at in range(len(columns))]
        slope, intercept = np.mean(lines, axis=0)
        return {
            f"{CLASSES}.ece_crossfit": mean_error(targets[:, columns], found[:, columns], kept, weights),
            f"{CLASSES}.slope_crossfit": slope,
            f"{CLASSES}.intercept_crossfit": intercept,
            "sex.ece": calibration_error(female, of_sex, weights[:, sexed]),
        }

    return score


def _measure_sets(
    layout: Layout,
    heads: Mapping[str, Any],
    view: str,
    said: Answers,
    targets: np.ndarray,
    of: Callable[[Score], dict[str, Metric]],
) -> dict[str, Any]:
    """Return coverage of the sets by head, and label by label where all leads are read."""
    labels = Labels.of(layout, heads, view, said, targets)
    found = {}
    for head in ("superclass", "rhythm", "statements", "subclass", "sex"):
        names = [name for name in layout.heads[head].values() if name in labels.names]
        if not names:
            continue
        at = [labels.names.index(name) for name in names]
        cutoffs = [labels.cutoffs[column] for column in at]
        table = of(score_sets(labels.truth[:, at], labels.probability[:, at], labels.known[:, at], cutoffs, names))
        by_label = view == FULL and head != "rhythm"
        found[head] = {name: entry(m) for name, m in table.items() if by_label or name in ("coverage", "decided")}
    return {"stated": heads["coverage"], **found}


def subgroups(
    table: Table, labels: Labels, people: People, *, resamples: int = FEWER_RESAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Return figures of each subgroup and what they differ by from all other records."""

    def make(rows: np.ndarray) -> Score:
        brief = score_brief(table[rows])
        calls = score_calls(
            labels.truth[rows],
            (labels.probability >= labels.thresholds["max_f1"])[rows],
            labels.known[rows],
            labels.names,
        )
        return lambda weights: {**brief(weights), **calls(weights)}

    drawn = [str(row) for row in range(len(labels.truth))]
    few = min(resamples, FEWER_RESAMPLES)
    return measure_subgroups(make, people.groups, OF_SUBGROUPS, drawn, least=LEAST, resamples=few, seed=seed)


def _counts(layout: Layout, targets: np.ndarray) -> dict[str, int]:
    return dict(zip(layout.binary, (targets[:, : len(layout.binary)] > 0.5).sum(axis=0).tolist(), strict=True))


def _by_importance(item: tuple[str, Metric]) -> tuple[int, str]:
    """Put means and what stands alone before single labels, and the full view before the others."""
    name = item[0]
    view = next((at for at, prefix in enumerate(PREFIXES.values()) if prefix and name.startswith(prefix)), 0)
    return 2 * view + (name.removeprefix([*PREFIXES.values()][view]).count(".") > 1), name
