"""The beat detector on CPSC 2019, the MIT-BIH Arrhythmia Database and the lead-I collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ecg_core import __version__
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.cpsc2019 import Cpsc2019Truth
from ecg_core.datasets.leadi import LeadITruth
from ecg_core.datasets.mitdb import PACED, MitdbTruth
from ecg_core.evaluation import beats, cpsc2019
from ecg_core.evaluation.bootstrap import Score
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.recording import Recording

METHOD = "fast"
_GROSS = tuple(f"{name}_{tolerance}ms" for tolerance in beats.TOLERANCES_MS for name in ("se", "ppv", "f1"))


def _version() -> str:
    return f"{METHOD} {__version__}"


def _find(recording: Recording) -> np.ndarray:
    """Return the beats in seconds, shape (n_beats,)."""
    return detect_beats(recording, method=METHOD).times_s


def _answer_cpsc2019(item: Item[Cpsc2019Truth]) -> dict[str, float]:
    fs = item.recording.fs
    found = np.rint(_find(item.recording) * fs)
    return cpsc2019.score_record(item.truth.r_peaks, found, cpsc2019.heart_rate(found, fs=fs), fs=fs)


def _answer_mitdb(item: Item[MitdbTruth]) -> dict[str, float]:
    recording, truth = item.recording, item.truth
    flutter = beats.flutter_spans(truth.other_sample / recording.fs, truth.other_symbol, recording.duration_s)
    return beats.tally_beats(
        truth.beat_sample / recording.fs, _find(recording), left_out=flutter, ec57=True, paced=item.name in PACED
    )


def _answer_leadi(item: Item[LeadITruth]) -> dict[str, float]:
    return beats.tally_beats(item.truth.r_peaks / item.recording.fs, _find(item.recording))


def _score_mitdb(records: Sequence[Mapping[str, float]]) -> Score:
    return beats.score_beats(records, ec57=True)


register(
    "beats",
    "cpsc2019",
    Exam(_version, _answer_cpsc2019, cpsc2019.score_records, ("qrs_official", "hr_official", "qrs_strict")),
)
register("beats", "mitdb", Exam(_version, _answer_mitdb, _score_mitdb, _GROSS))
register("beats", "leadi", Exam(_version, _answer_leadi, beats.score_beats, _GROSS))
