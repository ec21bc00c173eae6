"""Waves on LUDB and QTDB, where EINTHOVEN_DATA_DIR names a folder that holds them: they may only get better.

The shipped model has seen these records, so this guards the way from scores to waves; the card states how good it is.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.delineation import delineate_waves
from ecg_core.evaluation.exams.waves import tally
from ecg_core.evaluation.waves import score_ludb, score_qtdb

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(not ROOT, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")

LEAST = {
    "ludb": {"f1_p": 0.99, "f1_qrs": 0.998, "f1_t": 0.985},
    "qtdb": {"se_p": 0.99, "se_qrs": 0.999, "se_t": 0.985},
}
GREATEST = {
    "ludb": {"sd_p_on": 16.5, "sd_p_off": 14.6, "sd_qrs_on": 9.5, "sd_qrs_off": 12, "sd_t_off": 22.5},
    "qtdb": {"sd_p_on": 12.5, "sd_p_off": 11, "sd_qrs_on": 14, "sd_qrs_off": 12, "sd_t_off": 18.5},
}


@pytest.mark.parametrize(("data", "score"), [("ludb", score_ludb), ("qtdb", score_qtdb)])
def test_records_that_were_learned_from_are_marked_well(data, score):
    answers = []
    for entry in DATASETS[data].listing(ROOT).entries[::6]:
        recording = entry.load()
        waves = delineate_waves(recording, detect_beats(recording, method="fast"))
        answers.append(tally(entry.truth(), recording, waves))
    metrics = score(answers)(np.ones((1, len(answers))))
    for name, limit in LEAST[data].items():
        assert metrics[name][0] >= limit, name
    for name, limit in GREATEST[data].items():
        assert metrics[name][0] <= limit, name
