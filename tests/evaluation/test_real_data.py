"""The detector on the real sets, where EINTHOVEN_DATA_DIR names a folder that holds them: it may only get better."""

from __future__ import annotations

import os

import pytest

from ecg_core.datasets import DATASETS
from ecg_core.evaluation import evaluate
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.waves import score_ludb, score_qtdb, tally_ludb, tally_qtdb, to_seconds

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")


def test_fast_detector_on_cpsc2019():
    metrics = evaluate("beats_fast", "cpsc2019", ROOT).metrics
    assert metrics["qrs_official"].value >= 0.417
    assert metrics["hr_official"].value >= 0.557
    assert metrics["qrs_strict"].value <= metrics["qrs_official"].value


def test_fast_detector_on_mitdb():
    metrics = evaluate("beats_fast", "mitdb", ROOT).metrics
    assert metrics["se_150ms"].value >= 0.989
    assert metrics["ppv_150ms"].value >= 0.991
    assert metrics["ec57.ppv_150ms"].value >= 0.993


def test_reference_waves_against_themselves_are_perfect():
    ludb, qtdb = [], []
    for entry in DATASETS["ludb"].listing(ROOT).entries[:10]:
        leads = {lead: to_seconds(waves, 500) for lead, waves in entry.truth().waves.items()}
        ludb.append(tally_ludb(leads, leads))
    for entry in DATASETS["qtdb"].listing(ROOT).entries[:10]:
        waves = to_seconds(entry.truth().waves, 250)
        qtdb.append(tally_qtdb(waves, [{}, waves]))
    names = [str(i) for i in range(10)]
    for metrics in (measure(score_ludb(ludb), names), measure(score_qtdb(qtdb), names)):
        for kind in ("p", "qrs", "t"):
            assert metrics[f"se_{kind}"].value == 1.0
            assert metrics[f"sd_{kind}_off"].value == pytest.approx(0.0, abs=1e-6)
    assert measure(score_ludb(ludb), names)["f1_p"].value == 1.0
