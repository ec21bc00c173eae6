from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from cli import measure
from ecg_core.measurements import VALUES
from ecg_core.pipeline import analyze
from ecg_core.readers import READERS
from ecg_core.reading import read
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases, synthesize


@pytest.fixture
def run():
    app = typer.Typer()
    app.callback()(lambda: None)
    measure.add_to(app)
    return lambda *arguments: CliRunner().invoke(app, ["measure", *(str(argument) for argument in arguments)])


@pytest.fixture
def written(tmp_path):
    def write(recording: Recording, stem: str = "one"):
        for name, data in READERS["npz"].write(recording, stem).items():
            (tmp_path / name).write_bytes(data)
        return tmp_path / f"{stem}.npz"

    return write


def test_json_holds_what_the_library_measures(run, written):
    path = written(synthesize(seed=1).recording)
    result = run(path, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["file"] == "one.npz"
    expected = json.loads(json.dumps(analyze(read(path)).to_dict()))
    for part in ("measurements", "urgent", "quality", "rhythm", "pacing"):
        assert found[part] == expected[part], part
    assert set(VALUES) < set(found["measurements"])


def test_people_read_values_ranges_flags_and_why_values_are_missing(run, written):
    out = run(written(synthesize("af", qt_ms=470, seed=2).recording), "--age", 60, "--sex", "male").stdout
    lines = {line.split("  ")[0].strip(): " ".join(line.split()) for line in out.splitlines()}
    assert "359 to 450" in lines["QTc Fridericia"]
    assert "±" in lines["QTc Fridericia"]
    assert "▲ high" in lines["QTc Fridericia"]
    assert "in atrial fibrillation or flutter there is no P wave" in out
    assert "60 years, male" in out
    assert "J+40" in out
    assert "suggested, unconfirmed" in out


def test_what_is_urgent_stands_first(run, written):
    out = run(written(bundled_cases()["inferior_infarction"].synthesize().recording)).stdout
    assert out.splitlines()[1].startswith("! ST elevation in contiguous leads: II")


def test_a_recording_that_holds_nothing_gives_reasons_and_no_error(run, written):
    result = run(written(synthesize(duration_s=0.6, leads=("II",)).recording))
    assert result.exit_code == 0, result.output
    assert "none" in result.stdout


def test_an_impossible_age_is_one_sentence_and_exit_code_2(run, written):
    result = run(written(synthesize(seed=1).recording), "--age", 200)
    assert result.exit_code == 2
    assert "0 and 130 years" in result.stderr
    assert result.stderr.count("\n") == 1
