"""What is deleted at the very moment at which the same is sent again is kept anew."""

from __future__ import annotations

import pytest

from api.services import jobs, keeping
from ecg_core.synthesis import synthesize
from tests.service import as_upload, files_of, runtime_of

FILES = as_upload(files_of(synthesize(seed=8, duration_s=3.0).recording))


@pytest.fixture
def deleted_meanwhile(ada, monkeypatch):
    """A recording that is deleted once somebody has seen that its bytes are kept."""
    recording_id = ada.post("/recordings", files=FILES).json()["id"]
    real, done = keeping.stage, []

    def stage(*given):
        staged = real(*given)
        if not done:
            done.append(ada.delete(f"/recordings/{recording_id}").status_code)
        return staged

    monkeypatch.setattr(keeping, "stage", stage)
    monkeypatch.setattr(jobs, "stage", stage)
    yield
    assert done == [204]


def test_a_recording_that_another_sends_again(bob, deleted_meanwhile):
    answer = bob.post("/recordings", files=FILES)
    assert answer.status_code == 201, answer.text
    assert bob.get(f"/recordings/{answer.json()['id']}/file").content == FILES[0][1][1]


def test_a_file_of_a_batch(bob, deleted_meanwhile, monkeypatch):
    monkeypatch.setattr(type(runtime_of(bob).queue), "put", lambda *_: None)
    answer = bob.post("/batches", files=FILES)
    assert answer.status_code == 202, answer.text
