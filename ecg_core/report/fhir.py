"""The report in FHIR R4: a bundle of a DiagnosticReport and its Observations, as plain dictionaries.

Everything is `preliminary`: nobody has confirmed it. What could not be measured is an Observation without a value and
with the reason for that. The waveform itself stays behind a link.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from ecg_core.report import words

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_OBSERVATION = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_JUDGED = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
PANEL = ("34534-8", "12 lead EKG panel")
MEASURED: dict[str, tuple[str, str, str, str]] = {
    "hr_bpm": ("8867-4", "Heart rate", "beats/minute", "/min"),
    "pr_ms": ("8625-6", "P-R Interval", "ms", "ms"),
    "qrs_ms": ("8633-0", "QRS duration", "ms", "ms"),
    "qt_ms": ("8634-8", "Q-T interval", "ms", "ms"),
    "qtc_bazett_ms": ("76635-2", "Q-T interval corrected based on Bazett formula", "ms", "ms"),
    "qtc_fridericia_ms": ("76634-5", "Q-T interval corrected based on Fridericia formula", "ms", "ms"),
}
"""LOINC code, its name, unit for people, UCUM unit."""
_FLAGS = {"low": ("L", "Low"), "normal": ("N", "Normal"), "high": ("H", "High")}


def to_fhir(
    analysis: Mapping[str, Any],
    *,
    identifier: str | None = None,
    pdf: bytes | None = None,
    waveform_url: str | None = None,
    notes: str = "",
) -> dict[str, Any]:
    """Return a FHIR R4 Bundle (``collection``), JSON-ready; the same analysis gives the same bundle.

    Parameters
    ----------
    analysis
        `Analysis.to_dict` of it.
    identifier
        Of the analysis where it is kept; the recording's checksum and the time of the analysis where None.
    pdf
        The report on a page, to be attached.
    waveform_url
        Where the recording can be had.
    notes
        The reader's own.
    """
    made = analysis["provenance"]["analysed_at"]
    identifier = identifier or f"{analysis['recording']['sha256']}/{made}"
    common = {"subject": {"reference": _urn(identifier, "patient")}, "issued": made} | _effective(analysis)
    device = _device(analysis, identifier)
    observations = list(_observations(analysis, identifier, common))
    report = {
        "resourceType": "DiagnosticReport",
        "id": _id(identifier, "report"),
        "identifier": [{"system": "urn:einthoven:analysis", "value": identifier}],
        "status": "preliminary",
        "category": [{"coding": [_coding(_SECTION, "EC", "Electrocardiac (e.g., EKG, EEC, Holter)")]}],
        "code": {"coding": [_coding(LOINC, *PANEL)], "text": "ECG report"},
        **common,
        "performer": [{"display": "Einthoven, unconfirmed"}],
        "result": [{"reference": f"urn:uuid:{item['id']}"} for item in observations],
        "conclusion": _conclusion(analysis, notes),
    }
    if pdf is not None:
        attached = {"contentType": "application/pdf", "title": "ECG report", "creation": made}
        report["presentedForm"] = [{**attached, "data": base64.b64encode(pdf).decode()}]
    if waveform_url is not None:
        report["extension"] = [{"url": "urn:einthoven:waveform", "valueUrl": waveform_url}]
    resources = [report, _patient(analysis, identifier), device, *observations]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": made,
        "entry": [{"fullUrl": f"urn:uuid:{item['id']}", "resource": item} for item in resources],
    }


def _observations(analysis: Mapping[str, Any], identifier: str, common: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for key, (code, name, unit, ucum) in MEASURED.items():
        item = analysis["measurements"][key]
        yield {
            **_observation(identifier, key, {"coding": [_coding(LOINC, code, name)], "text": name}, common),
            "method": {"text": item["method"]},
            **_value(item, unit, ucum),
        }
    for number, item in enumerate(analysis["findings"]):
        found = {
            **_observation(identifier, f"finding {number}", {"text": "ECG finding (suggested, unconfirmed)"}, common),
            "valueCodeableConcept": {"coding": [_coding("urn:einthoven:finding", item["code"])], "text": item["text"]},
        }
        remarks = [*item["evidence"], *(f"against: {text}" for text in item["against"])]
        if item["confidence"] is not None:
            remarks.append(f"confidence {item['confidence']:.2f}, that readers would write so; not that of a disease")
        if remarks:
            found["note"] = [{"text": "; ".join(remarks)}]
        yield found


def _observation(identifier: str, part: str, code: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": _id(identifier, part),
        "status": "preliminary",
        "category": [{"coding": [_coding(_OBSERVATION, "procedure", "Procedure")]}],
        "code": dict(code),
        **common,
        "device": {"reference": _urn(identifier, "device")},
    }


def _value(item: Mapping[str, Any], unit: str, ucum: str) -> dict[str, Any]:
    """Return a measured value with its range and flag, or why there is none."""

    def quantity(number: float) -> dict[str, Any]:
        return {"value": round(number, 1), "unit": unit, "system": UCUM, "code": ucum}

    if item["value"] is None:
        reason = {"coding": [_coding(_ABSENT, "not-performed", "Not Performed")], "text": item["reason"]}
        return {"dataAbsentReason": reason}
    found: dict[str, Any] = {"valueQuantity": quantity(item["value"])}
    if (usual := item["range"]) is not None:
        limits = {name: quantity(usual[name]) for name in ("low", "high") if usual[name] is not None}
        found["referenceRange"] = [{**limits, "text": usual["source"]}]
    if item["flag"] is not None:
        found["interpretation"] = [{"coding": [_coding(_JUDGED, *_FLAGS[item["flag"]])]}]
    if item["caution"]:
        found["note"] = [{"text": item["caution"]}]
    return found


def _patient(analysis: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    said = analysis["subject"]
    patient: dict[str, Any] = {"resourceType": "Patient", "id": _id(identifier, "patient")}
    if said["id"]:
        patient["identifier"] = [{"value": said["id"]}]
    patient["gender"] = said["sex"] or "unknown"
    return patient


def _device(analysis: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    software = analysis["provenance"]["software"]
    return {
        "resourceType": "Device",
        "id": _id(identifier, "device"),
        "deviceName": [{"name": software["name"].capitalize(), "type": "user-friendly-name"}],
        "version": [{"value": software["version"]}],
        "note": [{"text": f"{words.NOTICE} Models: {', '.join(words.models(analysis))}"}],
    }


def _conclusion(analysis: Mapping[str, Any], notes: str) -> str:
    parts = [analysis["summary"]["diagnosis"], analysis["summary"]["notes"], notes.strip()]
    return " ".join([part for part in parts if part] + [f"{words.UNCONFIRMED}. {words.NOTICE}"])


def _effective(analysis: Mapping[str, Any]) -> dict[str, str]:
    """Return when it was recorded; FHIR wants a zone, so that a time without one keeps only its date."""
    start = analysis["recording"]["start"]
    if start is None:
        return {}
    moment = datetime.fromisoformat(start)
    return {"effectiveDateTime": start if moment.tzinfo else moment.date().isoformat()}


def _coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _id(identifier: str, part: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:einthoven:{identifier}:{part}"))


def _urn(identifier: str, part: str) -> str:
    return f"urn:uuid:{_id(identifier, part)}"
