"""Exchanged electrodes on PTB-XL, where EINTHOVEN_DATA_DIR names a folder that holds it: it may only get better."""

from __future__ import annotations

import os

import pytest

from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.evaluation.reversals import exchange
from ecg_core.quality import suspect_reversals

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")


def test_recordings_of_the_reported_fold_as_they_are_and_with_exchanged_arms():
    recordings = [item.recording for item in DATASETS["ptbxl"].iterate(ROOT, "9", limit=600)]
    alarms = [bool(suspect_reversals(item, detect_beats(item, method="fast")).suspected) for item in recordings]
    assert sum(alarms) <= 6
    arms = [suspect_reversals(exchange(item, "RA-LA")).suspected for item in recordings[:200]]
    assert sum(bool(found) and found[0].kind == "RA-LA" for found in arms) >= 160
