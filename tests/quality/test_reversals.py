"""Exchanged electrodes: suspected where they were, named, explained, and left alone where there is nothing to see."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ecg_core.evaluation.reversals import KINDS, RIGHT_LEG_KINDS, exchange
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.quality import suspect_reversals
from ecg_core.quality.arrangements import ARRANGEMENTS
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases, synthesize

CLEAR = ("RA-LA", "RA-LL", "RA>LA>LL", "RA>LL>LA", "V1-V4", "V1-V5", "V1-V6", "V2-V5", "V2-V6", "V1-V6 V2-V5 V3-V4")


def made(shape: str = "normal", rhythm: str = "sinus", **options) -> Recording:
    return synthesize(rhythm, shape, **{"seed": 5, "noise": ("baseline", "muscle"), "snr_db": 26, **options}).recording


def test_recordings_in_order_raise_no_suspicion():
    for name, case in bundled_cases().items():
        found = suspect_reversals(case.synthesize().recording)
        if name not in ("swapped_arms", "poor_quality"):
            assert (found.suspected, found.reason) == ((), None), name
            assert found.model["name"] == "reversals"


@pytest.mark.parametrize("kind", CLEAR)
def test_clear_exchanges_are_named_first(kind):
    found = suspect_reversals(exchange(made(), kind))
    assert found.suspected[0].kind == kind
    assert found.suspected[0].confidence > 0.5


@pytest.mark.parametrize("kind", RIGHT_LEG_KINDS)
def test_an_arm_on_the_right_leg_is_named_and_cannot_be_undone(kind):
    (suspicion,) = suspect_reversals(made(lead_reversal=kind.split())).suspected
    assert suspicion.kind == kind
    assert suspicion.undo is None
    assert "all but flat" in suspicion.evidence[0]
    assert "record again" in suspicion.advice


def test_the_case_of_swapped_arms_is_explained_to_a_technician():
    suspicion = suspect_reversals(bundled_cases()["swapped_arms"].synthesize().recording).suspected[0]
    assert suspicion.title == "right arm and left arm exchanged"
    assert suspicion.leads == ("I", "II", "III", "aVR", "aVL")
    assert suspicion.advice.endswith("I from -I, II from III, III from II, aVR from aVL, aVL from aVR")
    assert "I follows V6" in suspicion.evidence[1]


@pytest.mark.parametrize("fs", [100, 250, 1000])
def test_rate_and_order_of_leads_do_not_matter(fs):
    recording = exchange(made(fs=fs), "RA-LA")
    turned = recording.select(tuple(reversed(recording.leads)))
    found = [suspect_reversals(item) for item in (recording, turned)]
    assert [item.suspected[0].kind for item in found] == ["RA-LA", "RA-LA"]
    assert found[0].suspected[0].confidence == pytest.approx(found[1].suspected[0].confidence, rel=1e-4)


def test_suspicions_exclude_each_other():
    for kind in KINDS:
        suspected = suspect_reversals(exchange(made(), kind)).suspected
        assert sum(suspicion.confidence for suspicion in suspected) <= 1 + 1e-9
        assert list(suspected) == sorted(suspected, key=lambda suspicion: -suspicion.confidence)


def test_undoing_what_is_suspected_leaves_nothing_to_suspect():
    recorded = exchange(made(), "RA-LA")
    undo = next(arrangement for arrangement in ARRANGEMENTS if arrangement.kind == "RA-LA")
    assert suspect_reversals(exchange(recorded, undo.kind)).suspected == ()


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (made(leads=("I", "II", "III", "aVR", "aVL", "aVF")), "V1, V2, V3, V4, V5, V6 not recorded"),
        (made(fs=80), "80 Hz is too slow"),
        (made(duration_s=2), "whole beats"),
        (made(lead_off=("V1",), lead_off_mode="flat"), "V1 without a signal"),
        (Recording(np.zeros((8, 5000)), 500, INDEPENDENT_8), "beats"),
    ],
)
def test_where_it_cannot_be_judged_there_is_a_reason(recording, reason):
    found = suspect_reversals(recording)
    assert found.suspected == ()
    assert reason in found.reason


def test_json_form():
    found = json.loads(json.dumps(suspect_reversals(exchange(made(), "RA-LA")).to_dict(), allow_nan=False))
    assert set(found) == {"suspected", "reason", "model"}
    first = found["suspected"][0]
    assert first["undo"]["I"] == [-1, "I"]
    assert set(first["leads"]) <= set(STANDARD_12)
    assert 0 <= first["confidence"] <= 1
