from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from cli import beats
from ecg_core.beats import detect_beats
from ecg_core.readers import READERS
from ecg_core.reading import read
from tests.helpers import make_recording


@pytest.fixture
def run():
    app = typer.Typer()
    app.callback()(lambda: None)
    beats.add_to(app)
    return lambda *arguments: CliRunner().invoke(app, ["beats", *(str(argument) for argument in arguments)])


@pytest.fixture
def path(tmp_path):
    for name, data in READERS["wfdb"].write(make_recording(("I", "II"), n_samples=20_000), "one").items():
        (tmp_path / name).write_bytes(data)
    return tmp_path / "one.hea"


def test_json_holds_what_the_library_finds(run, path):
    found = json.loads(run(path, "--json").stdout)
    assert found["file"] == "one.hea"
    assert (found["fs"], found["duration_s"]) == (500, 40)
    expected = detect_beats(read(path)).to_dict()
    assert {name: found[name] for name in expected} == expected


def test_people_read_rate_intervals_and_why_figures_are_missing(run, path):
    out = " ".join(run(path).stdout.split())
    assert "50 in II, I, by robust" in out
    assert "75 bpm (mean 75" in out
    assert "RMSSD" in out
    assert "VLF: the longest run of beats lasts 39 s; 300 s are needed" in out
    assert "(30 more with --json)" in out
    assert "doubtful none: every confidence is 80% or more" in out


def test_another_lead_and_another_detector_can_be_chosen(run, path):
    found = json.loads(run(path, "--lead", "I", "--method", "fast", "--json").stdout)
    assert (found["leads"], found["method"], found["confidence"]) == (["I"], "fast", None)


@pytest.mark.parametrize(("option", "name", "known"), [("--lead", "V6", "I, II"), ("--method", "fats", "fast")])
def test_unknown_names_are_one_sentence_with_the_known_ones_and_exit_code_2(run, path, option, name, known):
    result = run(path, option, name)
    assert result.exit_code == 2
    assert known in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_beats_are_said_to_be_none_and_why(run, tmp_path):
    files = READERS["wfdb"].write(make_recording(("I",), n_samples=100), "short")
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    result = run(tmp_path / "short.hea")
    assert result.exit_code == 0
    assert "none: lead I is flat" in " ".join(result.stdout.split())
