"""A clinic: a zip with what is known of the patient in, a record with measurements out; history, notes. Plain HTTP."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from jose import jwt

from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from tests.flows.conftest import MOST_UNPACKED
from tests.service import files_of

MEASURED = ("p_ms", "pr_ms", "qrs_ms", "qt_ms")
AXES = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")


def packed(*records: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for files in records:
            for name, content in files.items():
                out.writestr(name, content)
    return archive.getvalue()


def send(http: httpx.Client, recording: Recording, form: str = "edf", **facts: object) -> dict[str, Any]:
    """Send a recording in a zip archive, and return it as it is kept."""
    files = {"files": ("ecg.zip", packed(files_of(recording, form)))}
    answer = http.post("/recordings", files=files, data=facts)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def analyse(http: httpx.Client, kept: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(f"/recordings/{kept['id']}/analyses")
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("form", ["edf", "wfdb"])
def test_a_zip_with_a_patient_becomes_a_record_with_measurements(signed_in, form):
    made = synthesize(rate_bpm=72, seed=21, noise="muscle", snr_db=30)
    kept = send(signed_in, made.recording, form, subject_id="Doe, Jane", age=54, sex="female", notes="chest pain")
    assert kept["subject"] == {"id": "Doe, Jane", "age": 54, "sex": "female", "facts": {}}
    assert (kept["notes"], kept["format"], len(kept["leads"])) == ("chest pain", form, 12)
    found = analyse(signed_in, kept)
    truth = made.truth.to_dict()
    assert found["beats"]["heart_rate"]["mean_bpm"] == pytest.approx(truth["heart_rate_bpm"], abs=1)
    for name in (*MEASURED, *AXES):
        assert found["measurements"][name]["value"] == pytest.approx(truth[name], abs=10), name
    assert found["measurements"]["rr_min_ms"]["value"] <= found["beats"]["rr"]["mean_ms"]
    assert found["summary"]["score"]["level"] == "normal"
    assert 0.5 < found["summary"]["score"]["confidence"] < 1
    assert found["subject"]["id"] == "Doe, Jane"
    for kind, begin in (("svg", b"<svg"), ("png", b"\x89PNG")):
        assert signed_in.get(f"/recordings/{kept['id']}/plot.{kind}").content.startswith(begin)
    leads = signed_in.get(f"/recordings/{kept['id']}/signal", params={"leads": "II,aVF"}).json()
    assert (leads["leads"], leads["fs"], leads["unit"]) == (["II", "aVF"], 500, "mV")
    assert leads["values"][0][:50] == pytest.approx(made.recording.lead("II")[:50].tolist(), abs=0.001)


def test_history_is_searched_and_notes_are_edited(signed_in):
    first = send(signed_in, synthesize(seed=1).recording, subject_id="P-0042", notes="before ablation")
    send(signed_in, synthesize(seed=2).recording, subject_id="P-0043")
    history = signed_in.get("/recordings", params={"search": "p-0042", "total": True}).json()
    assert ([item["id"] for item in history["items"]], history["total"]) == ([first["id"]], 1)
    assert len(signed_in.get("/recordings").json()["items"]) == 2
    changed = signed_in.patch(f"/recordings/{first['id']}", json={"notes": "after ablation"}).json()
    assert (changed["notes"], changed["subject"]) == ("after ablation", first["subject"])
    assert signed_in.get(f"/recordings/{first['id']}").json()["notes"] == "after ablation"
    assert signed_in.get("/recordings", params={"search": "before"}).json()["items"] == []


@pytest.mark.parametrize(
    ("shape", "name", "least", "finding"),
    [("lbbb", "qrs_ms", 120, "CLBBB"), ("long_qt", "qt_ms", 450, "long_qtc")],
)
def test_wide_qrs_and_long_qt_are_reported(signed_in, shape, name, least, finding):
    made = synthesize("sinus", shape, rate_bpm=64, seed=5)
    found = analyse(signed_in, send(signed_in, made.recording, age=60, sex="male"))
    measured = found["measurements"][name]["value"]
    assert measured > least
    assert measured == pytest.approx(made.truth.to_dict()[name], abs=10)
    assert finding in {item["code"] for item in found["findings"]}
    assert found["summary"]["score"]["level"] in ("abnormal", "urgent")


@pytest.mark.parametrize("axis", [-60.0, -150.0, 120.0, 170.0])
def test_axes_outside_the_first_quadrant_are_reported(signed_in, axis):
    made = synthesize(seed=5, qrs_axis_deg=axis)
    found = analyse(signed_in, send(signed_in, made.recording))
    assert found["measurements"]["qrs_axis_deg"]["value"] == pytest.approx(axis, abs=3)


def test_what_cannot_be_measured_is_null_with_a_reason(signed_in):
    found = analyse(signed_in, send(signed_in, synthesize("af", seed=4).recording))
    for name in ("p_ms", "pr_ms", "p_axis_deg"):
        assert found["measurements"][name]["value"] is None
        assert found["measurements"][name]["reason"]


def test_recordings_sent_at_the_same_time_are_kept_apart(signed_in):
    made = [synthesize(seed=seed, duration_s=3).recording for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda recording: send(signed_in, recording), made))
    assert len({item["id"] for item in kept}) == len({item["sha256"] for item in kept}) == 8
    for recording, item in zip(made, kept, strict=True):
        found = signed_in.get(f"/recordings/{item['id']}/signal", params={"leads": "V1"}).json()
        assert found["values"][0] == pytest.approx(recording.lead("V1").tolist(), abs=0.001)


def test_a_zip_that_unpacks_to_too_much_is_refused(signed_in):
    bomb = packed({"ecg.csv": b"0" * (2 * MOST_UNPACKED)})
    assert len(bomb) < MOST_UNPACKED / 100
    answer = signed_in.post("/recordings", files={"files": ("ecg.zip", bomb)})
    assert (answer.status_code, answer.json()["code"]) == (413, "limit_exceeded")


def test_two_patients_in_one_zip_are_sent_to_batches(signed_in):
    both = packed(*(files_of(synthesize(seed=n).recording, "edf", f"p{n}") for n in range(2)))
    answer = signed_in.post("/recordings", files={"files": ("ecg.zip", both)})
    assert (answer.status_code, answer.json()["code"]) == (422, "several_recordings")
    assert "/batches" in answer.text


def test_tokens_signed_with_a_well_known_secret_are_refused(signed_in):
    claims = jwt.get_unverified_claims(signed_in.headers["authorization"].removeprefix("Bearer "))
    for secret in ("secret", "changeme", "your-secret-key", "dev-secret-key", ""):
        forged = jwt.encode(claims, secret, "HS256")
        answer = signed_in.get("/me", headers={"Authorization": f"Bearer {forged}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_health_is_open_to_all_and_says_each_part(http):
    assert http.get("/health/live").json() == {"status": "ok"}
    ready = http.get("/health/ready").json()
    assert {part["state"] for part in ready["checks"].values()} == {"ok"}
