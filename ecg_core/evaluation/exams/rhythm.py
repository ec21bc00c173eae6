"""The rhythm of one lead on CinC 2017, and AF or not in lead I of PTB-XL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.cinc2017 import Cinc2017Truth
from ecg_core.datasets.ptbxl import PtbXlTruth
from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.classification import auc, average_precision, rates_at, score_cinc2017, tally_cinc2017
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.recording import Recording
from ecg_core.rhythm import classify_rhythm
from ecg_core.rhythm.model import MODEL, rhythm_model
from ecg_core.rhythm.value import LABELS

ABSTAINED = "~"
"""What counts as the answer where there is none: that the strip cannot be told."""

AF, FLUTTER = "AFIB", "AFLT"
LEAD = "I"


@dataclass(frozen=True)
class Answer:
    """What is so, and what was said."""

    truth: frozenset[str]
    """The label of CinC 2017, or the statements of PTB-XL."""
    label: str | None
    probabilities: Mapping[str, float]
    """Empty where nothing was said."""


def _read(recording: Recording, lead: str, truth: frozenset[str]) -> Answer:
    found = classify_rhythm(recording, detect_beats(recording, lead, rhythm_model().beats_method), lead)
    return Answer(truth, found.label, {str(name): value for name, value in (found.probabilities or {}).items()})


def _answer(item: Item[Cinc2017Truth]) -> Answer:
    return _read(item.recording, item.recording.leads[0], frozenset((item.truth.label,)))


def _answer_ptbxl(item: Item[PtbXlTruth]) -> Answer:
    return _read(item.recording.select((LEAD,)), LEAD, frozenset(item.truth.statements))


def _score(answers: Sequence[Answer]) -> Score:
    return score_cinc2017([tally_cinc2017(next(iter(answer.truth)), answer.label or ABSTAINED) for answer in answers])


def _outcomes(answers: Sequence[Answer]) -> Outcomes:
    said = [tuple(answer.truth) for answer in answers]
    return _of_labels(answers, LABELS, [[label in answer.truth for label in LABELS] for answer in answers], said)


def _outcomes_ptbxl(answers: Sequence[Answer]) -> Outcomes:
    truth = [[AF in answer.truth] for answer in answers]
    found = _of_labels(answers, ("A",), truth, [tuple(answer.truth) for answer in answers])
    # Flutter counts neither way.
    judged = np.array([[FLUTTER not in answer.truth] for answer in answers])
    return replace(found, labels=(AF,), known=found.known & judged, thresholds={AF: None})


def _of_labels(
    answers: Sequence[Answer], labels: Sequence[str], truth: Sequence[Sequence[bool]], said: Sequence[Sequence[str]]
) -> Outcomes:
    probability = np.array([[answer.probabilities.get(label, np.nan) for label in labels] for answer in answers])
    known = np.isfinite(probability)
    called = known & np.array([[answer.label == label for label in labels] for answer in answers])
    thresholds = dict.fromkeys(labels)
    return Outcomes(tuple(labels), np.array(truth, bool), known, np.nan_to_num(probability), called, thresholds, said)


def _score_ptbxl(answers: Sequence[Answer]) -> Score:
    """Return how well AF is told; a record of which nothing is said counts as without AF, one with flutter not."""
    of = _outcomes_ptbxl(answers)
    rows = np.flatnonzero([FLUTTER not in answer.truth for answer in answers])
    truth, probability, called = (array[rows, 0] for array in (of.truth, of.probability, of.called))
    silent = np.array([answer.label is None for answer in answers], np.float64)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        judged = weights[:, rows]
        rates = rates_at(truth, called.astype(np.float64), 0.5, judged)
        return {
            f"{AF}.auc": auc(truth, probability, judged),
            f"{AF}.auprc": average_precision(truth, probability, judged),
            f"{AF}.sensitivity": rates.sensitivity,
            f"{AF}.specificity": rates.specificity,
            f"{AF}.ppv": rates.ppv,
            f"{AF}.f1": rates.f1,
            "abstains": ratio(weights @ silent, weights.sum(axis=1)),
        }

    return score


register(
    MODEL,
    "cinc2017",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        _score,
        main=("f1_noa", "f1_n", "f1_a", "f1_o"),
        outcomes=_outcomes,
        trained_on=lambda: load_model(MODEL).trained_on("cinc2017"),
    ),
)
register(
    MODEL,
    "ptbxl",
    Exam(
        lambda: load_model(MODEL).version,
        _answer_ptbxl,
        _score_ptbxl,
        main=(f"{AF}.auc", f"{AF}.sensitivity", f"{AF}.specificity", f"{AF}.f1", "abstains"),
        outcomes=_outcomes_ptbxl,
        trained_on=lambda: load_model(MODEL).trained_on("ptbxl"),
    ),
)
