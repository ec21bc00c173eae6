from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.synthesis import synthesize
from tests.service import files_of


@pytest.fixture
def pair(tmp_path):
    """An unchanged heart but for its QT."""
    found = []
    for seed, qt_ms in ((1, 390), (2, 450)):
        recording = synthesize(qt_ms=qt_ms, noise="muscle", snr_db=26.0, seed=seed).recording
        ((name, content),) = files_of(recording, stem=f"n{seed}").items()
        path = tmp_path / name
        path.write_bytes(content)
        found.append(path)
    return found


def run(*arguments: object):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": "120"})


def test_what_changed_stands_first_with_its_noise(pair):
    result = run(*pair)
    assert result.exit_code == 0, result.output
    assert "that they are of one person is not stated" in result.output
    rows = [line for line in map(str.rstrip, result.output.splitlines()) if line.endswith(("changed", "within noise"))]
    assert rows[0].startswith("QT ")
    assert "up to" in rows[0]
    assert rows[-1].endswith("within noise")
    assert "placed anew are left out" in result.output


def test_the_same_file_twice_has_not_changed(pair):
    result = run(pair[0], pair[0])
    assert "both are the same recording" in result.output
    assert "changed beyond its noise" in result.output


def test_programs_get_json(pair):
    found = json.loads(run(*pair, "--json").output)
    assert "qt_ms" in found["changed"]
    assert found["measurements"]["qt_ms"]["noise"]["source"] == "halves"


def test_a_file_that_is_not_there_is_named(pair):
    result = run(pair[0], "absent.npz")
    assert result.exit_code == 2
    assert "absent.npz" in result.output
