"""Pacing on the real sets, where EINTHOVEN_DATA_DIR names a folder that holds them: it may only get better."""

from __future__ import annotations

import os

import pytest

from ecg_core.datasets import DATASETS
from ecg_core.evaluation import evaluate
from ecg_core.pacing import find_pacing

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")


@pytest.mark.parametrize(
    ("data", "split", "least"),
    [
        ("ludb", None, {"se_recordings": 1.0, "sp_recordings": 1.0}),
        ("mitdb", "paced", {"se_recordings": 1.0, "se_strips": 0.92, "se_beats": 0.87, "ppv_spikes": 0.999}),
    ],
)
def test_figures_of_the_exam(data, split, least):
    metrics = evaluate("pacing", data, ROOT, split=split, resamples=2).metrics
    assert {name: metrics[name].value for name in least if metrics[name].value < least[name]} == {}


def test_the_hardest_noise_of_single_leads_makes_no_pacing():
    assert [item.name for item in DATASETS["cpsc2019"].iterate(ROOT) if find_pacing(item.recording).paced] == []
