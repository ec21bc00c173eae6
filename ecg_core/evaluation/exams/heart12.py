"""``heart12`` on PTB-XL: each record as it is, and its lead I alone (``lead_I.``).

Everything that an analysis does before the model speaks is done here too, to either recording. What is scored is what
the model makes of every record that can be read at all, as calibrated: also of those of which in service it would say
less or nothing (under 18, paced, poor, reversed): see `ecg_core.evaluation.heart12`. Where in service it would say
nothing since leads are too poor, they are read here all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ecg_core.artefacts import Artefact, load_model
from ecg_core.datasets import Item
from ecg_core.datasets.ptbxl import SUPERCLASSES, PtbXlTruth
from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.classification import auc
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.heart12 import Said, score_heart12
from ecg_core.evaluation.operating_points import score_calls
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.evaluation.statements import CLASSES, TELLING, outcomes_of, score_brief
from ecg_core.predictors import DEFAULT_POINT, Context
from ecg_core.predictors.chain import examine
from ecg_core.predictors.heart12 import MODEL
from ecg_core.predictors.heart12_estimates import Estimate, Estimator
from ecg_core.predictors.scope import refusals

ONE_LEAD = "I"
MAIN = (
    "superclass.macro_auc",
    "superclass.ece",
    "AFIB.auc",
    "sex.auc",
    "age.mae",
    "superclass.NORM.auc",
    "superclass.MI.auc",
    "superclass.MI.sensitivity",
    "superclass.MI.specificity",
    "abstains",
)


@dataclass(frozen=True, eq=False)
class Row:
    """What the model made of one recording; NaN where nothing could be made of it."""

    probability: np.ndarray
    """Calibrated, shape (n_labels,)."""
    called: np.ndarray
    """Whether it reached the threshold, bool, shape (n_labels,)."""
    years: np.ndarray
    """Age and its interval, shape (3,)."""
    abstains: bool
    """Whether in service nothing would be said."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model made of one record: of all its leads, and of one."""

    truth: PtbXlTruth
    whole: Row
    one: Row


def _answer_many(items: Sequence[Item[PtbXlTruth]]) -> list[Answer]:
    wholes = [examine(item.recording) for item in items]
    ones = [examine(item.recording.select((ONE_LEAD,))) for item in items]
    rows = _read([*wholes, *ones])
    pairs = zip(rows[: len(items)], rows[len(items) :], strict=True)
    return [Answer(item.truth, *pair) for item, pair in zip(items, pairs, strict=True)]


def _answer(item: Item[PtbXlTruth]) -> Answer:
    return _answer_many([item])[0]


def _read(contexts: Sequence[Context]) -> list[Row]:
    estimator = _estimator(load_model(MODEL))
    spoken = estimator.estimate(contexts)
    mute = [at for at, found in enumerate(spoken) if isinstance(found, str)]
    again = dict(zip(mute, estimator.estimate([contexts[at] for at in mute], spare_nothing=True), strict=True))
    return [
        _row(estimator, again.get(at, found), at in again or bool(refusals(context)))
        for at, (context, found) in enumerate(zip(contexts, spoken, strict=True))
    ]


def _row(estimator: Estimator, found: Estimate | str, abstains: bool) -> Row:
    if isinstance(found, str):
        n = len(estimator.heads.labels)
        return Row(np.full(n, np.nan), np.zeros(n, bool), np.full(3, np.nan), abstains)
    called = found.probability >= estimator.views[found.reading.view].thresholds[DEFAULT_POINT]
    return Row(found.probability, called, np.array(found.years), abstains)


def _score(answers: Sequence[Answer]) -> Score:
    truths = [answer.truth for answer in answers]
    heads = _estimator(load_model(MODEL)).heads.heads

    def score_of(rows: Sequence[Row]) -> Score:
        said = Said(
            heads,
            np.stack([row.probability for row in rows]),
            np.stack([row.called for row in rows]),
            np.stack([row.years for row in rows]),
            np.array([row.abstains for row in rows]),
        )
        return score_heart12(truths, said)

    whole, one = score_of([answer.whole for answer in answers]), score_of([answer.one for answer in answers])

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_one = {f"lead_{ONE_LEAD}.{name}": values for name, values in one(weights).items()}
        return {**whole(weights), **of_one}

    return score


def _outcomes(answers: Sequence[Answer]) -> Outcomes:
    estimator = _estimator(load_model(MODEL))
    view = estimator.views["full"]
    found = outcomes_of(
        [answer.truth for answer in answers],
        estimator.heads.labels,
        np.stack([answer.whole.probability for answer in answers]),
        np.where(view.experimental, np.nan, view.thresholds[DEFAULT_POINT]),
    )
    # Recordings read in another view are called by the thresholds of that.
    return replace(found, called=found.known & np.stack([answer.whole.called for answer in answers]))


def _brief(answers: Sequence[Answer]) -> Score:
    """Return `MAIN` alone: the figures of these names of `score_heart12`."""
    of, silent = _outcomes(answers), np.array([answer.whole.abstains for answer in answers], np.float64)
    ranks, sex = score_brief(of), of.labels.index("sex.female")
    classes = [of.labels.index(f"{CLASSES}.{label}") for label in SUPERCLASSES]
    rates = score_calls(of.truth[:, classes], of.called[:, classes], of.known[:, classes], SUPERCLASSES)
    sexed = np.flatnonzero(of.known[:, sex])
    years = np.array([answer.whole.years[0] for answer in answers])
    age = np.array([np.nan if answer.truth.age is None else answer.truth.age for answer in answers])
    aged = np.isfinite(years) & np.isfinite(age)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        of_aged, called = weights[:, aged], rates(weights)
        return {
            **ranks(weights),
            "sex.auc": auc(of.truth[sexed, sex], of.probability[sexed, sex], weights[:, sexed])
            if len(sexed)
            else np.full(len(weights), np.nan),
            "age.mae": ratio(of_aged @ np.abs(years - age)[aged], of_aged.sum(axis=1)),
            **{f"{CLASSES}.MI.{name}": called[f"MI.{name}"] for name in ("sensitivity", "specificity")},
            "abstains": ratio(weights @ silent, weights.sum(axis=1)),
        }

    return score


@lru_cache(2)
def _estimator(artefact: Artefact) -> Estimator:
    return Estimator(artefact)


register(
    MODEL,
    "ptbxl",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        _score,
        trained_on=lambda: load_model(MODEL).trained_on("ptbxl"),
        answer_many=_answer_many,
        main=MAIN,
        brief=_brief,
        outcomes=_outcomes,
        telling=TELLING,
    ),
)
