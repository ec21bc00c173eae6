"""How good the models are, over HTTP: the bundled set at once, installed sets and labelled uploads as jobs."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from api.errors import Refusal
from api.schemas import BundledEvaluation, BundledRecord, EvaluationChoices, EvaluationReport
from api.services import bundled_set
from api.services.evaluation import LABELS, check_request, describe_sets, run_evaluation
from api.settings import Settings
from ecg_core.artefacts import ModelFolder
from ecg_core.datasets.bundled import GRADES, HEARTS
from ecg_core.errors import DataSetError, InvalidValue, UnknownName
from ecg_core.isolation import ReadPool
from ecg_core.predictors import predictors
from ecg_core.recording import Annotations
from tests.evaluation.labelled_files import annotated, beat_marks, cpsc2019, one_lead, wfdb
from tests.service import as_upload


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("EINTHOVEN_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def pool():
    with ReadPool(Settings(read_workers=1).isolation()) as pool:
        yield pool


def annotated_files(n: int = 2) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for seed in range(n):
        made = one_lead(seed)
        files |= wfdb(f"r{seed}", annotated(made, atr=beat_marks(made)))
    return files


def packed(files: dict[str, bytes]) -> dict[str, bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return {"records.zip": buffer.getvalue()}


def check(**wanted: Any) -> dict[str, Any]:
    usual = {"model": "beats", "data": None, "split": None, "include_trained": False, "fs": None, "units": None}
    return check_request(**{**usual, "files": {}, **wanted})


# --- the bundled set ------------------------------------------------------------------------------------------------


def test_the_bundled_set_is_answered_at_once_by_grade_with_what_was_lost(client):
    answer = client.get("/evaluate")
    assert answer.status_code == 200
    found = BundledEvaluation.model_validate(answer.json())
    assert (found.model, found.data, found.n) == ("beats", "bundled", len(HEARTS) * len(GRADES))
    assert "ynthetic" in found.notice
    assert [(report.grade, report.snr_db, report.n) for report in found.grades] == [
        (grade, db, len(HEARTS)) for grade, db in GRADES.items()
    ]
    for report in (found, *found.grades):
        for accuracy in (report.qrs_accuracy, report.hr_accuracy):
            for metric in (accuracy.official, accuracy.strict):
                assert 0 <= metric.low <= metric.value <= metric.high <= 1
    assert found.hr_accuracy.official.value > 0.99
    assert found.metrics["f1_150ms"].value > 0.99
    assert not any("." in name for name in found.metrics)
    assert len(found.records) == found.n
    assert found.lost
    for lost in found.lost:
        assert any(lost.cost.values())
        assert lost.grade in GRADES


def test_one_grade_alone_has_the_figures_of_that_grade(client):
    whole = BundledEvaluation.model_validate(client.get("/evaluate").json())
    alone = BundledEvaluation.model_validate(client.get("/evaluate", params={"grade": "-6dB"}).json())
    assert (alone.grade, alone.n) == ("-6dB", len(HEARTS))
    assert alone.grades == [report for report in whole.grades if report.grade == "-6dB"]
    assert (alone.metrics, alone.qrs_accuracy) == (alone.grades[0].metrics, alone.grades[0].qrs_accuracy)
    assert alone.lost == [lost for lost in whole.lost if lost.grade == "-6dB"]
    assert len(alone.records) == len(HEARTS)


def test_the_classical_detector_is_asked_by_method_or_by_model(client):
    by_method = client.get("/evaluate", params={"method": "fast"}).json()
    by_model = client.get("/evaluate", params={"model": "beats_fast"}).json()
    assert by_method == by_model
    assert (by_method["model"], by_method["sha256"]) == ("beats_fast", None)


def test_models_without_beats_have_their_own_figures(client):
    found = BundledEvaluation.model_validate(client.get("/evaluate", params={"model": "pacing"}).json())
    assert found.qrs_accuracy is found.hr_accuracy is None
    assert found.grades[0].metrics["sp_recordings"].value == 1.0


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ({"model": "beat"}, 404, "beats_fast"),
        ({"model": "heart12"}, 404, "ptbxl"),
        ({"grade": "3dB"}, 422, "-6dB"),
        ({"method": "slow"}, 422, "robust"),
        ({"method": "fast", "model": "waves"}, 422, "beats"),
    ],
)
def test_what_cannot_be_examined_lists_what_can(client, wanted, status, part):
    answer = client.get("/evaluate", params=wanted)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert part in json.dumps(answer.json())


def test_who_asks_meanwhile_waits_for_the_same_computation():
    kept, begun, go_on = bundled_set._Kept(), threading.Event(), threading.Event()
    calls, answers = [], []

    def compute() -> str:
        calls.append(1)
        begun.set()
        assert go_on.wait(10)
        return "found"

    def ask() -> None:
        answers.append(kept.get("beats", 1, compute))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    threads[0].start()
    assert begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (answers, len(calls)) == (["found"] * 3, 1)
    assert kept.get("beats", 1, compute) == "found"
    assert len(calls) == 1
    assert kept.get("beats", 2, compute) == "found"
    assert len(calls) == 2


def test_a_computation_that_failed_is_tried_again():
    kept, answers = bundled_set._Kept(), iter([ValueError("broken"), "found"])

    def compute() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(ValueError, match="broken"):
        kept.get("beats", 1, compute)
    assert kept.get("beats", 1, compute) == "found"


def test_what_the_results_depend_on_leaves_other_models_alone(monkeypatch):
    versions = bundled_set._versions()
    installed = [*bundled_set.list_models(), ModelFolder("guest", "1", Path("guest"))]
    monkeypatch.setattr(bundled_set, "list_models", lambda: installed)
    assert bundled_set._versions() == versions
    assert len(versions) == 5


def test_a_record_that_lost_points_can_be_looked_at(client):
    lost = client.get("/evaluate").json()["lost"][-1]
    answer = client.get(f"/evaluate/records/{lost['name']}")
    found = BundledRecord.model_validate(answer.json())
    assert (found.name, found.grade, found.duration_s) == (lost["name"], lost["grade"], 10.0)
    for part in ("reference_s", "found_s", "missed_s", "extra_s"):
        assert getattr(found, part) == lost[part]
    assert len(found.classes) >= len(found.reference_s)
    assert (len(found.signal.values), len(found.signal.values[0])) == (len(found.signal.leads), 5000)
    assert found.lead in found.signal.leads


def test_a_record_that_there_is_not_is_not_found(client):
    answer = client.get("/evaluate/records/100")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_name")


# --- what there is --------------------------------------------------------------------------------------------------


def test_sets_and_models_are_listed_with_what_installs_them(client, nothing_installed):
    found = EvaluationChoices.model_validate(client.get("/evaluate/sets").json())
    by_name = {item.name: item for item in found.sets}
    assert by_name["bundled"].installed
    assert by_name["bundled"].synthetic
    assert by_name["bundled"].install is None
    mitdb = by_name["mitdb"]
    assert (mitdb.installed, mitdb.install) == (False, "ecg data get mitdb")
    assert [split.name for split in mitdb.splits] == ["ds1", "ds2", "paced"]
    assert mitdb.models == ["beat_classes", "beats", "beats_fast", "pacing"]
    assert "nstdb" not in by_name
    assert found.bundled == by_name["bundled"].models
    assert found.grades == list(GRADES)
    needs = {item.model: item.needs for item in found.uploads}
    assert needs["waves"] == "waves"
    assert all(needs[name] == "labels" for name in predictors())
    assert str(nothing_installed) not in client.get("/evaluate/sets").text


def test_a_set_that_is_installed_is_said_to_be(nothing_installed):
    for name, content in cpsc2019(1, one_lead(1)).items():
        path = nothing_installed / "cpsc2019" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (found,) = (item for item in describe_sets().sets if item.name == "cpsc2019")
    assert (found.installed, found.install) == (True, None)
    parameters = check(data="cpsc2019")
    report = EvaluationReport.model_validate(run_evaluation(parameters, None, lambda *_: None))
    assert (report.n, report.data, report.qrs_accuracy.official.value) == (1, "cpsc2019", 1.0)
    assert str(nothing_installed) not in report.model_dump_json()


def test_no_answer_says_where_the_sets_lie(nothing_installed):
    for name, content in (cpsc2019(1, one_lead(1)) | cpsc2019(2, one_lead(2))).items():
        path = nothing_installed / "cpsc2019" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"broken" if name.startswith("ref") and "2" in name else content)
    parameters = check(data="cpsc2019")
    report = EvaluationReport.model_validate(run_evaluation(parameters, None, lambda *_: None))
    assert "ref/R_00002.mat: holds no reference peaks" in report.left_out["data_00002"]
    assert str(nothing_installed) not in report.model_dump_json()
    (nothing_installed / "cpsc2019/data/data_00001.mat").write_bytes(b"broken")
    with pytest.raises(DataSetError, match="the set: no record could be scored") as caught:
        run_evaluation(parameters, None, lambda *_: None)
    assert str(nothing_installed) not in str(caught.value)


# --- what is checked before the job ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "error", "part"),
    [
        ({}, InvalidValue, "either an installed set or an upload; found: neither"),
        ({"data": "bundled", "files": {"a": b""}}, InvalidValue, "found: both"),
        ({"data": "mitdb2"}, UnknownName, "did you mean 'mitdb'"),
        ({"data": "ludb"}, UnknownName, "options: bundled, cpsc2019, leadi, mitdb"),
        ({"data": "mitdb", "model": "beat"}, UnknownName, "did you mean 'beats'"),
        ({"data": "bundled", "split": "ds1"}, InvalidValue, "options: clean, 24dB"),
        ({"data": "bundled", "files": {LABELS: b"a,N"}}, InvalidValue, "labels of its own"),
        ({"files": {"a": b""}, "split": "ds1"}, InvalidValue, "an upload has no splits"),
        ({"files": {"a": b""}, "model": "quality"}, InvalidValue, "not examined on labelled recordings"),
        ({"files": {"a": b""}, "model": "rhythm"}, InvalidValue, "needs a table of labels"),
        ({"files": {"a": b"", LABELS: b"a,N"}}, InvalidValue, "compared with annotated beats, not with a table"),
        ({"files": {"a": b"", LABELS: b"a"}, "model": "rhythm"}, InvalidValue, "not a table of labels"),
    ],
)
def test_a_request_that_cannot_be_done_is_refused_with_the_options(nothing_installed, wanted, error, part):
    with pytest.raises(error) as caught:
        check(**wanted)
    assert part in str(caught.value)


def test_a_set_that_is_not_installed_says_the_command(nothing_installed):
    with pytest.raises(Refusal) as caught:
        check(data="mitdb", split="ds1")
    assert (caught.value.status, caught.value.code) == (422, "set_not_installed")
    assert caught.value.more["options"] == ["ecg data get mitdb"]
    assert str(nothing_installed) not in caught.value.detail


def test_parameters_are_json_and_hold_no_files():
    parameters = check(files=annotated_files(1), include_trained=True, fs=500.0, units="mV")
    assert json.loads(json.dumps(parameters)) == parameters
    assert parameters == {
        "model": "beats",
        "data": None,
        "split": None,
        "include_trained": True,
        "fs": 500.0,
        "units": "mV",
    }


# --- the work of a job ----------------------------------------------------------------------------------------------

Run = Callable[..., EvaluationReport]


@pytest.fixture
def run(pool) -> Run:
    def run(parameters: dict[str, Any], files: dict[str, bytes] | None, progress=lambda *_: None) -> EvaluationReport:
        found = run_evaluation(parameters, files, progress, settings=Settings(), pool=pool)
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        return EvaluationReport.model_validate(found)

    return run


def test_annotated_recordings_are_scored_and_twice_the_same(run):
    files = packed(annotated_files())
    report = run(check(files=files), files)
    assert (report.n, report.data, report.left_out) == (2, "upload", {})
    assert report.qrs_accuracy.official.value == report.hr_accuracy.strict.value == 1.0
    assert report == run(check(files=files), files)


def test_reference_peaks_of_cpsc2019_are_understood(run):
    files = packed(cpsc2019(1, one_lead(1)) | cpsc2019(2, one_lead(2)))
    report = run(check(files=files, fs=500.0, units="mV"), files)
    assert (report.n, report.qrs_accuracy.strict.value) == (2, 1.0)
    with pytest.raises(InvalidValue, match="does not state its sampling rate"):
        run(check(files=files), files)


def test_a_table_of_labels_is_used(run):
    files = packed(wfdb("a", one_lead(1, "af", duration_s=20.0).recording))
    files |= {LABELS: b"record,label\na,A\n"}
    report = run(check(model="rhythm", files=files), files)
    assert (report.n, report.metrics["f1_a"].value) == (1, 1.0)


def test_an_upload_without_annotations_says_so(run):
    files = wfdb("bare", one_lead(1).recording)
    with pytest.raises(InvalidValue, match=r"no recording could be scored.*no annotated beats"):
        run(check(files=files), files)


def test_what_cancels_passes_through_and_the_process_that_reads_goes_on(run):
    class Cancelled(Exception):
        pass

    def cancel(done: int, _total: int, _name: str) -> None:
        if done == 1:
            raise Cancelled

    files = annotated_files(3)
    with pytest.raises(Cancelled):
        run(check(files=files), files, cancel)
    assert run(check(files=files), files).n == 3


def test_the_bundled_set_is_a_set_for_jobs_too(run):
    seen = []
    report = run(check(data="bundled", split="clean"), None, lambda *at: seen.append(at))
    assert (report.n, report.split) == (len(HEARTS), "clean")
    assert seen[0] == (0, len(HEARTS), "sinus_12leads_clean")
    assert seen[-1] == (len(HEARTS), len(HEARTS), "")


# --- the job, over HTTP ---------------------------------------------------------------------------------------------


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """Return a job once it is finished."""
    for _ in range(600):
        found = client.get(f"/jobs/{job['id']}").json()
        if found["status"] not in ("queued", "running"):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_an_annotated_upload_is_a_job_whose_result_is_the_report(ada):
    answer = ada.post("/evaluate", files=as_upload(packed(annotated_files())), data={"model": "beats_fast"})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/jobs/{job['id']}"
    assert (job["kind"], job["parameters"]["model"]) == ("evaluation", "beats_fast")
    assert ended(ada, job)["status"] == "done"
    report = EvaluationReport.model_validate(ada.get(f"/jobs/{job['id']}/results").json())
    assert (report.model, report.n, report.metrics["se_150ms"].value) == ("beats_fast", 2, 1.0)


def test_folders_of_an_upload_and_a_table_of_labels_reach_the_job(ada):
    pairs = cpsc2019(1, one_lead(1)) | cpsc2019(2, one_lead(2))
    job = ada.post("/evaluate", files=as_upload(pairs), data={"fs": 500, "units": "mV"}).json()
    recording = one_lead(1, "af", duration_s=20.0).recording
    table = ("labels", ("REFERENCE.csv", b"a,A\n"))
    labelled = ada.post("/evaluate", files=[*as_upload(wfdb("a", recording)), table], data={"model": "rhythm"}).json()
    assert (ended(ada, job)["status"], ended(ada, labelled)["status"]) == ("done", "done")
    assert ada.get(f"/jobs/{job['id']}/results").json()["n"] == 2
    assert ada.get(f"/jobs/{labelled['id']}/results").json()["metrics"]["f1_a"]["value"] == 1.0


def beat_too_few() -> dict[str, bytes]:
    """Return a recording of which the truth leaves one beat out: to find that is to invent it."""
    made = one_lead(1)
    marks = beat_marks(made)
    fewer = Annotations(np.delete(marks.time_s, 4), (*marks.symbol[:4], *marks.symbol[5:]))
    return wfdb("r1", annotated(made, atr=fewer))


def test_a_recording_that_lost_points_can_be_looked_at_until_the_job_is_deleted(ada, client):
    files = packed(beat_too_few())
    job = ada.post("/evaluate", files=as_upload(files)).json()
    assert ended(ada, job)["status"] == "done"
    (lost,) = ada.get(f"/jobs/{job['id']}/results").json()["lost"]
    signal = f"/jobs/{job['id']}/signal"
    window = {"record": lost["name"], "start_s": 4, "end_s": 1000}
    found = ada.get(signal, params=window).json()
    assert (found["start_s"], found["end_s"], len(found["leads"])) == (4.0, 10.0, 1)
    assert len(found["values"][0]) == 6 * found["fs"]
    assert ada.get(signal, params={"record": "another"}).json()["code"] == "not_found"
    assert client.get(signal, params=window).status_code == 404
    assert ada.delete(f"/jobs/{job['id']}").status_code == 204
    assert ada.get(signal, params=window).status_code == 404


def test_an_upload_that_lost_nothing_is_deleted_when_its_job_is_done(ada):
    job = ada.post("/evaluate", files=as_upload(annotated_files(1))).json()
    assert ended(ada, job)["status"] == "done"
    assert ada.get(f"/jobs/{job['id']}/signal", params={"record": "r0.hea"}).status_code == 404


def test_a_recording_of_a_set_can_be_looked_at(ada):
    job = ada.post("/evaluate", data={"data": "bundled", "split": "-6dB", "model": "beats_fast"}).json()
    assert ended(ada, job)["status"] == "done"
    lost = ada.get(f"/jobs/{job['id']}/results").json()["lost"][0]["name"]
    found = ada.get(f"/jobs/{job['id']}/signal", params={"record": lost, "end_s": 2}).json()
    assert len(found["values"][0]) == 2 * found["fs"]


def test_an_upload_without_annotations_fails_its_job_and_says_why(client):
    job = client.post("/evaluate", files=as_upload(wfdb("bare", one_lead(1).recording))).json()
    found = ended(client, job)
    assert (found["status"], found["error"]["code"]) == ("failed", "invalid_value")
    assert "no annotated beats came with it" in found["error"]["found"]


def test_a_set_and_its_split_are_examined_as_a_job(client):
    job = client.post("/evaluate", data={"data": "bundled", "split": "24dB", "model": "beats_fast"}).json()
    assert ended(client, job)["status"] == "done"
    report = client.get(f"/jobs/{job['id']}/results").json()
    assert (report["n"], report["split"]) == (len(HEARTS), "24dB")


@pytest.mark.parametrize(
    ("form", "status", "code", "part"),
    [
        ({}, 422, "invalid_value", "files"),
        ({"data": "mitdb"}, 422, "set_not_installed", "ecg data get mitdb"),
        ({"data": "nowhere"}, 404, "unknown_name", "mitdb"),
        ({"data": "ludb"}, 404, "unknown_name", "cpsc2019"),
        ({"data": "bundled", "split": "x"}, 422, "invalid_value", "clean"),
        ({"data": "../../etc"}, 404, "unknown_name", "mitdb"),
    ],
)
def test_a_request_that_cannot_be_done_makes_no_job(client, nothing_installed, form, status, code, part):
    before = client.get("/jobs").json()["items"]
    answer = client.post("/evaluate", data=form)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert part in answer.text
    assert client.get("/jobs").json()["items"] == before


def test_nobody_is_examined_without_a_token(anonymous):
    assert anonymous.get("/evaluate").status_code == 401
    assert anonymous.post("/evaluate", data={"data": "bundled"}).status_code == 401
