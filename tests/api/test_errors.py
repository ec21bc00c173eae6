"""What every error looks like: the specification of the problem body."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import FAILED, STATUS
from api.schemas import Problem
from api.settings import Settings
from ecg_core.errors import EcgError, ReaderFailed, ReaderUnavailable, all_errors
from ecg_core.isolation.pool import BUSY, CRASHED
from tests.helpers import make_recording
from tests.service import as_upload, as_user, files_of, running_app


def problem_of(answer) -> Problem:
    """Check that an answer is a problem body, and return it."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "code", "detail"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:einthoven:problem:{body['code']}"
    assert "Traceback" not in answer.text
    assert all(value not in (None, []) for value in body.values())
    return Problem.model_validate(body)


def test_every_error_of_the_library_has_a_status_of_its_own():
    missing = [kind for kind in all_errors() if kind.__module__ == "ecg_core.errors" and kind not in STATUS]
    assert not missing


@pytest.mark.parametrize("kind", sorted(STATUS, key=lambda kind: kind.code))
def test_an_error_of_the_library_is_answered_with_its_status_and_all_it_says(kind):
    app = create_app(Settings())

    @app.get("/fails")
    def fails() -> None:
        raise kind("cannot be", file="a.edf", field="fs", found=0, expected="above 0", options=("one", "two"))

    answer = TestClient(app, raise_server_exceptions=False).get("/fails")
    problem = problem_of(answer)
    assert (problem.status, problem.code) == (STATUS[kind], kind.code)
    if problem.status == 500:
        assert problem == Problem(
            **problem.model_dump(include={"type", "title", "status", "code", "request_id"}), detail=FAILED
        )
        return
    assert problem.detail == "a.edf: fs: cannot be"
    assert (problem.file, problem.field, problem.found, problem.expected) == ("a.edf", "fs", "0", "above 0")
    assert problem.options == ["one", "two"]


def test_an_error_that_joined_the_tree_later_has_the_status_of_its_parent():
    class Later(ReaderFailed):
        code = "later"

    app = create_app(Settings())

    @app.get("/fails")
    def fails() -> None:
        raise Later(CRASHED)

    assert TestClient(app).get("/fails").status_code == 422


def test_no_free_process_is_a_matter_of_time_and_not_of_the_file():
    app = create_app(Settings())

    @app.get("/fails")
    def fails() -> None:
        raise ReaderUnavailable(BUSY)

    answer = TestClient(app).get("/fails")
    assert (problem_of(answer).code, answer.status_code) == ("reader_unavailable", 503)
    assert int(answer.headers["retry-after"]) > 0


def test_what_nobody_foresaw_is_answered_without_saying_how_the_house_is_built():
    app = create_app(Settings())

    @app.get("/fails")
    def fails() -> None:
        raise RuntimeError("secret")

    answer = TestClient(app, raise_server_exceptions=False).get("/fails")
    assert (problem_of(answer).code, answer.status_code) == ("internal_error", 500)
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("GET", "/predict", 405, "method_not_allowed")],
)
def test_errors_of_the_framework_have_the_same_body(client, method, path, status, code):
    problem = problem_of(client.request(method, path))
    assert (problem.status, problem.code) == (status, code)


def test_a_refused_method_still_names_the_allowed_one(client):
    assert client.get("/predict").headers["allow"] == "POST"


def test_an_upload_without_files_says_so(client):
    problem = problem_of(client.post("/predict", data={"fs": "500"}))
    assert (problem.status, problem.code, problem.field) == (422, "invalid_value", "files")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("fs", "0"),
        ("fs", "-1"),
        ("fs", "nan"),
        ("fs", "inf"),
        ("fs", "fast"),
        ("age", "131"),
        ("sex", "f"),
        ("signal", "x"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(predict, field, value):
    problem = problem_of(predict(files_of(make_recording(("II",))), **{field: value}))
    assert (problem.status, problem.code) == (422, "invalid_request")
    assert [item.field for item in problem.errors] == [f"body.{field}"]


def test_a_body_that_is_no_form_is_a_bad_request(client):
    answer = client.post("/predict", content=b"x", headers={"content-type": "multipart/form-data"})
    assert problem_of(answer).status in (400, 422)


@pytest.mark.parametrize(
    ("files", "status", "code"),
    [
        ({"a.pdf": b"%PDF-1.4"}, 415, "unknown_format"),
        ({"a.edf": b""}, 422, "unreadable_file"),
        ({"100.dat": bytes(range(256))}, 415, "unknown_format"),
        ({"a.zip": b"PK\x03\x04 and then nothing"}, 422, "unreadable_file"),
    ],
    ids=["no ECG", "empty", "WFDB without its header", "damaged archive"],
)
def test_a_file_that_cannot_be_read_is_named(predict, files, status, code):
    problem = problem_of(predict(files))
    assert (problem.status, problem.code) == (status, code)
    assert problem.file in files


def test_a_truncated_recording_is_unreadable(predict):
    files = {name: content[: len(content) // 2] for name, content in files_of(make_recording(), "dicom").items()}
    assert problem_of(predict(files)).code == "unreadable_file"


def test_several_recordings_in_one_upload_are_refused(predict):
    files = files_of(make_recording(("II",)), stem="a") | files_of(make_recording(("II",), seed=1), stem="b")
    problem = problem_of(predict(files))
    assert (problem.status, problem.code) == (422, "several_recordings")


def test_two_files_of_the_same_name_are_refused(client):
    (content,) = files_of(make_recording(("II",))).values()
    answer = client.post("/predict", files=[("files", ("a.npz", content)), ("files", ("x/a.npz", content))])
    assert (problem_of(answer).code, answer.status_code) == ("invalid_value", 422)


def test_a_rate_that_contradicts_the_file_is_refused(predict):
    problem = problem_of(predict(files_of(make_recording(("II",))), fs="250"))
    assert (problem.status, problem.code, problem.field) == (422, "invalid_value", "fs")


def test_a_crash_of_the_reading_process_is_the_files_fault_and_costs_only_its_own_request():
    with running_app(read_time_limit_s=1e-6) as anonymous:
        client = as_user(anonymous)
        problem = problem_of(client.post("/predict", files=as_upload(files_of(make_recording()))))
        assert (problem.status, problem.code) == (422, "reader_failed")
        assert client.get("/health/live").json() == {"status": "ok"}


@pytest.fixture(scope="module")
def small():
    with running_app(max_upload_bytes=20_000, max_files=2, read_values=100_000) as anonymous:
        yield as_user(anonymous)


def test_a_body_announced_too_large_is_refused_before_it_is_sent(small):
    sent = 0

    def chunks():
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 1000

    headers = {"content-length": "100000", "content-type": "multipart/form-data; boundary=x"}
    problem = problem_of(small.post("/predict", content=chunks(), headers=headers))
    assert (problem.status, problem.code) == (413, "body_too_large")
    assert "20000" in problem.detail


def test_a_body_of_unknown_length_is_refused_once_it_is_too_large(small):
    def form():
        yield b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.edf"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 1000
        yield b"\r\n--x--\r\n"

    answer = small.post("/predict", content=form(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert "content-length" not in answer.request.headers
    assert (problem_of(answer).code, answer.status_code) == ("body_too_large", 413)


def test_a_body_within_the_limit_passes(small):
    files = [("files", item) for item in files_of(make_recording(("II",))).items()]
    assert small.post("/predict", files=files).status_code == 200


def test_too_many_files_are_refused(small):
    problem = problem_of(small.post("/predict", files=[("files", (f"{n}.csv", b"x")) for n in range(3)]))
    assert (problem.status, problem.code, problem.found) == (413, "limit_exceeded", "3")


def test_a_small_file_that_claims_to_be_huge_is_refused(small):
    header = b"big 12 500 90000000\n" + b"".join(b"big.dat 16 1000/mV 16 0 0 0 0 V%d\n" % n for n in range(12))
    files = [("files", ("big.hea", header)), ("files", ("big.dat", bytes(1000)))]
    problem = problem_of(small.post("/predict", files=files))
    assert problem.code in ("limit_exceeded", "unreadable_file")


def test_ecg_error_itself_is_never_the_senders_fault():
    assert STATUS[EcgError] == 500
