from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ecg_core.readers import READERS
from ecg_core.synthesis import synthesize

RATE_BPM = 72
BATCH = 6
JOB_LIMIT_S = 180


def _recording(seed: int, stem: str = "ecg") -> dict[str, bytes]:
    """Return a WFDB record of ten seconds at `RATE_BPM`, as ``{file name: content}``."""
    write = READERS["wfdb"].write
    assert write is not None
    return write(synthesize(rate_bpm=RATE_BPM, seed=seed).recording, stem)


def _upload(files: dict[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", item) for item in files.items()]


def test_stack_is_ready(api: httpx.Client) -> None:
    assert api.get("/health/ready").status_code == 200
    assert api.get("/info").json()["models"]


def test_service_refuses_whoever_has_not_signed_in(api: httpx.Client) -> None:
    answer = api.get("/recordings")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_recording_is_analysed_kept_and_deleted(ada: httpx.Client) -> None:
    files = _recording(seed=1)
    answer = ada.post("/predict", files=_upload(files))
    assert answer.status_code == 200
    found = answer.json()
    assert found["beats"]["heart_rate"]["bpm"] == pytest.approx(RATE_BPM, abs=2)
    assert found["predictions"]
    recording = f"/recordings/{found['stored']['recording_id']}"
    assert [entry["id"] for entry in ada.get("/recordings").json()["items"]] == [found["stored"]["recording_id"]]
    with zipfile.ZipFile(io.BytesIO(ada.get(f"{recording}/file").content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    assert ada.get(f"{recording}/plot.svg").headers["content-type"].startswith("image/svg+xml")
    assert ada.delete(recording).status_code == 204
    assert ada.get(recording).status_code == 404


def test_recording_of_somebody_else_is_not_there(sign_in: Callable[[], httpx.Client]) -> None:
    ada, bob = sign_in(), sign_in()
    stored = ada.post("/recordings", files=_upload(_recording(seed=2)))
    assert stored.status_code == 201
    assert bob.get(f"/recordings/{stored.json()['id']}").status_code == 404
    assert bob.get("/recordings").json()["items"] == []


def test_token_for_scripts_reaches_as_far_as_it_says_until_it_is_taken_back(
    api: httpx.Client, ada: httpx.Client
) -> None:
    made = ada.post("/tokens", json={"name": "nightly", "scopes": ["read"]})
    assert made.status_code == 201
    script = {"Authorization": f"Bearer {made.json()['token']}"}
    assert api.get("/recordings", headers=script).status_code == 200
    refused = api.post("/recordings", headers=script, files=_upload(_recording(seed=3)))
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_scope")
    assert ada.delete(f"/tokens/{made.json()['id']}").status_code == 204
    assert api.get("/recordings", headers=script).status_code == 401


def test_sign_in_ends_with_logout(ada: httpx.Client) -> None:
    assert ada.get("/me").status_code == 200
    assert ada.post("/logout").status_code == 204
    assert ada.get("/me").status_code == 401


def test_every_graph_that_the_inference_protocol_lists_is_ready(api: httpx.Client, ada: httpx.Client) -> None:
    assert api.get("/v2/health/ready").status_code == 200
    listed = ada.post("/v2/repository/index", json={}).json()
    assert {graph["state"] for graph in listed} == {"READY"}


def test_batch_is_worked_off_by_the_worker(ada: httpx.Client) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for seed in range(BATCH):
            for name, content in _recording(seed=10 + seed, stem=f"ecg{seed}").items():
                archive.writestr(name, content)
        archive.writestr("torn.edf", b"0       torn")
    accepted = ada.post("/batches", files=[("files", ("batch.zip", packed.getvalue()))])
    assert accepted.status_code == 202
    job = _finished(ada, accepted.json()["id"])
    assert (job["status"], job["total"], job["done"], job["failed"]) == ("done", BATCH + 1, BATCH, 1)
    assert [error["file"] for error in job["errors"]] == ["batch.zip/torn.edf"]
    results = ada.get(f"/jobs/{job['id']}/results")
    assert results.status_code == 200
    rows = [json.loads(line) for line in results.text.splitlines()]
    rates = [row["analysis"]["beats"]["heart_rate"]["bpm"] for row in rows if row["status"] == "done"]
    assert rates == pytest.approx([RATE_BPM] * BATCH, abs=2)


def _finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """Return a job once it has ended."""
    deadline = time.monotonic() + JOB_LIMIT_S
    while time.monotonic() < deadline:
        job: dict[str, Any] = client.get(f"/jobs/{job_id}").json()
        if job["status"] not in ("queued", "running"):
            return job
        time.sleep(0.5)
    pytest.fail(f"job {job_id} has not ended within {JOB_LIMIT_S} s")


def test_dashboard_is_served(dashboard: httpx.Client) -> None:
    assert dashboard.get("/_stcore/health").text == "ok"
    page = dashboard.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
