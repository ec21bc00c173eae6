from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cli import rhythm
from ecg_core.readers import READERS
from ecg_core.reading import read
from ecg_core.recording import Recording
from ecg_core.rhythm import read_rhythm
from ecg_core.synthesis import synthesize


@pytest.fixture
def run():
    app = typer.Typer()
    app.callback()(lambda: None)
    rhythm.add_to(app)
    return lambda *arguments: CliRunner().invoke(app, ["rhythm", *(str(argument) for argument in arguments)])


def make(folder, recording):
    for name, data in READERS["wfdb"].write(recording, "one").items():
        (folder / name).write_bytes(data)
    return folder / "one.hea"


def synthetic(kind: str, seconds: float, seed: int = 1) -> Recording:
    return synthesize(kind, fs=250, duration_s=seconds, leads=("I",), noise="muscle", snr_db=20, seed=seed).recording


def test_json_holds_what_the_library_finds(run, tmp_path):
    path = make(tmp_path, synthetic("af", 30))
    found = json.loads(run(path, "--json").stdout)
    assert (found["file"], found["fs"], found["duration_s"]) == ("one.hea", 250, 30)
    expected = read_rhythm(read(path)).to_dict()
    assert {name: found[name] for name in expected} == expected
    assert found["label"] == "A"


def test_people_read_rhythm_and_probabilities(run, tmp_path):
    out = " ".join(run(make(tmp_path, synthetic("af", 30))).stdout.split())
    assert "rhythm atrial fibrillation, from lead I" in out
    assert "probability normal rhythm 0." in out
    assert "episodes" not in out


def test_people_read_the_episodes_of_a_long_recording(run, tmp_path):
    parts = [synthetic("sinus", 90), synthetic("af", 90)]
    long = Recording(np.concatenate([part.signal for part in parts], axis=1), 250, ("I",))
    out = " ".join(run(make(tmp_path, long)).stdout.split())
    assert "AF burden 50.0% of the time with a readable rhythm" in out
    assert "episodes 0:00:00 - 0:01:30 normal rhythm" in out
    assert "0:01:30 - 0:03:00 atrial fibrillation" in out


def test_people_read_why_there_is_none(run, tmp_path):
    result = run(make(tmp_path, synthetic("sinus", 4)))
    assert result.exit_code == 0
    assert "none: 4.0 s were recorded; a rhythm needs 5 s" in " ".join(result.stdout.split())


def test_a_lead_that_there_is_not_is_one_sentence(run, tmp_path):
    result = run(make(tmp_path, synthetic("sinus", 10)), "--lead", "V2")
    assert result.exit_code == 2
    assert "no such lead" in result.stderr
