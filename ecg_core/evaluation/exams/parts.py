"""What an examination tells beside the metrics: curves, subgroups, robustness, failures.

- ``curves``: ROC, precision-recall, reliability and decision curves of the labels that the model speaks of
- ``subgroups``: by sex, age, and device and site where the set names them, with differences and their intervals
- ``robustness``: under noise, other amplitudes, rates, mains, lost leads and exchanged electrodes, beside as recorded
- ``failures``: the most confident errors of each label, or the records that were read worst

Each takes the form that ``metrics.json`` of the models has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ecg_core.datasets import Entry, Item
from ecg_core.evaluation.bootstrap import FEWER_RESAMPLES, Score, measure
from ecg_core.evaluation.conditions import Noise, Trial, trials
from ecg_core.evaluation.outcomes import draw_curves, score_outcomes, worst_cases, worst_records
from ecg_core.evaluation.report import Metric
from ecg_core.evaluation.subgroups import compare_conditions, groups_of, measure_subgroups
from ecg_core.recording import Subject

if TYPE_CHECKING:
    from ecg_core.evaluation.exams.base import Exam

Part = Literal["curves", "subgroups", "robustness", "failures"]
PARTS: tuple[Part, ...] = get_args(Part)
SAMPLE = 200

Progress = Callable[[int, int, str], None]
"""(records done, records in all, name of the next one; empty while the intervals are computed)."""

_CHUNK = 1_000_000
_TOGETHER = 32


@dataclass(frozen=True, eq=False)
class Scored:
    """Records that a model has read, and what it made of them."""

    exam: Exam[Any, Any]
    data: str
    split: str | None
    root: str | Path | None
    entries: Sequence[Entry[Any]]
    answers: Sequence[Any]
    people: Sequence[Subject]
    names: Sequence[str]
    groups: Sequence[str]
    """What resamples draw whole."""
    step: int = 1
    """One in so many of the records of the set or split was read."""

    def score(self, rows: np.ndarray) -> Score:
        """Return the scorer of some records by the main metrics."""
        return (self.exam.brief or self.exam.score)([self.answers[row] for row in rows.tolist()])


def rates_of(scored: Scored, metrics: Mapping[str, Metric], resamples: int, seed: int) -> dict[str, Metric]:
    """Return sensitivity, specificity, PPV and F1 of each label, and its AUC and AUPRC, where ``metrics`` lack them."""
    if scored.exam.outcomes is None:
        return {}
    of = scored.exam.outcomes(scored.answers)
    ranked = [label for label in of.labels if f"{label}.auc" not in metrics]
    found = measure(score_outcomes(of, ranked), scored.groups, resamples=resamples, seed=seed)
    return {name: metric for name, metric in found.items() if name not in metrics}


def tell_parts(
    scored: Scored,
    parts: Sequence[Part],
    *,
    sample: int = SAMPLE,
    resamples: int = FEWER_RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the parts asked for, JSON-ready; one that the model has not is left out."""
    few = min(resamples, FEWER_RESAMPLES)
    found: dict[str, Any] = {}
    if "curves" in parts and scored.exam.outcomes is not None:
        telling = scored.exam.telling
        of = scored.exam.outcomes(scored.answers)
        found["curves"] = draw_curves(of, decided=lambda label: telling is None or label in telling, seed=seed)
    if "subgroups" in parts and scored.exam.main:
        groups, unknown = groups_of(scored.people)
        if groups:
            found["subgroups"] = measure_subgroups(
                scored.score, groups, scored.exam.main, scored.groups, resamples=few, seed=seed
            )
        found["subgroups_unknown"] = unknown
    if "robustness" in parts and scored.exam.main:
        tried = Noise.find(scored.root)
        found["robustness"] = measure_robustness(
            scored, trials(tried), tried.about, sample=sample, resamples=few, seed=seed, progress=progress
        )
    if "failures" in parts and (failures := tell_failures(scored)):
        found["failures"] = failures
    return found


def tell_failures(scored: Scored) -> dict[str, Any]:
    """Return the most confident errors of each label, or the records that were read worst; empty without either."""
    exam = scored.exam
    about = {"data": scored.data, "split": scored.split, "n": len(scored.names)}
    if exam.outcomes is not None:
        of = exam.outcomes(scored.answers)
        return {**about, "labels": worst_cases(of, scored.names, scored.people, exam.telling)}
    if exam.worst_by is None:
        return {}
    each = score_each(exam.score(scored.answers), scored.names, exam.per_record or exam.main)
    return {**about, "metric": exam.worst_by, "worst": worst_records(each, exam.worst_by)}


def measure_robustness(
    scored: Scored,
    tried: Sequence[Trial],
    noise: str,
    *,
    sample: int,
    resamples: int,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the main metrics as recorded, and under each condition beside what they lose by it.

    A condition is tried with the records that hold the leads that it needs.
    """
    exam, step = scored.exam, max(1, round(len(scored.entries) / sample))
    items = [Item(entry.name, entry.load(), entry.truth()) for entry in scored.entries[::step]]
    answers, groups = scored.answers[::step], scored.groups[::step]

    def score(changed: Sequence[Any], rows: Sequence[int]) -> Score:
        plain = [answers[row] for row in rows]
        return exam.against(changed, plain) if exam.against else (exam.brief or exam.score)(changed)

    every = range(len(items))
    conditions = []
    for number, trial in enumerate(tried):
        if progress:
            progress(number, len(tried), trial.name)
        if trial.kind in exam.spared:
            continue
        rows = [row for row in every if set(trial.needs) <= set(items[row].recording.leads)]
        if not rows:
            continue
        changed: list[Any] = []
        for first in range(0, len(rows), _TOGETHER):
            changed += exam.answers(
                [
                    items[row]._replace(
                        recording=trial.change(items[row].recording, np.random.default_rng([seed, number, row]))
                    )
                    for row in rows[first : first + _TOGETHER]
                ]
            )
        unchanged = score([answers[row] for row in rows], rows)
        compared = compare_conditions(score(changed, rows), unchanged, exam.main)
        table = measure(compared, [groups[row] for row in rows], resamples=resamples, seed=seed)
        conditions.append(
            {"kind": trial.kind, "level": trial.level, "dose": trial.dose}
            | ({} if len(rows) == len(items) else {"n": len(rows)})
            | {"metrics": {name: metric.rounded().to_dict() for name, metric in table.items()}}
        )
    plain = measure(score(answers, every), groups, resamples=resamples, seed=seed)
    return {
        "data": scored.data + (f", split {scored.split}" if scored.split else ""),
        "n": len(items),
        "records": "all" if step * scored.step == 1 else f"one in {step * scored.step}",
        "answers": "as in service, by the whole way to the answer",
        "noise": noise,
        "as recorded": {name: plain[name].rounded().to_dict() for name in exam.main if name in plain},
        "conditions": conditions,
    } | ({"about": dict(exam.about)} if exam.about else {})


def score_each(score: Score, names: Sequence[str], metrics: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Return the metrics of every record on its own: the score where all others weigh nothing."""
    if not metrics:
        return {}
    found: dict[str, dict[str, float | None]] = {}
    step = max(1, _CHUNK // len(names))
    for start in range(0, len(names), step):
        rows = np.arange(start, min(start + step, len(names)))
        alone = np.zeros((len(rows), len(names)))
        alone[np.arange(len(rows)), rows] = 1.0
        values = score(alone)
        for at, row in enumerate(rows.tolist()):
            figures = {metric: float(values[metric][at]) for metric in metrics if metric in values}
            found[names[row]] = {metric: value if np.isfinite(value) else None for metric, value in figures.items()}
    return found
