"""Batches over HTTP: many recordings at once, a job that says how far it is, a line for each of them."""

from __future__ import annotations

import csv
import io
import json
import tarfile
import time
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.schemas import Job, JobDetails, JobResult, OwnedJobPage, Prediction
from api.tables import AuditEvent
from ecg_core.report.rows import COLUMNS
from tests.jobs.workshop import several, small, zipped
from tests.service import as_upload, as_user, running_app, runtime_of

LIMIT_S = 60.0


def send(client: TestClient, files: dict[str, bytes], status: int = 202, **fields: object) -> Any:
    answer = client.post("/batches", files=as_upload(files), data=fields)
    assert answer.status_code == status, answer.text
    return answer


def ended(client: TestClient, job_id: str) -> JobDetails:
    """Return a job once it is finished."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        job = JobDetails.model_validate(client.get(f"/jobs/{job_id}").json())
        if job.status not in ("queued", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError("it takes too long")


def lines_of(client: TestClient, job_id: str) -> list[JobResult]:
    answer = client.get(f"/jobs/{job_id}/results")
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [JobResult.model_validate_json(line) for line in answer.text.splitlines()]


def test_a_batch_is_answered_at_once_and_analysed_afterwards(ada):
    answer = send(ada, {"study.zip": zipped(several(2)), "bad.docx": b"\1\2\3 no ECG"}, age=63, height_cm="1.71 m")
    job = Job.model_validate(answer.json())
    assert answer.headers["location"] == f"/jobs/{job.id}"
    assert (job.kind, job.finished_at, job.error) == ("batch", None, None)
    assert (job.parameters["age"], job.parameters["facts"]) == (63, {"height_cm": 171})
    done = ended(ada, job.id)
    assert (done.status, done.total, done.done, done.failed) == ("done", 3, 2, 1)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.created_at <= done.started_at <= done.finished_at
    assert (done.message, done.seconds_left) == (None, None)
    assert [(error.position, error.file, error.error.code) for error in done.errors] == [
        (0, "bad.docx", "unknown_format")
    ]


def test_the_results_are_a_line_each_with_the_analysis_or_the_error(ada):
    job_id = send(ada, {"study.zip": zipped(several(2)), "bad.docx": b"\1\2\3 no ECG"}, age=63).json()["id"]
    ended(ada, job_id)
    lines = lines_of(ada, job_id)
    assert [(line.position, line.file, line.status) for line in lines] == [
        (0, "bad.docx", "failed"),
        (1, "study.zip/r0.csv", "done"),
        (2, "study.zip/r1.csv", "done"),
    ]
    assert lines[0].error is not None
    assert lines[0].error.code == "unknown_format"
    first = lines[1].analysis
    assert first is not None
    assert first.subject.age == 63
    kept = ada.get(f"/analyses/{first.id}").json()
    assert json.loads(ada.get(f"/jobs/{job_id}/results").text.splitlines()[1])["analysis"] == kept
    # The same file by itself is the same recording, and the analysis is there already.
    alone = Prediction.model_validate(ada.post("/predict", files=as_upload(small(0)), data={"age": 63}).json())
    assert alone.stored is not None
    assert (alone.stored.recording_id, alone.stored.new_analysis) == (lines[1].recording_id, False)


def test_the_table_has_the_columns_of_the_command_line(ada):
    job_id = send(ada, {**several(1), "bad.docx": b"\1\2\3 no ECG"}, age=63).json()["id"]
    ended(ada, job_id)
    answer = ada.get(f"/jobs/{job_id}/results", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="job-{job_id}.csv"'
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["file"], row["error"]) for row in rows] == [("r0.csv", ""), ("bad.docx", "unknown_format")]
    assert (rows[0]["leads"], rows[0]["age"], rows[0]["quality"]) == ("II", "63", "good")
    assert rows[0]["settings"].endswith("; age=63.0")
    assert "max_f1" in rows[0]["settings"]
    assert "no reader recognises" in rows[1]["error_text"]


def test_a_line_stays_when_its_recording_is_deleted(ada):
    job_id = send(ada, several(1)).json()["id"]
    ended(ada, job_id)
    assert ada.delete(f"/recordings/{lines_of(ada, job_id)[0].recording_id}").status_code == 204
    (line,) = lines_of(ada, job_id)
    assert (line.status, line.recording_id, line.analysis) == ("done", None, None)
    (row,) = csv.DictReader(ada.get(f"/jobs/{job_id}/results?format=csv").text.splitlines())
    assert row["error"] == "deleted"


def test_files_in_folders_are_told_apart_and_no_name_may_come_twice(ada):
    files = {"p1/ecg.csv": small(0)["ecg.csv"], "..\\p2\\ecg.csv": small(1)["ecg.csv"]}
    job_id = send(ada, files).json()["id"]
    ended(ada, job_id)
    assert [line.file for line in lines_of(ada, job_id)] == ["p1/ecg.csv", "p2/ecg.csv"]
    twice = ada.post("/batches", files=[("files", ("p1/ecg.csv", b"a")), ("files", ("/p1//ecg.csv", b"b"))])
    assert (twice.status_code, twice.json()["code"], twice.json()["found"]) == (422, "invalid_value", "p1/ecg.csv")


def test_names_and_texts_that_are_no_text_do_no_harm(ada):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in (("p\udcff/x\udcfe.docx", b"\1\2\3"), ("p\udcff/\udcfd.csv", small(0)["ecg.csv"])):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    job_id = send(ada, {"a.tar": packed.getvalue()}, fs=250, units="m\0V").json()["id"]
    job = ended(ada, job_id)
    assert job.status == "done"
    names = [line.file for line in lines_of(ada, job_id)]
    assert [(name[:7], name.rpartition(".")[2]) for name in names] == [("a.tar/p", "csv"), ("a.tar/p", "docx")]
    assert all(name.encode() for name in names)
    assert ada.get(f"/jobs/{job_id}/results?format=csv").status_code == 200


def test_what_cannot_be_asked_for_is_refused_before_anything_is_stored(ada):
    for fields, field in (
        ({"models": "none_such"}, "models"),
        ({"age": 200}, "body.age"),
        ({"height_cm": "tall"}, "height_cm"),
    ):
        problem = send(ada, small(0), 422, **fields).json()
        assert field in (problem.get("field"), *(item["field"] for item in problem.get("errors", ()))), problem
    assert ada.post("/batches").status_code == 422
    assert ada.get("/jobs").json()["items"] == []


def test_more_files_than_a_batch_may_have_are_refused():
    with running_app(max_batch_files=3) as service:
        ada = as_user(service)
        for count in (4, 9):
            answer = ada.post("/batches", files=[("files", (f"{at}.csv", b"x")) for at in range(count)])
            assert answer.status_code == 413, answer.text
            assert "at most 3" in answer.text


def test_a_file_too_large_to_be_unpacked_is_refused_before_it_is_stored():
    with running_app(read_total_bytes=1000) as service:
        ada = as_user(service)
        answer = ada.post("/batches", files=as_upload({"a.csv": b"x", "b.csv": bytes(1001)}))
        assert (answer.status_code, answer.json()["code"], answer.json()["file"]) == (413, "limit_exceeded", "b.csv")
        assert ada.get("/jobs").json()["items"] == []


def test_many_files_are_taken_that_the_framework_alone_would_refuse(client):
    files = [("files", (f"{at}.txt", b"no ECG")) for at in range(1001)]
    job_id = client.post("/batches", files=files).json()["id"]
    job = ended(client, job_id)
    assert (job.total, job.failed, len(job.errors)) == (1001, 1001, 100)
    assert len(lines_of(client, job_id)) == 1001


def test_what_is_done_with_a_batch_is_in_the_trail(ada):
    job_id = send(ada, small(0)).json()["id"]
    ended(ada, job_id)
    lines_of(ada, job_id)
    ada.delete(f"/jobs/{job_id}")
    with runtime_of(ada).database.read() as session:
        query = select(AuditEvent).where(AuditEvent.object_id == job_id).order_by(AuditEvent.at)
        events = session.scalars(query).all()
    assert [(event.object_kind, event.action) for event in events] == [
        ("job", action) for action in ("created", "read", "deleted")
    ]


def test_administrators_see_everybodys_jobs_and_not_what_they_are_about(ada, admin):
    job_id = send(ada, {"Jane Doe 1950.csv": small(0)["ecg.csv"]}).json()["id"]
    ended(ada, job_id)
    answer = admin.get("/admin/jobs", params={"status": "done", "limit": 1})
    (job,) = OwnedJobPage.model_validate(answer.json()).items
    assert (job.id, job.total, job.done) == (job_id, 1, 1)
    assert "Jane" not in answer.text
    assert admin.get(f"/jobs/{job_id}").status_code == 404
    assert admin.get("/admin/jobs", params={"owner_id": job.owner_id}).json()["items"][0]["id"] == job_id
    refused = ada.get("/admin/jobs")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_an_admin")


@pytest.mark.parametrize(("path", "method"), [("", "GET"), ("/results", "GET"), ("", "DELETE")])
def test_anothers_job_cannot_be_told_from_none(ada, bob, path, method):
    job_id = send(ada, small(0)).json()["id"]
    answer = bob.request(method, f"/jobs/{job_id}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert ada.get(f"/jobs/{job_id}").status_code == 200
    assert bob.get("/jobs").json()["items"] == []
