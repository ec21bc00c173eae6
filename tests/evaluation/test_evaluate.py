"""A model on a data set, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from scipy.io import savemat
from typer.testing import CliRunner

from cli import evaluate as command
from ecg_core.artefacts import load_model
from ecg_core.datasets import DATASETS, Item
from ecg_core.datasets.leadi import LeadITruth
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.errors import DataSetError, DuplicateName, UnknownName, WriteError
from ecg_core.evaluation import EXAMS, Evaluation, Exam, Metric, evaluate, register
from ecg_core.synthesis import Synthetic, synthesize


def recorded_beats(made: Synthetic) -> np.ndarray:
    """Return the R peaks within the recording, in seconds."""
    return made.truth.r_s[~np.isnan(made.truth.r_s)]


def write_cpsc2019(folder: Path, n: int = 4, *, spoil: float = 0.0) -> None:
    """Write recordings of known beats; ``spoil`` seconds are added to every reference peak."""
    for name in ("data", "ref"):
        (folder / name).mkdir(parents=True)
    for number in range(1, n + 1):
        made = synthesize(rate_bpm=60 + 5 * number, leads=("II",), seed=number)
        peaks = np.rint((recorded_beats(made) + spoil) * 500)
        savemat(folder / f"data/data_{number:05d}.mat", {"ecg": made.recording.signal.T.astype(np.float64)})
        savemat(folder / f"ref/R_{number:05d}.mat", {"R_peak": peaks[:, None].astype(np.uint16)})


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_cpsc2019(folder / "cpsc2019")
    return folder


# --- from Python ----------------------------------------------------------------------------------------------------


def test_detector_on_clean_records_scores_full_marks_with_intervals(root):
    seen = []
    result = evaluate("beats", "cpsc2019", root, progress=lambda *at: seen.append(at))
    version = load_model("beats").version
    assert (result.model, result.version, result.data, result.n) == ("beats", version, "cpsc2019", 4)
    assert {name: metric.value for name, metric in result.metrics.items()} == {
        "qrs_official": 1.0,
        "hr_official": 1.0,
        "qrs_strict": 1.0,
    }
    assert result.metrics["qrs_official"] == Metric(1.0, 1.0, 1.0)
    assert result.records["data_00002"] == {"qrs_official": 1.0, "hr_official": 1.0, "qrs_strict": 1.0}
    assert seen == [*((at, 4, f"data_{at + 1:05d}") for at in range(4)), (4, 4, "")]


def test_reference_beats_elsewhere_score_nothing(tmp_path):
    write_cpsc2019(tmp_path, 2, spoil=0.2)
    assert evaluate("beats", "cpsc2019", tmp_path).metrics["qrs_official"].value == 0.0


def test_every_copy_that_the_data_set_finds_will_do(root):
    assert evaluate("beats", "cpsc2019", root / "cpsc2019").n == 4
    assert evaluate("beats", "cpsc2019", str(root)).n == 4


def test_unreadable_and_missing_records_are_counted_and_named(tmp_path):
    write_cpsc2019(tmp_path)
    (tmp_path / "data/data_00002.mat").write_bytes(b"broken")
    (tmp_path / "ref/R_00003.mat").write_bytes(b"broken")
    (tmp_path / "ref/R_00004.mat").unlink()
    result = evaluate("beats", "cpsc2019", tmp_path)
    assert (result.n, result.missing) == (1, 1)
    assert set(result.unreadable) == {"data_00002", "data_00003"}
    assert "holds no reference peaks" in result.unreadable["data_00003"]
    assert result.metrics["qrs_official"] == Metric(1.0, None, None)


def test_no_readable_record_is_an_error_that_says_why(tmp_path):
    write_cpsc2019(tmp_path, 1)
    (tmp_path / "data/data_00001.mat").write_bytes(b"broken")
    with pytest.raises(DataSetError, match="1 records, the first not readable because"):
        evaluate("beats", "cpsc2019", tmp_path)


def test_what_is_not_examined_lists_what_is(root):
    with pytest.raises(UnknownName, match="did you mean 'beats'"):
        evaluate("beat", "cpsc2019", root)
    with pytest.raises(UnknownName, match="options: bundled, cpsc2019, leadi, mitdb"):
        evaluate("beats", "ludb", root)


def test_every_exam_is_of_a_data_set_that_exists():
    assert {data for exams in EXAMS.values() for data in exams} <= set(DATASETS)


def test_a_model_joins_once_by_name(monkeypatch):
    monkeypatch.setattr(EXAMS, "_items", {})
    exam = Exam(lambda: "1", lambda _: {}, lambda _: lambda weights: {"ones": weights.sum(axis=1)})
    register("new", "cpsc2019", exam)
    register("new", "mitdb", exam)
    assert set(EXAMS["new"]) == {"cpsc2019", "mitdb"}
    with pytest.raises(DuplicateName):
        register("new", "mitdb", exam)


def mitdb_item(name: str) -> Item[MitdbTruth]:
    made = synthesize(duration_s=320, rate_bpm=60, fs=100, leads=("II",), seed=1)
    peaks = np.rint(recorded_beats(made) * 100).astype(np.int64)
    in_flutter = (peaks > 15_000) & (peaks < 16_000)
    truth = MitdbTruth(
        beat_sample=peaks[~in_flutter],
        beat_symbol=("N",) * int((~in_flutter).sum()),
        rhythm_sample=np.empty(0, np.int64),
        rhythm=(),
        other_sample=np.array([15_001, 15_999]),
        other_symbol=("[", "]"),
    )
    return Item(name, made.recording, truth)


def test_mitdb_is_counted_without_flutter_and_by_ec57_without_paced_records():
    exam = EXAMS["beats"]["mitdb"]
    metrics = exam.score([exam.answer(mitdb_item("100")), exam.answer(mitdb_item("102"))])(np.eye(2))
    assert metrics["se_150ms"].tolist() == metrics["ppv_150ms"].tolist() == [1.0, 1.0]
    assert metrics["ec57.se_150ms"][0] == 1.0
    assert np.isnan(metrics["ec57.se_150ms"][1])
    assert {"f1_75ms", "average.se_150ms", "ec57.average.ppv_75ms"} < set(metrics)


def test_leadi_is_counted_at_its_own_rate():
    made = synthesize(rate_bpm=70, fs=125, leads=("I",), seed=2)
    truth = LeadITruth(np.rint(recorded_beats(made) * 125).astype(np.int64), None, None, "1")
    exam = EXAMS["beats"]["leadi"]
    metrics = exam.score([exam.answer(Item("001_01", made.recording, truth))])(np.ones((1, 1)))
    assert metrics["f1_75ms"].tolist() == [1.0]


# --- the file -------------------------------------------------------------------------------------------------------


def a_result() -> Evaluation:
    return Evaluation("beats", "1", "cpsc2019", 2, {"qrs_official": Metric(0.5, 0.0, 1.0), "x": Metric(None)})


def test_file_has_the_stable_form(tmp_path):
    a_result().save(tmp_path / "x.json")
    found = json.loads((tmp_path / "x.json").read_text())
    assert {key: found[key] for key in ("model", "version", "data", "n", "metrics")} == {
        "model": "beats",
        "version": "1",
        "data": "cpsc2019",
        "n": 2,
        "metrics": {
            "qrs_official": {"value": 0.5, "low": 0.0, "high": 1.0},
            "x": {"value": None, "low": None, "high": None},
        },
    }
    assert (found["split"], found["missing"], found["unreadable"], found["records"]) == (None, 0, {}, {})


def test_file_that_cannot_be_written_leaves_the_old_one_and_no_part(tmp_path, monkeypatch):
    a_result().save(tmp_path / "x.json")
    before = (tmp_path / "x.json").read_text()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(WriteError, match="No space left"):
        a_result().save(tmp_path / "x.json")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
    assert (tmp_path / "x.json").read_text() == before


# --- from the command line ------------------------------------------------------------------------------------------


@pytest.fixture
def run():
    app = typer.Typer(rich_markup_mode="rich")
    command.add_to(app)
    app.callback()(lambda: None)

    def call(*arguments: object):
        return CliRunner().invoke(app, ["evaluate", *map(str, arguments)], env={"COLUMNS": "120"})

    return call


def test_command_prints_a_table_and_writes_the_file(run, root, tmp_path):
    file = tmp_path / "new folder/x.json"
    result = run("beats", "--data", "cpsc2019", "--root", root, "--json", file)
    assert result.exit_code == 0, result.output
    assert "4 records scored" in result.stdout
    assert "qrs_official  1.0000  1.0000 - 1.0000" in result.stdout
    assert result.stderr == ""
    assert json.loads(file.read_text())["metrics"]["hr_official"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_command_names_what_it_could_not_read_with_exit_code_1(run, tmp_path):
    write_cpsc2019(tmp_path, 3)
    (tmp_path / "data/data_00002.mat").write_bytes(b"broken")
    result = run("beats", "--data", "cpsc2019", "--root", tmp_path, "--json", tmp_path / "x.json")
    assert result.exit_code == 1
    assert "2 records scored, 1 not readable" in result.stdout
    assert result.stderr.startswith("ecg: not scored: data_00002: ")
    assert list(json.loads((tmp_path / "x.json").read_text())["unreadable"]) == ["data_00002"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("beats", "--data", "ludb"), "options: bundled, cpsc2019, leadi, mitdb"),
        (("wave", "--data", "ludb"), "options: analysis, beat_classes, beats, "),
        (("beats", "--data", "mitdb"), "the data set mitdb (MIT-BIH Arrhythmia Database) is not here"),
        (("beats", "--data", "cpsc2019", "--split", "ds1"), "no such split"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_exit_code_2(run, root, arguments, sentence):
    result = run(*arguments, "--root", root)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_file_that_cannot_be_written_is_said_before_the_work(run, root, tmp_path, monkeypatch):
    monkeypatch.setattr("ecg_core.evaluation.evaluate", lambda *_, **__: pytest.fail("worked first"))
    (tmp_path / "file").write_text("")
    for target in (tmp_path, tmp_path / "file/x.json"):
        result = run("beats", "--data", "cpsc2019", "--root", root, "--json", target)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"ecg: {target}")


def test_command_has_help_with_an_example(run):
    assert "Examples" in run("--help").output
