"""The beat detectors on CPSC 2019, the MIT-BIH Arrhythmia Database and the lead-I collection.

``beats`` is the network, ``beats_fast`` the classical detector. On CPSC 2019 the network is asked for the beats that
promise the best score of that challenge (`best_score_cpsc2019`); everywhere else it answers as it always does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.cpsc2019 import Cpsc2019Truth
from ecg_core.datasets.leadi import LeadITruth
from ecg_core.datasets.mitdb import PACED, MitdbTruth
from ecg_core.evaluation import beats, cpsc2019
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.recording import Recording
from ecg_core.robust import MODEL, RobustDetector, robust_detector

FAST = "beats_fast"
_CHALLENGE = ("qrs_official", "hr_official", "qrs_strict")
_GROSS = tuple(f"{name}_{tolerance}ms" for tolerance in beats.TOLERANCES_MS for name in ("se", "ppv", "f1"))
_MAIN = ("se_150ms", "ppv_150ms", "f1_150ms")
_WORST_BY = {"cpsc2019": "qrs_official"}

Find = Callable[[Recording], np.ndarray]
"""Recording -> beats in seconds, shape (n_beats,)."""


def answer_cpsc2019(find: Find, find_for_score: Find, item: Item[Cpsc2019Truth]) -> dict[str, float]:
    """Return the figures of a record: its heart rate from the usual beats, its beats as the scorer likes them."""
    fs = item.recording.fs
    usual, scored = (np.rint(way(item.recording) * fs) for way in (find, find_for_score))
    return cpsc2019.score_record(item.truth.r_peaks, scored, cpsc2019.heart_rate(usual, fs=fs), fs=fs)


def answer_mitdb(find: Find, item: Item[MitdbTruth]) -> dict[str, float]:
    """Return the figures of a record, with EC57's."""
    recording, truth = item.recording, item.truth
    flutter = beats.flutter_spans(truth.other_sample / recording.fs, truth.other_symbol, recording.duration_s)
    return beats.tally_beats(
        truth.beat_sample / recording.fs, find(recording), left_out=flutter, ec57=True, paced=item.name in PACED
    )


def answer_leadi(find: Find, item: Item[LeadITruth]) -> dict[str, float]:
    """Return the figures of a record."""
    return beats.tally_beats(item.truth.r_peaks / item.recording.fs, find(item.recording))


def score_mitdb(records: Sequence[Mapping[str, float]]) -> Score:
    """Return the scorer of MIT-BIH's answers."""
    return beats.score_beats(records, ec57=True)


def find_for_cpsc2019(detector: Callable[[], RobustDetector], recording: Recording) -> np.ndarray:
    """Return the beats, in seconds, that promise the best score of the challenge."""
    return detector().find(recording.signal[:1], recording.fs, scorer="cpsc2019")[0] / recording.fs


def _find(method: str, recording: Recording) -> np.ndarray:
    return detect_beats(recording, method=method).times_s


def _trained_on(data: str) -> frozenset[str]:
    return load_model(MODEL).trained_on(data)


def _register(model: str, version: Callable[[], str], find: Find, find_for_score: Find) -> None:
    def seen(data: str) -> Callable[[], frozenset[str]]:
        return partial(_trained_on, data) if model == MODEL else frozenset

    exams = {
        "cpsc2019": (partial(answer_cpsc2019, find, find_for_score), cpsc2019.score_records, _CHALLENGE),
        "mitdb": (partial(answer_mitdb, find), score_mitdb, _GROSS),
        "leadi": (partial(answer_leadi, find), beats.score_beats, _GROSS),
    }
    for data, (answer, score, per_record) in exams.items():
        main = per_record if data == "cpsc2019" else _MAIN
        exam = Exam(version, answer, score, per_record, seen(data), main=main, worst_by=_WORST_BY.get(data, main[-1]))
        register(model, data, exam)


_register(
    MODEL,
    lambda: load_model(MODEL).version,
    partial(_find, "robust"),
    partial(find_for_cpsc2019, robust_detector),
)
_register(FAST, lambda: __version__, partial(_find, "fast"), partial(_find, "fast"))
