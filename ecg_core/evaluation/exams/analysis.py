"""The whole of `analyze` under conditions, against what it says of the same recording as it was: ``analysis``.

It has learned nothing of its own. What it says of a recording as recorded stands for the truth in rates, beats and
intervals; superclasses are also compared with what people said. Whether it falls silent before it errs is the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core import __version__
from ecg_core.datasets import Item
from ecg_core.datasets.ptbxl import SUPERCLASSES, PtbXlTruth
from ecg_core.evaluation.beats import pair_beats
from ecg_core.evaluation.bootstrap import Score, Tally, ratio
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.statements import CLASSES
from ecg_core.pipeline import analyze_group
from ecg_core.predictors.heart12 import MODEL as READER

MODEL = "analysis"
TOLERANCE_S = 0.150
INTERVALS = {"pr_ms": 40.0, "qrs_ms": 30.0, "qt_ms": 60.0}
"""Measurement to what it may differ by, ms, before it is wrong."""
RATE_BPM, RATE_SHARE = 5.0, 0.1
"""A rate is wrong when it is off by more than the larger of these beats a minute and this share."""

ABOUT = {
    "good": "share of recordings whose quality is called good",
    "poor": "share of recordings whose quality is called poor, of which nothing is measured",
    "heart_rate.given": "share of recordings of which a heart rate is given",
    "heart_rate.wrong": f"share of the rates given that are off by more than {RATE_BPM:g} bpm and {RATE_SHARE:.0%}",
    "heart_rate.wrong_called_good": "share of all recordings whose rate is wrong while their quality is called good",
    "beats.se": "share of the beats as recorded that are found, where beats are looked for",
    "beats.ppv": "share of the beats found that are there as recorded",
    "statements.given": f"share of recordings of which {READER} says anything",
    "superclass.right": "of these, the share of superclass answers that agree with what people said",
    "superclass.changed": "of these, the share in which another set of superclasses is called than as recorded",
    "normal.wrong": "of the recordings that people did not call normal, the share that is called normal",
    "rhythm.given": "share of recordings of which a rhythm is stated",
    "rhythm.changed": "share of the rhythms stated that differ from that as recorded",
    **{
        f"{name}.{what}": words
        for name, limit in INTERVALS.items()
        for what, words in (
            ("given", f"share of recordings of which {name} is given"),
            ("wrong", f"share of those given that are off by more than {limit:g} ms"),
        )
    },
}
MAIN = tuple(ABOUT)


@dataclass(frozen=True, eq=False)
class Answer:
    """What was said of one recording."""

    truth: frozenset[str]
    """Superclasses that people gave it."""
    verdict: str
    beats_s: np.ndarray | None
    """None where no beats were looked for."""
    values: Mapping[str, float | None]
    """Heart rate and `INTERVALS`."""
    classes: frozenset[str] | None
    """Superclasses that are called; None where nothing is said."""
    rhythm: str | None


def _answer_many(items: Sequence[Item[PtbXlTruth]]) -> list[Answer]:
    found = []
    for item, said in zip(items, analyze_group([item.recording for item in items], models=(READER,)), strict=True):
        if isinstance(said, Exception):
            raise said
        prediction = said.predictions[READER]
        called = frozenset(name for name, answer in prediction.labels(CLASSES).items() if answer.positive)
        found.append(
            Answer(
                item.truth.superclasses,
                said.quality.verdict,
                None if said.beats.reason else said.beats.times_s,
                {name: said.measurements[name].value for name in ("hr_bpm", *INTERVALS)},
                None if prediction.abstains else called,
                said.rhythm.label,
            )
        )
    return found


def tally(answer: Answer, plain: Answer) -> dict[str, float]:
    """Return the additive figures of an answer beside that to the recording as it was."""
    rate, true_rate = answer.values["hr_bpm"], plain.values["hr_bpm"]
    off = rate is not None and true_rate is not None
    wrong = off and abs(rate - true_rate) > max(RATE_BPM, RATE_SHARE * true_rate)  # type: ignore[operator]
    figures = {
        "n": 1.0,
        answer.verdict: 1.0,
        "rate": float(rate is not None),
        "rate.compared": float(off),
        "rate.wrong": float(wrong),
        "rate.wrong_good": float(wrong and answer.verdict == "good"),
        "rhythm": float(answer.rhythm is not None),
        "rhythm.compared": float(answer.rhythm is not None and plain.rhythm is not None),
    }
    figures["rhythm.changed"] = float(bool(figures["rhythm.compared"]) and answer.rhythm != plain.rhythm)
    if answer.beats_s is not None and plain.beats_s is not None:
        pairs = pair_beats(plain.beats_s, answer.beats_s, TOLERANCE_S)
        missed, extra = len(pairs.missed), len(pairs.extra)
        figures |= {"hits": len(plain.beats_s) - missed, "missed": missed, "extra": extra}
    if answer.classes is not None:
        figures["said"] = 1.0
        if answer.truth:
            figures["labels"] = len(SUPERCLASSES)
            figures["labels.right"] = len(SUPERCLASSES) - len(answer.truth ^ answer.classes)
        if plain.classes is not None:
            figures |= {"said.compared": 1.0, "said.changed": float(answer.classes != plain.classes)}
    if answer.truth and "NORM" not in answer.truth:
        called = answer.classes is not None and "NORM" in answer.classes
        figures |= {"abnormal": 1.0, "abnormal.called_normal": float(called)}
    for name, limit in INTERVALS.items():
        value, true = answer.values[name], plain.values[name]
        figures[name] = float(value is not None)
        if value is not None and true is not None:
            figures |= {f"{name}.compared": 1.0, f"{name}.wrong": float(abs(value - true) > limit)}
    return figures


def score_against(answers: Sequence[Answer], plain: Sequence[Answer]) -> Score:
    """Return `ABOUT` of answers beside those to the same recordings as they were."""
    sums_of = Tally([tally(answer, before) for answer, before in zip(answers, plain, strict=True)])

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = sums_of(weights)
        shares = {
            "good": ("good", "n"),
            "poor": ("poor", "n"),
            "heart_rate.given": ("rate", "n"),
            "heart_rate.wrong": ("rate.wrong", "rate.compared"),
            "heart_rate.wrong_called_good": ("rate.wrong_good", "n"),
            "statements.given": ("said", "n"),
            "superclass.right": ("labels.right", "labels"),
            "superclass.changed": ("said.changed", "said.compared"),
            "normal.wrong": ("abnormal.called_normal", "abnormal"),
            "rhythm.given": ("rhythm", "n"),
            "rhythm.changed": ("rhythm.changed", "rhythm.compared"),
        }
        for name in INTERVALS:
            shares |= {f"{name}.given": (name, "n"), f"{name}.wrong": (f"{name}.wrong", f"{name}.compared")}
        found = {name: ratio(sums[part], sums[whole]) for name, (part, whole) in shares.items()}
        found["beats.se"] = ratio(sums["hits"], sums["hits"] + sums["missed"])
        found["beats.ppv"] = ratio(sums["hits"], sums["hits"] + sums["extra"])
        return {name: found[name] for name in ABOUT}

    return score


def _score(answers: Sequence[Answer]) -> Score:
    return score_against(answers, answers)


register(
    MODEL,
    "ptbxl",
    Exam(
        lambda: __version__,
        lambda item: _answer_many([item])[0],
        _score,
        answer_many=_answer_many,
        main=MAIN,
        against=score_against,
        about=ABOUT,
    ),
)
