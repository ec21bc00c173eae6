"""The note and the FHIR bundle say what the analysis says, and FHIR's own rules hold."""

from __future__ import annotations

import base64

import pytest

from ecg_core.report import words
from ecg_core.report.fhir import MEASURED, to_fhir
from ecg_core.report.note import to_note


def resources(bundle, kind):
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_the_note_says_all_and_keeps_its_width(said):
    analysis, _ = said
    note = to_note(analysis, notes="Seen in the ward.")
    assert max(map(len, note.splitlines())) <= 88
    flat = " ".join(note.split())
    assert words.UNCONFIRMED in flat
    assert "Seen in the ward." in flat
    for item in analysis["findings"]:
        assert item["text"] in flat
    for name, value, *_ in words.measured(analysis):
        assert f"{name} {value}" in flat
    for reason in words.unmeasured(analysis):
        assert reason in flat


def test_the_note_tells_why_where_it_is_known(normal, explained):
    note = to_note(normal[0], explanation=explained())
    assert max(map(len, note.splitlines())) <= 88
    flat = " ".join(note.split())
    assert "WHY: INFARCT PATTERN (PROBABILITY 82 %) The ST segment of V3 carries 87 %" in flat
    assert "By integrated gradients of heart12 1.0.0" in flat
    assert "WHY" not in to_note(normal[0])


def test_the_bundle_is_valid_fhir_r4(said):
    bundle = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed").Bundle
    analysis, _ = said
    made = to_fhir(analysis, pdf=b"%PDF-", waveform_url="https://ecg.example/recordings/1/file", notes="Seen.")
    assert len(bundle.model_validate(made).entry) == len(made["entry"])


def test_every_reference_in_the_bundle_leads_to_one_of_its_resources(said):
    made = to_fhir(said[0])
    urls = {entry["fullUrl"] for entry in made["entry"]}
    assert len(urls) == len(made["entry"])

    def references(value):
        if isinstance(value, dict):
            yield from [value["reference"]] if "reference" in value else []
            for item in value.values():
                yield from references(item)
        elif isinstance(value, list):
            for item in value:
                yield from references(item)

    assert set(references(made)) <= urls


def test_measurements_carry_their_codes_units_and_reasons(said):
    analysis, _ = said
    by_code = {
        item["code"]["coding"][0]["code"]: item
        for item in resources(to_fhir(analysis), "Observation")
        if "coding" in item["code"]
    }
    for key, (code, _, _, ucum) in MEASURED.items():
        value, found = analysis["measurements"][key], by_code[code]
        assert found["status"] == "preliminary"
        if value["value"] is None:
            assert "valueQuantity" not in found
            assert found["dataAbsentReason"]["text"] == value["reason"]
        else:
            assert found["valueQuantity"]["value"] == pytest.approx(value["value"], abs=0.05)
            assert found["valueQuantity"]["code"] == ucum


def test_the_report_names_what_it_is_of_and_holds_the_page(normal):
    made = to_fhir(normal[0], identifier="a-1", pdf=b"%PDF-1.4", notes="Seen.")
    (report,) = resources(made, "DiagnosticReport")
    assert report["status"] == "preliminary"
    assert report["identifier"][0]["value"] == "a-1"
    assert base64.b64decode(report["presentedForm"][0]["data"]) == b"%PDF-1.4"
    assert "Seen." in report["conclusion"]
    assert words.UNCONFIRMED in report["conclusion"]
    assert made == to_fhir(normal[0], identifier="a-1", pdf=b"%PDF-1.4", notes="Seen.")


def test_a_person_without_a_stated_sex_is_of_unknown_gender(normal):
    analysis = {**normal[0], "subject": {"id": None, "age": None, "sex": None, "facts": {}}}
    (patient,) = resources(to_fhir(analysis), "Patient")
    assert patient["gender"] == "unknown"
    assert "identifier" not in patient
