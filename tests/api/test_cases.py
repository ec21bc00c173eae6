"""The demo cases: what is listed, what was planted, files of every format, and that an analysis says what they show."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from api.services.cases import FORMATS, synthesize_case
from ecg_core.errors import UnknownName
from ecg_core.pipeline import Analysis, analyze
from ecg_core.readers import READERS
from ecg_core.reading import read
from ecg_core.synthesis import bundled_cases
from tests.helpers import assert_same_signal

CASES = bundled_cases()
SAYS = {
    "normal": ["Sinus rhythm", "Within normal limits"],
    "inferior_infarction": ["ST elevation in contiguous leads: II ", "III ", "aVF ", "Infarct pattern"],
    "anterior_infarction": ["ST elevation in contiguous leads: V1 ", "V2 ", "V3 ", "Anterior infarct pattern"],
    "atrial_fibrillation": ["Atrial fibrillation"],
    "left_bundle_branch_block": ["Complete left bundle branch block"],
    "left_ventricular_hypertrophy": ["Left ventricular hypertrophy pattern", "ST-T changes"],
    "ischaemia": ["ST-T changes compatible with ischaemia"],
    "poor_quality": ["The signal is poor: no statement about the heart can be trusted"],
    "paced": ["Pacing (ventricular)"],
    "long_qt": ["QTc 5", "over 500"],
    # Its kind is not told: no model here names pre-excitation.
    "pre_excitation": ["Conduction disturbance", "PR interval short", "QRS complex wide"],
    # The block itself is not told, only its rate.
    "second_degree_block": ["Ventricular rate 39.9/min, under 40"],
    "swapped_arms": ["Electrodes may be exchanged: right arm and left arm exchanged"],
}
"""What the analysis of each case must say, of what its title says."""


@pytest.fixture(scope="module")
def analyses() -> dict[str, Analysis]:
    return {name: analyze(synthesize_case(name)) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_analysis_says_what_the_title_of_a_case_says(analyses, name):
    said = "; ".join(finding.text for finding in analyses[name].findings)
    for part in SAYS[name]:
        assert part in said


def test_nothing_normal_is_said_of_a_case_that_is_not(analyses):
    for name, analysis in analyses.items():
        assert any("normal limits" in finding.text for finding in analysis.findings) == (name == "normal"), name


def test_every_case_is_listed_and_said_to_be_nobodys(client):
    found = client.get("/cases").json()
    assert [case["name"] for case in found["cases"]] == list(CASES)
    for case in found["cases"]:
        known = CASES[case["name"]]
        assert (case["title"], case["description"]) == (known.title, known.description)
        assert case["subject"] == known.subject.to_dict()
    assert "no patient" in found["notice"]


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_what_was_planted(client, name):
    found = client.get(f"/cases/{name}").json()
    truth = CASES[name].synthesize().truth.to_dict()
    assert found["planted"] == {key: truth[key] for key in found["planted"]}
    recording = synthesize_case(name)
    assert (found["fs"], found["duration_s"], found["leads"]) == (500, 10, list(recording.leads))
    assert found["sha256"] == recording.source.sha256
    assert found["formats"] == [reader.name for reader in READERS.values() if reader.write]
    assert "no patient" in found["notice"]


def test_what_was_planted_differs_as_the_titles_do(client):
    planted = {name: client.get(f"/cases/{name}").json()["planted"] for name in CASES}
    assert planted["atrial_fibrillation"]["rhythm"] == "af"
    assert planted["atrial_fibrillation"]["pr_ms"] is None
    assert "CLBBB" in planted["left_bundle_branch_block"]["statements"]
    assert planted["swapped_arms"]["reversal"] == ["RA-LA"]
    assert planted["poor_quality"]["leads_off"] == {"V2": [4.0, 10.0]}
    assert planted["anterior_infarction"]["st_mv"]["J+60"]["V3"] > 0.2


def test_a_case_is_made_once_and_cannot_be_changed():
    recording = synthesize_case("normal")
    assert synthesize_case("normal") is recording
    assert not recording.signal.flags.writeable
    assert not np.array_equal(recording.signal, synthesize_case("ischaemia").signal)


def test_an_unknown_case_is_answered_with_those_that_there_are(client):
    with pytest.raises(UnknownName, match="atrial_fibrillation"):
        synthesize_case("atrial_fibrilation")
    for path in ("/cases/nonsense", "/cases/nonsense/file"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "unknown_name"
        assert answer.json()["options"] == sorted(CASES)


@pytest.mark.parametrize("form", FORMATS)
def test_a_case_comes_as_a_file_of_every_format(client, form):
    answer = client.get("/cases/left_bundle_branch_block/file", params={"format": form})
    assert answer.status_code == 200
    label = answer.headers["content-disposition"].split('"')[1]
    assert answer.headers["content-disposition"].startswith("attachment")
    again = read({label: answer.content})
    assert again.source.format == form
    assert_same_signal(again, synthesize_case("left_bundle_branch_block"), 0.01)


def test_a_format_of_several_files_comes_as_one_archive(client):
    answer = client.get("/cases/normal/file", params={"format": "wfdb"})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert sorted(packed.namelist()) == ["normal.dat", "normal.hea"]


def test_a_file_that_the_client_has_is_not_sent_again(client):
    first = client.get("/cases/normal/file")
    assert 'filename="normal.edf"' in first.headers["content-disposition"]
    again = client.get("/cases/normal/file", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/cases/paced/file", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_a_format_that_cannot_be_written_is_refused_with_those_that_can(client):
    answer = client.get("/cases/normal/file", params={"format": "pdf"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")
    assert answer.json()["options"] == list(FORMATS)


def test_a_case_is_drawn_under_its_title(client):
    answer = client.get("/cases/left_bundle_branch_block/plot.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    for words in ("<svg", "Left bundle branch block", "25 mm/s"):
        assert words in answer.text
    assert client.get("/cases/nonsense/plot.svg").status_code == 404


def test_cases_are_for_those_who_are_signed_in(anonymous):
    for path in ("/cases", "/cases/normal", "/cases/normal/file", "/cases/normal/plot.svg"):
        assert anonymous.get(path).status_code == 401
