from __future__ import annotations

import csv
import json
import os
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import analyze, stated
from cli.finding_files import read_places
from cli.result_files import COLUMNS
from ecg_core.isolation import IsolationSettings, ReadPool
from ecg_core.readers import READERS, ReadOptions
from ecg_core.recording import Recording
from ecg_core.risk import FACTS
from ecg_core.synthesis import bundled_cases, synthesize
from tests.findings.voices import Fake, install, say


@pytest.fixture
def run():
    app = typer.Typer()
    app.callback()(lambda: None)
    analyze.add_to(app)
    return lambda *arguments: CliRunner().invoke(
        app, ["analyze", *(str(argument) for argument in arguments)], env={"COLUMNS": "100"}
    )


@pytest.fixture(autouse=True)
def network(monkeypatch):
    fake = Fake(say({"SR": 0.97, "NORM": 0.93}))
    install(monkeypatch, heart12=fake)
    # What is tested here is not how files are read: no process is started for each call.
    monkeypatch.setattr("ecg_core.isolation.pool.ISOLATED", False)
    return fake


def put(folder: Path, recording: Recording, stem: str, form: str = "npz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in READERS[form].write(recording, stem).items():
        (folder / name).write_bytes(data)
    return folder / next(iter(READERS[form].write(recording, stem)))


def small(seed: int) -> Recording:
    return synthesize(duration_s=5.0, fs=250.0, leads=("I", "II", "V1"), seed=seed).recording


@pytest.fixture
def study(tmp_path) -> Path:
    """Return a folder with recordings in it and beneath it, one that is damaged, and files that are none."""
    folder = tmp_path / "study"
    put(folder, small(1), "b")
    put(folder / "deep", small(2), "a", "wfdb")
    put(folder / "deep", small(3), "c", "wfdb")
    (folder / "x.hea").write_text("x 2 500 100\nx.dat 16 200 16 0 0 0 0 I\nx.dat 16 200 16 0 0 0 0 II\n")
    (folder / "notes.docx").write_bytes(b"\1\2\3 no ECG")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_people_read_the_diagnosis_findings_figures_and_risk_within_100_columns(run, tmp_path):
    path = put(tmp_path, bundled_cases()["normal"].synthesize().recording, "one")
    result = run(path, "--age", 63, "--height", "1.71m", "--weight", 80, "--systolic", 140, "--diastolic", 85)
    assert result.exit_code == 0, result.output
    out = " ".join(result.stdout.split())
    assert "Sinus rhythm, 68/min; within normal limits (this does not exclude an acute infarction)" in out
    assert "normal confidence 0.93" in out
    assert "in 5 years" in out
    assert "by charge_af" in out
    assert "narrowed most by: heart failure" in out
    assert "ECG age 61 years (48 to 74, 90% interval); sex: female 0.90; heart12" in out
    assert "suggested, unconfirmed" in out
    assert max(len(line) for line in result.stdout.splitlines()) <= 100


def test_what_is_urgent_stands_before_everything_else(run, tmp_path):
    out = run(put(tmp_path, bundled_cases()["long_qt"].synthesize().recording, "one")).stdout
    assert out.index("urgent: look at the tracing now") < out.index("Sinus rhythm")


def test_one_recording_gives_an_object_and_several_an_array_with_errors_as_rows(run, tmp_path, study):
    one = json.loads(run(put(tmp_path, small(1), "one"), "--json").stdout)
    assert (one["file"], one["subject"]["age"]) == ("one.npz", small(1).subject.age)
    assert {"findings", "summary", "predictions", "af_risk"} <= set(one)
    result = run(study, "--json")
    assert result.exit_code == 2
    rows = json.loads(result.stdout)
    assert [row["file"] for row in rows] == ["b.npz", "x.hea", "a.hea", "c.hea"]
    assert "x." in rows[1]["error"]["file"]
    assert "passed over 1 file that is no recording" in result.stderr


def test_a_file_that_is_named_and_no_recording_is_an_error(run, study):
    result = run(study / "notes.docx", study / "b.npz")
    assert result.exit_code == 2
    assert "no reader recognises" in result.stderr
    assert "Sinus rhythm" in result.stdout


def test_an_archive_gives_each_recording_in_it(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for stem in ("a", "b"):
            for name, data in READERS["wfdb"].write(small(4), stem).items():
                archive.writestr(name, data)
    run(tmp_path / "many.zip", "-o", tmp_path / "r.csv")
    assert [row["recording"] for row in rows_of(tmp_path / "r.csv")] == ["a.hea", "b.hea"]


def test_what_is_no_recording_in_an_archive_is_passed_over_as_in_a_folder(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("notes.docx", b"\1\2\3 no ECG")
        for name, data in READERS["wfdb"].write(small(4), "a").items():
            archive.writestr(name, data)
    result = run(tmp_path / "one.zip", "--json", "--models", "heart12")
    assert (result.exit_code, json.loads(result.stdout)["file"]) == (0, "a.hea")
    assert "passed over 1 file" in result.stderr


@pytest.mark.parametrize("more", [(), ("--json",), ("-o", "r.csv")])
def test_a_folder_without_recordings_is_an_error(run, tmp_path, monkeypatch, more):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.docx").write_bytes(b"\1\2\3 no ECG")
    result = run("study", *more)
    assert result.exit_code == 2
    assert "study: no recording was found" in result.stderr


def test_each_recording_becomes_a_row_and_errors_are_rows_too(run, study, tmp_path):
    result = run(study, "-o", tmp_path / "r.csv", "--age", 63)
    assert result.exit_code == 2
    rows = rows_of(tmp_path / "r.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [row["error"] for row in rows] == ["", "unreadable_file", "", ""]
    assert {row["age"] for row in rows if not row["error"]} == {"63"}
    assert rows[0]["level"] == "undetermined"
    assert rows[0]["diagnosis"].startswith("Sinus rhythm" if rows[0]["rhythm"] == "sinus rhythm" else "Normal rhythm")
    assert float(rows[0]["p_NORM"]) == 0.01
    assert float(rows[0]["ecg_age"]) == 61
    assert "4 recordings" in result.stdout
    assert "1 failed" in result.stdout


def test_lines_hold_the_whole_analysis(run, tmp_path):
    path = put(tmp_path, small(1), "one")
    assert run(path, "-o", tmp_path / "r.jsonl").exit_code == 0
    (line,) = (tmp_path / "r.jsonl").read_text().splitlines()
    found = json.loads(line)
    assert (found["file"], found["recording_name"]) == (str(path), "one.npz")
    assert found["measurements"]["hr_bpm"]["value"] > 0


@pytest.mark.parametrize("cut", [1, 400])
def test_an_interrupted_run_goes_on_where_it_stopped_and_ends_up_the_same(run, study, tmp_path, cut, network):
    whole = tmp_path / "whole.csv"
    run(study, "-o", whole)
    torn = tmp_path / "torn.csv"
    torn.write_bytes(whole.read_bytes()[:-cut])
    network.batches.clear()
    result = run(study, "-o", torn, "--resume")
    assert torn.read_bytes() == whole.read_bytes()
    assert sum(network.batches) <= 2
    assert "of an earlier run" in result.stdout


def test_the_rest_of_an_archive_that_was_cut_short_is_added(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for stem in ("a", "b"):
            for name, data in READERS["wfdb"].write(small(4), stem).items():
                archive.writestr(name, data)
    run(tmp_path / "many.zip", "-o", tmp_path / "r.csv")
    whole = (tmp_path / "r.csv").read_bytes()
    (tmp_path / "r.csv").write_bytes(whole[: whole[:-1].rindex(b"\n") + 1])
    run(tmp_path / "many.zip", "-o", tmp_path / "r.csv", "--resume")
    assert (tmp_path / "r.csv").read_bytes() == whole


def test_results_in_the_folder_that_is_analysed_are_no_recording(run, study):
    run(study, "-o", study / "r.csv")
    assert run(study, "-o", study / "r.csv", "--resume").exit_code == 0
    assert [row["recording"] for row in rows_of(study / "r.csv")] == ["b.npz", "x.hea", "a.hea", "c.hea"]


def test_a_folder_of_many_recordings_is_listed_as_often_as_one_of_few(study, monkeypatch):
    listed, list_folder = Counter(), os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.update([Path(path).name]), list_folder(path))[1])
    with ReadPool(IsolationSettings(workers=1)) as pool:
        found = [place.name for place, _ in read_places([study], ReadOptions(), pool)]
        assert found == ["b.npz", "x.hea", "a.hea", "c.hea"]
        # Once for the files in it, and once for the neighbours of all of them.
        assert listed["deep"] == 2
        done = [str(study / "deep" / "a.dat"), str(study / "deep" / "c.dat")]
        found = [place.name for place, _ in read_places([study], ReadOptions(), pool, done=done)]
        assert found == ["b.npz", "x.hea"]
        assert listed["deep"] == 4


def test_a_run_with_other_settings_is_not_continued_and_a_file_is_not_replaced_unasked(run, tmp_path):
    path, out = put(tmp_path, small(1), "one"), tmp_path / "r.csv"
    run(path, "-o", out)
    before = out.read_bytes()
    other = run(path, "-o", out, "--resume", "--age", 50)
    assert (other.exit_code, "other settings" in other.stderr) == (2, True)
    again = run(path, "-o", out)
    assert (again.exit_code, "--resume" in again.stderr) == (2, True)
    assert out.read_bytes() == before
    assert run(path, "-o", out, "--force", "--age", 50).exit_code == 0
    (tmp_path / "else.csv").write_text("a,b\n1,2\n")
    assert "other columns" in run(path, "-o", tmp_path / "else.csv", "--resume").stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--operating-point", "max"), "max_f1, se95, sp95"),
        (("--models", "heart13"), "heart12"),
        (("--height", "17"), "100 to 250 cm"),
        (("--smoker", "maybe"), "yes, no"),
        (("--age", "200"), "0 and 130 years"),
        (("-o", "r.txt"), ".csv, .jsonl"),
        (("--resume",), "-o FILE"),
    ],
)
def test_what_can_not_be_is_one_sentence_with_the_options_and_exit_code_2(run, tmp_path, arguments, says):
    result = run(put(tmp_path, small(1), "one"), *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_operating_point_reaches_the_network(run, tmp_path, network):
    run(put(tmp_path, small(1), "one"), "--operating-point", "se95", "--models", "heart12", "--json")
    assert set(network.points) == {"se95"}


def test_every_fact_of_the_vocabulary_has_its_option():
    assert list(stated._OPTIONS) == list(FACTS)
