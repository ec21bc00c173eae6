"""Reports of what is kept: on a page, as a note, in FHIR, with the notes of the recording."""

from __future__ import annotations

import base64
import json

import pytest

from ecg_core.synthesis import bundled_cases
from tests.service import as_upload, files_of


@pytest.fixture
def kept(ada) -> dict[str, str]:
    files = as_upload(files_of(bundled_cases()["anterior_infarction"].synthesize().recording))
    answer = ada.post("/predict", files=files, data={"notes": "Chest pain for two hours."})
    assert answer.status_code == 200, answer.text
    return answer.json()["stored"]


def test_a_report_comes_in_each_form_with_the_notes(ada, kept):
    base = f"/analyses/{kept['analysis_id']}"
    page = ada.get(f"{base}/report.pdf?page=letter")
    assert page.headers["content-type"] == "application/pdf"
    assert page.content.startswith(b"%PDF-")
    note = ada.get(f"{base}/report.txt")
    assert note.headers["content-type"] == "text/plain; charset=utf-8"
    assert "Chest pain for two hours." in note.text
    assert "CRITICAL BY RULE: ST elevation" in note.text
    bundle = ada.get(f"{base}/fhir")
    assert bundle.headers["content-type"] == "application/fhir+json"
    report = bundle.json()["entry"][0]["resource"]
    assert report["identifier"][0]["value"] == kept["analysis_id"]
    assert base64.b64decode(report["presentedForm"][0]["data"]).startswith(b"%PDF-")
    assert f"/recordings/{kept['recording_id']}/file" in json.dumps(report)
    bare = ada.get(f"{base}/fhir?pdf=false").json()["entry"][0]["resource"]
    assert "presentedForm" not in bare


def test_what_was_noted_later_is_on_the_next_report(ada, kept):
    ada.patch(f"/recordings/{kept['recording_id']}", json={"notes": "Troponin raised."})
    assert "Troponin raised." in ada.get(f"/analyses/{kept['analysis_id']}/report.txt").text


def test_a_sheet_that_there_is_not_is_refused(ada, kept):
    answer = ada.get(f"/analyses/{kept['analysis_id']}/report.pdf?page=a3")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_making_a_report_is_in_the_audit_trail(ada, kept):
    ada.get(f"/analyses/{kept['analysis_id']}/report.txt")
    events = ada.get("/audit", params={"object_id": kept["analysis_id"]}).json()["items"]
    assert "exported" in {event["action"] for event in events}
