"""The model of "unacceptable" on CinC 2011, and how often it raises an alarm on PTB-XL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.datasets import Item
from ecg_core.datasets.cinc2011 import Cinc2011Truth
from ecg_core.evaluation.bootstrap import Score, Tally, ratio
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.evaluation.quality import score_quality
from ecg_core.quality import assess_quality
from ecg_core.quality.unacceptable import MODEL, quality_model

LABEL = "unacceptable"


def _answer(item: Item[Cinc2011Truth]) -> tuple[bool, float]:
    """Return (whether it is unacceptable, the probability of that; NaN where the model declines)."""
    probability = assess_quality(item.recording).unacceptable_probability
    return not item.truth.acceptable, np.nan if probability is None else probability


def _score(answers: Sequence[tuple[bool, float]]) -> Score:
    truth, probability = (np.array(column) for column in zip(*answers, strict=True))
    return score_quality(truth, probability[None], quality_model().threshold)


def _outcomes(answers: Sequence[tuple[bool, float]]) -> Outcomes:
    truth, probability = (np.array(column)[:, None] for column in zip(*answers, strict=True))
    known, threshold = np.isfinite(probability), quality_model().threshold
    said = [(LABEL,) if unacceptable else ("acceptable",) for unacceptable, _ in answers]
    return Outcomes(
        (LABEL,), truth, known, np.nan_to_num(probability), known & (probability >= threshold), {LABEL: threshold}, said
    )


def _answer_ptbxl(item: Item[Any]) -> dict[str, float]:
    """Return what is made of a recording that a hospital kept, and so was of use to it."""
    quality = assess_quality(item.recording)
    called = (quality.unacceptable_probability or 0.0) >= quality_model().threshold
    return {"n": 1.0, quality.verdict: 1.0, "called": float(called)}


def _score_ptbxl(answers: Sequence[dict[str, float]]) -> Score:
    tally = Tally(answers)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        parts = {"called_unacceptable": "called", "good": "good", "usable": "usable", "poor": "poor"}
        return {name: ratio(sums[part], sums["n"]) for name, part in parts.items()}

    return score


register(
    MODEL,
    "ptbxl",
    Exam(
        lambda: load_model(MODEL).version,
        _answer_ptbxl,
        _score_ptbxl,
        main=("called_unacceptable", "good", "usable", "poor"),
        about={
            "called_unacceptable": "share of recordings that the model calls unacceptable",
            **{verdict: f"share whose quality is called {verdict}" for verdict in ("good", "usable", "poor")},
        },
    ),
)
register(
    MODEL,
    "cinc2011",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        _score,
        main=("auc", "sensitivity", "specificity", "answered"),
        outcomes=_outcomes,
        trained_on=lambda: load_model(MODEL).trained_on("cinc2011"),
    ),
)
