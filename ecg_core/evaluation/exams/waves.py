"""The wave delineation on LUDB, lead by lead, and on QTDB."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import Item
from ecg_core.datasets.ludb import LudbTruth
from ecg_core.datasets.qtdb import QtdbTruth
from ecg_core.delineation import MODEL, delineate_waves
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.waves import KINDS, score_ludb, score_qtdb, tally_ludb, tally_qtdb, to_seconds
from ecg_core.recording import Recording
from ecg_core.waves import Waves

LUDB_FIGURES = ("f1_p", "f1_qrs", "f1_t", "sd_p_on", "sd_p_off", "sd_qrs_on", "sd_qrs_off", "sd_t_off")
QTDB_FIGURES = ("se_p", "se_qrs", "se_t", "sd_p_on", "sd_qrs_on", "sd_qrs_off", "sd_t_off")


def by_lead(waves: Waves) -> dict[str, dict[str, np.ndarray]]:
    """Return waves in the form that `ecg_core.evaluation.waves` scores."""
    return {lead: {kind: rows.of(kind) for kind in KINDS} for lead, rows in waves.per_lead.items()}


def tally(truth: LudbTruth | QtdbTruth, recording: Recording, waves: Waves) -> Mapping[str, float]:
    """Return the additive figures of a record of LUDB or QTDB."""
    found = by_lead(waves)
    if isinstance(truth, LudbTruth):
        marked = {lead: to_seconds(of_lead, recording.fs) for lead, of_lead in truth.waves.items()}
        return tally_ludb(marked, found)
    return tally_qtdb(to_seconds(truth.waves, recording.fs), list(found.values()))


def _answer(item: Item[LudbTruth] | Item[QtdbTruth]) -> Mapping[str, float]:
    recording = item.recording
    return tally(item.truth, recording, delineate_waves(recording, detect_beats(recording)))


for _data, _score, _figures in (("ludb", score_ludb, LUDB_FIGURES), ("qtdb", score_qtdb, QTDB_FIGURES)):
    register(
        MODEL,
        _data,
        Exam(
            lambda: load_model(MODEL).version,
            _answer,
            _score,
            _figures,
            main=tuple(name for name in _figures if not name.startswith("sd_p_off")),
            worst_by=_figures[0],
            trained_on=lambda data=_data: load_model(MODEL).trained_on(data),  # type: ignore[misc]
        ),
    )
