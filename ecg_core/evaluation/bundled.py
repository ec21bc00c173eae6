"""Answers on the bundled set against its truth: waves over all leads, and any metric grade by grade.

Every metric comes once over all records (``qrs_official``) and once for each grade (``12dB.qrs_official``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.waves import score_ludb, tally_ludb
from ecg_core.waves import KINDS

A = TypeVar("A")

_ALL = "all"


def tally_bundled_waves(
    truth: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], kinds: Sequence[str] = KINDS
) -> dict[str, float]:
    """Return the additive figures of a record, for `score_bundled_waves`.

    Parameters
    ----------
    truth, found
        The waves over all leads, seconds of shape (n_waves, 3).
    kinds
        Those that count.
    """
    return tally_ludb({_ALL: {kind: truth[kind] for kind in kinds}}, {_ALL: {kind: found[kind] for kind in kinds}})


def score_bundled_waves(records: Sequence[Mapping[str, float]]) -> Score:
    """Return `score_ludb`'s metrics of marks: ``f1_p se_p ppv_p``, ``mean_p_on``, ``sd_p_on`` and their like."""
    every = score_ludb(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        # Its figures by lead and over agreeing leads say nothing here, where truth is that of all leads together.
        return {
            name: values
            for name, values in every(weights).items()
            if "." not in name and not name.startswith("absent") and not name.endswith("_75ms")
        }

    return score


def score_by_grade(
    score: Callable[[Sequence[A]], Score], answers: Sequence[tuple[str, A]], grades: Sequence[str]
) -> Score:
    """Return the scorer of all answers and, where there are several grades, of each under ``<grade>.<metric>``."""
    whole = score([answer for _, answer in answers])
    rows = {grade: [at for at, (of, _) in enumerate(answers) if of == grade] for grade in grades}
    several = sum(map(bool, rows.values())) > 1
    parts = {grade: score([answers[at][1] for at in among]) for grade, among in rows.items() if among and several}

    def found(weights: np.ndarray) -> dict[str, np.ndarray]:
        figures = dict(whole(weights))
        for grade, part in parts.items():
            figures |= {f"{grade}.{name}": values for name, values in part(weights[:, rows[grade]]).items()}
        return figures

    return found
