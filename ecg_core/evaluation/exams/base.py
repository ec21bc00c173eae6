"""An exam: a model, a labelled data set, and the scorer between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS, Item
from ecg_core.errors import DataSetError, EcgError
from ecg_core.evaluation.bootstrap import RESAMPLES, Score, measure
from ecg_core.evaluation.exams.parts import SAMPLE, Part, Progress, Scored, rates_of, score_each, tell_parts
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.evaluation.report import Evaluation
from ecg_core.registry import Registry

T = TypeVar("T")
A = TypeVar("A")

_TOGETHER = 32
"""Records held at a time for a model that reads several together."""


@dataclass(frozen=True)
class Exam(Generic[T, A]):
    """How a model is examined on a data set."""

    version: Callable[[], str]
    """Version of the model."""
    answer: Callable[[Item[T]], A]
    """Let the model read one record, and keep what the scorer needs: figures, not signals."""
    score: Callable[[Sequence[A]], Score]
    """Make the scorer of these answers, in the order of the records."""
    per_record: tuple[str, ...] = ()
    """Metrics that make sense for one record alone."""
    trained_on: Callable[[], frozenset[str]] = frozenset
    """Hashes (`record_hash`) of the records of this set that the model was trained on."""
    answer_many: Callable[[Sequence[Item[T]]], Sequence[A]] | None = None
    """Do as ``answer`` for several records, where the model reads them faster together."""
    lost: Callable[[A], Mapping[str, Any] | None] | None = None
    """Say what a record cost and what went wrong in it, JSON-ready; None where nothing did."""
    main: tuple[str, ...] = ()
    """Metrics by which subgroups and conditions are compared."""
    brief: Callable[[Sequence[A]], Score] | None = None
    """Make a scorer of ``main`` that is faster than ``score``."""
    against: Callable[[Sequence[A], Sequence[A]], Score] | None = None
    """Make the scorer of answers under a condition from these and those as recorded, where it needs both."""
    outcomes: Callable[[Sequence[A]], Outcomes] | None = None
    """Return what was said of labels, where the model speaks of such."""
    telling: tuple[str, ...] | None = None
    """Labels of which decision curves and failures are told; all of ``outcomes`` without it."""
    worst_by: str | None = None
    """Metric of ``per_record`` by which the worst records are told, where there are no ``outcomes``."""
    spared: tuple[str, ...] = ()
    """Kinds of conditions under which its metrics mean nothing."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What metrics are, in words, where their names do not say."""

    def answers(self, items: Sequence[Item[T]]) -> Sequence[A]:
        """Let the model read some records, in order."""
        return [self.answer(item) for item in items] if self.answer_many is None else self.answer_many(items)


EXAMS: Registry[Registry[Exam[Any, Any]]] = Registry("model to evaluate")
"""Model, then data set, to the exam."""


def register(model: str, data: str, exam: Exam[Any, Any]) -> None:
    """Add the exam of ``model`` on the data set ``data``."""
    if model not in EXAMS:
        EXAMS.register(model, Registry(f"data set for {model}"))
    EXAMS[model].register(data, exam)


def evaluate(
    model: str,
    data: str,
    root: str | Path | None = None,
    *,
    split: str | None = None,
    include_trained: bool = False,
    parts: Sequence[Part] = (),
    sample: int = SAMPLE,
    limit: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Examine a model on a data set.

    Parameters
    ----------
    model, data
        Names in `EXAMS`.
    root
        Where the set is, see `DataSet.locate`: any copy, whole or part.
    split
        Only the recordings of this split of the set.
    include_trained
        Score the records that the model was trained on too; they say how well it remembers, not how good it is.
    parts
        What to tell beside the metrics, see `ecg_core.evaluation.exams.parts`.
    sample
        About how many records, evenly spread, the model is tried with under the conditions of ``robustness``.
    limit
        Score about so many of the records alone, evenly spread.
    resamples, seed
        Of the bootstrap; resamples draw whole groups of the set (patients, tapes).
    progress
        Called before each record and at the end of each part.

    Raises
    ------
    UnknownName
        There is no such model, or it is not evaluated on that set.
    DataSetError
        The set is not there, or no record of it can be scored.
    """
    exam = EXAMS[model][data]
    dataset = DATASETS[data]
    listing = dataset.listing(root)
    entries = dataset.choose(listing.entries, split)
    step = 1 if limit is None else max(1, round(len(entries) / limit))
    entries = entries[::step]
    seen = exam.trained_on()
    read, held, people, trained_on = [], [], [], []
    answers: list[Any] = []
    together = 1 if exam.answer_many is None else _TOGETHER
    unreadable: dict[str, str] = {}
    for done, entry in enumerate(entries):
        if progress:
            progress(done, len(entries), entry.name)
        try:
            item = Item(entry.name, entry.load(), entry.truth())
        except EcgError as error:
            unreadable[entry.name] = str(error)
            continue
        if seen and record_hash(item.recording) in seen:
            trained_on.append(entry.name)
            if not include_trained:
                continue
        read.append(entry)
        held.append(item)
        people.append(item.recording.subject)
        if len(held) == together:
            answers += exam.answers(held)
            held = []
    if held:
        answers += exam.answers(held)
    if progress:
        progress(len(entries), len(entries), "")
    if not read:
        raise DataSetError(
            "no record could be scored",
            file=str(listing.folder),
            found=f"{len(entries)} records"
            + (f" in the split {split}" if split else "")
            + (f", {len(trained_on)} of which the model was trained on" if trained_on else "")
            + _first(unreadable),
            expected="one or more labelled records that can be read" + (" and are new to it" if trained_on else ""),
            options=("--include-trained (include_trained=True)",) if trained_on else (),
        )
    score = exam.score(answers)
    names = [entry.name for entry in read]
    groups = [entry.group or entry.name for entry in read]
    metrics = measure(score, groups, resamples=resamples, seed=seed)
    scored = Scored(exam, data, split, root, read, answers, people, names, groups, step)
    return Evaluation(
        model=model,
        version=exam.version(),
        data=data,
        n=len(read),
        metrics=metrics | rates_of(scored, metrics, resamples, seed),
        split=split,
        unreadable=unreadable,
        missing=len(listing.missing),
        trained_on=tuple(trained_on),
        trained_on_included=include_trained,
        records=score_each(score, names, exam.per_record),
        lost=tell_lost(exam.lost, names, answers),
        parts=tell_parts(scored, parts, sample=sample, resamples=resamples, seed=seed, progress=progress),
    )


def _first(unreadable: Mapping[str, str]) -> str:
    return next((f", the first not readable because: {reason}" for reason in unreadable.values()), "")


def tell_lost(
    lost: Callable[[A], Mapping[str, Any] | None] | None, names: Sequence[str], answers: Sequence[A]
) -> dict[str, Mapping[str, Any]]:
    """Return what each record cost, of those that cost anything."""
    told = {} if lost is None else {name: lost(answer) for name, answer in zip(names, answers, strict=True)}
    return {name: what for name, what in told.items() if what is not None}
