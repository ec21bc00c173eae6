"""Two kept analyses beside one another."""

from __future__ import annotations

import pytest

from ecg_core.synthesis import synthesize
from tests.service import as_upload, files_of


@pytest.fixture
def pair(ada) -> list[dict[str, str]]:
    """An unchanged heart but for its QT, kept as of one person."""
    found = []
    for seed, qt_ms in ((1, 390), (2, 450)):
        recording = synthesize(qt_ms=qt_ms, noise="muscle", snr_db=26.0, seed=seed).recording
        answer = ada.post("/recordings", files=as_upload(files_of(recording)), data={"subject_id": "P-1"})
        kept = answer.json()["id"]
        found.append({"recording": kept, "analysis": ada.post(f"/recordings/{kept}/analyses").json()["id"]})
    return found


def compare(client, after: str, before: str):
    return client.get(f"/analyses/{after}/comparison", params={"before": before})


def test_an_analysis_stands_beside_an_earlier_one(ada, pair):
    answer = compare(ada, pair[1]["analysis"], pair[0]["analysis"])
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert "qt_ms" in found["changed"]
    assert found["measurements"]["qt_ms"]["difference"] > found["measurements"]["qt_ms"]["noise"]["limit"]
    assert found["measurements"]["pr_ms"]["verdict"] == "within noise"
    sides = [(found[name]["analysis_id"], found[name]["recording_id"]) for name in ("before", "after")]
    assert sides == [(item["analysis"], item["recording"]) for item in pair]
    assert "medical device" in found["notice"]
    assert "that they are of one person is not stated" not in found["warnings"]


def test_the_person_is_the_one_that_is_noted_now(ada, pair):
    ada.patch(f"/recordings/{pair[1]['recording']}", json={"subject": {"id": "P-2"}})
    found = compare(ada, pair[1]["analysis"], pair[0]["analysis"]).json()
    assert "they are named as of two people: P-1 and P-2" in found["warnings"]


@pytest.mark.parametrize("missing", ["before", "after"])
def test_an_analysis_that_is_gone_is_named(ada, pair, missing):
    gone = pair[0 if missing == "before" else 1]["analysis"]
    ada.delete(f"/analyses/{gone}")
    answer = compare(ada, pair[1]["analysis"], pair[0]["analysis"])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.json()["found"] == gone


def test_an_analysis_of_somebody_else_is_none(ada, bob, pair):
    assert compare(bob, pair[1]["analysis"], pair[0]["analysis"]).status_code == 404


def test_without_an_earlier_one_nothing_is_compared(ada, pair):
    answer = ada.get(f"/analyses/{pair[0]['analysis']}/comparison")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_both_are_read_in_the_audit_trail(ada, pair):
    compare(ada, pair[1]["analysis"], pair[0]["analysis"])
    for item in pair:
        events = ada.get("/audit", params={"object_id": item["analysis"]}).json()["items"]
        assert "read" in {event["action"] for event in events}
