"""Register, sign in, send a recording, get heart rate and R peaks; see how good they are. Plain HTTP."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from scipy.io import savemat

from ecg_core.synthesis import synthesize
from tests.service import PASSWORD

FS = 500


def mat(samples: np.ndarray) -> bytes:
    """Return one lead as such services get it: a MAT file with nothing but ``ecg``."""
    file = io.BytesIO()
    savemat(file, {"ecg": samples.reshape(-1, 1)})
    return file.getvalue()


def predict(http: httpx.Client, samples: np.ndarray, name: str = "data_00001.mat") -> dict:
    answer = http.post("/predict", files={"files": (name, mat(samples))}, data={"fs": FS, "units": "mV"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def lead_ii(**wanted) -> tuple[np.ndarray, np.ndarray]:
    made = synthesize(fs=FS, **wanted)
    return made.recording.lead("II"), made.truth.r_s


def test_register_sign_in_predict(http):
    account = {"username": "holter@example.org", "password": PASSWORD}
    assert http.post("/register", json=account).status_code == 201
    granted = http.post("/login", json=account).json()
    assert granted["token_type"] == "bearer"
    http.headers["Authorization"] = f"Bearer {granted['access_token']}"
    samples, r_s = lead_ii(rate_bpm=83, noise="muscle", snr_db=15, seed=3)
    found = predict(http, samples)
    assert found["beats"]["heart_rate"]["mean_bpm"] == pytest.approx(60 / np.diff(r_s).mean(), abs=1)
    assert found["beats"]["times_s"] == pytest.approx(list(r_s), abs=0.075)
    assert all(0 <= confidence <= 1 for confidence in found["beats"]["confidence"])


def test_the_api_is_described_and_tried_out_in_the_browser(http):
    assert "swagger" in http.get("/docs").text.lower()
    assert {"/register", "/login", "/predict", "/evaluate"} <= set(http.get("/openapi.json").json()["paths"])


def test_nobody_predicts_without_a_token(http):
    answer = http.post("/predict", files={"files": ("a.mat", mat(lead_ii()[0]))})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_one_beat_has_no_rate_but_a_reason(signed_in):
    samples, r_s = lead_ii(duration_s=1.0, rate_bpm=60)
    assert len(r_s) == 1
    beats = predict(signed_in, samples)["beats"]
    assert beats["times_s"] == pytest.approx(list(r_s), abs=0.075)
    assert (beats["heart_rate"]["bpm"], beats["heart_rate"]["reason"] is None) == (None, False)


def test_no_beat_has_no_rate_but_a_reason(signed_in):
    found = predict(signed_in, np.zeros(10 * FS))
    assert found["beats"]["times_s"] == []
    assert found["beats"]["heart_rate"]["bpm"] is None
    assert found["beats"]["heart_rate"]["reason"]
    assert found["quality"]["verdict"] == "poor"


def test_a_file_name_is_a_label_and_never_a_path(signed_in):
    found = predict(signed_in, lead_ii()[0], "../../../etc/passwd")
    assert found["recording"]["format"] == "mat"
    assert "/" not in found["recording"]["name"]
    assert signed_in.get("/recordings/..%2F..%2Fetc%2Fpasswd/file").status_code == 404


def test_r_peaks_are_drawn_on_the_tracing(signed_in):
    samples, r_s = lead_ii(rate_bpm=70)
    recording = f"/recordings/{predict(signed_in, samples)['stored']['recording_id']}"
    plain = signed_in.get(f"{recording}/plot.svg")
    marked = signed_in.get(f"{recording}/plot.svg", params={"overlay": True})
    assert plain.headers["content-type"].startswith("image/svg+xml")
    strokes = marked.text.count("M") - plain.text.count("M")
    assert strokes >= 2 * len(r_s)  # a tick above each beat, and a bar below its QRS at least
    marks = signed_in.get(f"{recording}/annotations", params={"source": "analysis"}).json()["annotators"]["beats"]
    assert [mark["time_s"] for mark in marks] == pytest.approx(list(r_s), abs=0.075)


def test_evaluate_says_how_good_both_are_on_the_bundled_set(signed_in):
    found = signed_in.get("/evaluate").json()
    assert found["n"] == 168
    assert found["hr_accuracy"]["official"]["value"] > 0.99
    beats = found["qrs_accuracy"]["official"]
    assert 0.85 < beats["value"] < 1
    assert beats["low"] < beats["value"] < beats["high"]
    # Noise costs something, and which recordings is said: nothing here is too good to be true.
    by_grade = [grade["qrs_accuracy"]["official"]["value"] for grade in found["grades"]]
    assert by_grade[-1] < by_grade[0]
    assert {lost["name"] for lost in found["lost"]} <= set(found["records"])


def test_accounts_and_recordings_outlive_the_process(serve, tmp_path):
    account = {"name": "ada@example.org", "password": PASSWORD}
    with serve(tmp_path) as address, httpx.Client(base_url=address, timeout=60) as http:
        assert http.post("/register", json=account).status_code == 201
        token = http.post("/login", json=account).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        form = {"fs": FS, "units": "mV"}
        kept = http.post("/recordings", files={"files": ("a.mat", mat(lead_ii()[0]))}, data=form).json()
    with serve(tmp_path) as address, httpx.Client(base_url=address, timeout=60) as http:
        assert http.post("/register", json=account).json()["code"] == "name_taken"
        # The secret that signs tokens was kept, too.
        http.headers["Authorization"] = f"Bearer {token}"
        assert [item["id"] for item in http.get("/recordings").json()["items"]] == [kept["id"]]
