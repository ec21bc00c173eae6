"""The shipped model on the real sets, where EINTHOVEN_DATA_DIR names a folder of them: it may only get better."""

from __future__ import annotations

import os

import pytest

from ecg_core.artefacts import load_model
from ecg_core.datasets import DATASETS
from ecg_core.evaluation import EXAMS
from ecg_core.rhythm import read_rhythm
from ecg_core.rhythm.model import MODEL

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")


def test_out_of_fold_figures_of_the_shipped_model():
    metrics = load_model(MODEL).json("metrics.json")["metrics"]
    assert metrics["f1_noa"]["value"] >= 0.82
    assert metrics["f1_noa_natural"]["value"] >= 0.82


@pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")
def test_records_it_was_trained_on_are_known_by_their_hash():
    from ecg_core.artefacts import record_hash

    seen = EXAMS[MODEL]["cinc2017"].trained_on()
    entries = DATASETS["cinc2017"].listing(ROOT).entries[:5]
    assert all(record_hash(entry.load()) in seen for entry in entries)


@pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")
@pytest.mark.parametrize(("record", "low", "high"), [("101", 0.0, 0.0), ("203", 0.9, 1.0), ("201", 0.25, 0.45)])
def test_time_in_fibrillation_of_mitbih_records(record, low, high):
    entry = next(entry for entry in DATASETS["mitdb"].listing(ROOT) if entry.name == record)
    recording = entry.load()
    assert low <= read_rhythm(recording, recording.leads[0]).af_burden <= high
