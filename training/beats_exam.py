"""What detectors find in the records that they were not tuned on, scored as `ecg evaluate` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.beats import Detector, detect_beats_by
from ecg_core.datasets import DATASETS, Item
from ecg_core.evaluation import Metric
from ecg_core.evaluation.beats import score_beats, tally_beats
from ecg_core.evaluation.bootstrap import Score, measure
from ecg_core.evaluation.cpsc2019 import score_records
from ecg_core.evaluation.exams.beats import (
    answer_cpsc2019,
    answer_leadi,
    answer_mitdb,
    find_for_cpsc2019,
    score_mitdb,
)
from ecg_core.recording import Recording
from ecg_core.robust import RobustDetector

Detectors = Mapping[tuple[str, str], RobustDetector]
"""(set, record) -> the detector that has not seen it."""


def examine(
    root: Path | None, dealings: Sequence[Detectors], groups: Mapping[tuple[str, str], str], seed: int
) -> tuple[dict[str, Metric], int]:
    """Return every metric by ``<set>.<name>``, the mean over dealings, and the number of records scored.

    A record that was dealt several times counts once, with the mean of its figures. ``groups`` names what a record
    belongs to: resamples draw whole groups.
    """
    metrics, total = {}, 0
    for data, (answer, score) in _EXAMS.items():
        answers, belongs = [], []
        for entry in DATASETS[data].listing(root):
            item = Item(entry.name, entry.load(), entry.truth())
            answers.append(_mean([answer(detectors[data, entry.name], item) for detectors in dealings]))
            belongs.append(groups[data, entry.name])
        metrics |= {f"{data}.{name}": metric for name, metric in measure(score(answers), belongs, seed=seed).items()}
        total += len(answers)
    return metrics, total


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in figures for name in row)
    return {name: float(np.mean([row.get(name, 0.0) for row in figures])) for name in names}


def _find(detector: RobustDetector, recording: Recording, lead: str | None = None) -> np.ndarray:
    return detect_beats_by(Detector(detector.find, fuses=True), "robust", recording, lead).times_s


def _cpsc2019(detector: RobustDetector, item: Item[Any]) -> dict[str, float]:
    return answer_cpsc2019(partial(_find, detector), partial(find_for_cpsc2019, lambda: detector), item)


def _mitdb(detector: RobustDetector, item: Item[Any]) -> dict[str, float]:
    return answer_mitdb(partial(_find, detector), item)


def _leadi(detector: RobustDetector, item: Item[Any]) -> dict[str, float]:
    return answer_leadi(partial(_find, detector), item)


def _ludb(detector: RobustDetector, item: Item[Any]) -> dict[str, float]:
    """Return the figures of lead II between its first and last mark: what lies outside was not annotated."""
    fs, waves = item.recording.fs, item.truth.waves["II"]
    marks = np.concatenate([rows[rows >= 0].ravel() for rows in waves.values()]) / fs
    found = _find(detector, item.recording, "II")
    inside = found[(found >= marks.min() - _SLACK_S) & (found <= marks.max() + _SLACK_S)]
    return tally_beats(waves["qrs"][:, 1] / fs, inside)


_SLACK_S = 0.02

_EXAMS: dict[str, tuple[Callable[[RobustDetector, Item[Any]], dict[str, float]], Callable[[Any], Score]]] = {
    "cpsc2019": (_cpsc2019, score_records),
    "mitdb": (_mitdb, score_mitdb),
    "leadi": (_leadi, score_beats),
    "ludb": (_ludb, score_beats),
}

EXAMINED = tuple(_EXAMS)
