"""The model of "unacceptable" on CinC 2011."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.datasets import Item
from ecg_core.datasets.cinc2011 import Cinc2011Truth
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.quality import score_quality
from ecg_core.quality import assess_quality
from ecg_core.quality.unacceptable import MODEL, quality_model


def _answer(item: Item[Cinc2011Truth]) -> tuple[bool, float]:
    """Return (whether it is unacceptable, the probability of that; NaN where the model declines)."""
    probability = assess_quality(item.recording).unacceptable_probability
    return not item.truth.acceptable, np.nan if probability is None else probability


def _score(answers: Sequence[tuple[bool, float]]) -> Score:
    truth, probability = (np.array(column) for column in zip(*answers, strict=True))
    return score_quality(truth, probability[None], quality_model().threshold)


register(
    MODEL,
    "cinc2011",
    Exam(
        lambda: load_model(MODEL).version, _answer, _score, trained_on=lambda: load_model(MODEL).trained_on("cinc2011")
    ),
)
