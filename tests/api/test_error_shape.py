"""The specification of errors: one body for all of them, and a list of codes that is complete."""

from __future__ import annotations

import ast
import re
from http import HTTPStatus
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import api
from api.app import create_app
from api.errors import STATUS, Refusal, http_problem
from api.middleware.body import PLAIN_BYTES
from api.problem_codes import CODES
from api.schemas import Problem
from api.settings import Settings
from ecg_core.errors import ModelError, all_errors
from tests.api.test_errors import problem_of
from tests.service import PASSWORD, as_user, bearer

RAISING = {"Refusal", "problem_response", "_unauthorised"}
PASSED_ON = {
    # The framework's own: their code is the name of their status.
    "bad_request": 400,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "body_too_large": 413,
    # Chosen in the line before.
    "not_an_admin": 403,
    "wrong_scope": 403,
}
JSON = {"content-type": "application/json"}
TEXT = {"content-type": "text/plain"}
NO_BOUNDARY = {"content-type": "multipart/form-data"}
FORM = {"content-type": "multipart/form-data; boundary=x"}


def codes_in_the_source() -> dict[str, set[int]]:
    """Return every code that stands in a call that refuses, with its statuses."""
    found: dict[str, set[int]] = {code: {status} for code, status in PASSED_ON.items()}
    for path in Path(api.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in RAISING:
                continue
            first = call.args[:2] if getattr(call.func, "id", "") != "_unauthorised" else [None, call.args[0]]
            status, code = first
            if isinstance(code, ast.Constant):
                known = _status_of(status) if status is not None else 401
                found.setdefault(code.value, set()).update(set() if known is None else {known})
    return found


def _status_of(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant):
        return int(node.value)
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "HTTPStatus":
        return int(HTTPStatus[node.attr])
    return None


def test_the_list_of_codes_is_complete_and_holds_none_that_never_comes():
    used = set(codes_in_the_source()) | {kind.code for kind in all_errors()}
    assert sorted(set(CODES) - used) == []
    assert sorted(used - set(CODES)) == []


def test_a_code_comes_with_the_statuses_that_are_listed():
    for code, statuses in codes_in_the_source().items():
        assert statuses <= set(CODES[code][0]), code
    for kind in all_errors():
        status = next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS)
        assert status in CODES[kind.code][0], kind.code


def test_every_code_is_explained():
    for code, (statuses, meaning) in CODES.items():
        assert code == code.lower()
        assert statuses
        assert meaning.endswith(".")
        assert all(400 <= status < 600 for status in statuses)


def test_the_manual_lists_every_code_with_its_statuses_and_meaning():
    manual = Path(api.__file__).parents[1] / "docs" / "api.md"
    rows = re.findall(r"^\| ([\d, ]+) \| `(\w+)` \| (.+) \|$", manual.read_text("utf-8"), re.MULTILINE)
    found = {code: (tuple(int(status) for status in statuses.split(",")), what) for statuses, code, what in rows}
    assert found == CODES


@pytest.fixture(scope="module")
def breaking() -> TestClient:
    app: FastAPI = create_app(Settings())

    @app.get("/breaks")
    def fail() -> None:
        raise ZeroDivisionError

    @app.get("/damaged")
    def use_model() -> None:
        raise ModelError("is damaged", file="network.onnx")

    @app.get("/refuses")
    def refuse() -> None:
        raise Refusal(409, "no_results", "there is nothing", field="a", found="b", options=["c"])

    return TestClient(app, raise_server_exceptions=False)


CASES = {
    "an unknown path": ("GET", "/nowhere", {}, 404, "not_found"),
    "a path of another depth": ("GET", "/recordings/1/2/3/4", {}, 404, "not_found"),
    "an unknown method": ("DELETE", "/predict", {}, 405, "method_not_allowed"),
    "an unheard-of method": ("BREW", "/info", {}, 405, "method_not_allowed"),
    "nobody": ("GET", "/me", {}, 401, "not_authenticated"),
    "another kind of token": ("GET", "/me", {"headers": {"Authorization": "Basic eDp5"}}, 401, "not_authenticated"),
    "a token that is none": ("GET", "/me", {"headers": bearer("x.y.z")}, 401, "invalid_token"),
    "no JSON at all": ("POST", "/login", {"content": b"{", "headers": JSON}, 422, "invalid_request"),
    "JSON of another shape": ("POST", "/login", {"content": b"[1]", "headers": JSON}, 422, "invalid_request"),
    "JSON that is not UTF-8": ("POST", "/login", {"content": b'"\xff"', "headers": JSON}, 400, "bad_request"),
    "JSON that nests deeply": ("POST", "/login", {"content": b"[" * 100_000, "headers": JSON}, 400, "bad_request"),
    "a number that is none": ("POST", "/login", {"content": b'{"name":NaN}', "headers": JSON}, 422, "invalid_request"),
    "no body": ("POST", "/login", {}, 422, "invalid_request"),
    "a form where JSON is asked": ("POST", "/login", {"data": {"name": "x"}}, 422, "invalid_request"),
    "text where JSON is asked": ("POST", "/login", {"content": b"{}", "headers": TEXT}, 422, "invalid_request"),
    "wrong credentials": ("POST", "/login", {"json": {"name": "none", "password": PASSWORD}}, 401, "wrong_credentials"),
    "JSON where a form is asked": ("POST", "/token", {"json": {}}, 400, "invalid_request"),
    "a form without its boundary": ("POST", "/token", {"content": b"x", "headers": NO_BOUNDARY}, 400, "bad_request"),
    "a form that is cut off": ("POST", "/token", {"content": b"broken", "headers": FORM}, 400, "bad_request"),
    "too large a body": ("POST", "/login", {"content": b" " * (PLAIN_BYTES + 1)}, 413, "body_too_large"),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_of_all_kinds_have_the_same_body(anonymous, case):
    method, path, request, status, code = CASES[case]
    answer = anonymous.request(method, path, **request)
    problem = problem_of(answer)
    assert (problem.status, problem.code) == (status, code)
    assert status in CODES[code][0]
    assert problem.request_id == answer.headers["x-request-id"]
    assert problem.title == code.replace("_", " ").capitalize()
    assert len(problem.detail) < 500


SIGNED_IN = {
    "another's thing": ("GET", "/analyses/00000000-0000-0000-0000-000000000000", {}, 404, "not_found"),
    "an id that is none": ("GET", "/analyses/%00", {}, 422, "invalid_request"),
    "what only administrators may": ("GET", "/metrics", {}, 403, "not_an_admin"),
    "a form with nothing in it": ("POST", "/predict", {}, 422, "invalid_value"),
    "JSON where files are asked": ("POST", "/predict", {"json": {}}, 422, "invalid_value"),
    "a form that is cut off": ("POST", "/predict", {"content": b"broken", "headers": FORM}, 400, "bad_request"),
    "a file that is no ECG": ("POST", "/predict", {"files": {"files": b"x"}}, 415, "unknown_format"),
    "an unknown case": ("POST", "/predict", {"data": {"case": "none"}}, 404, "unknown_name"),
    "a page that is none": ("GET", "/audit?cursor=x", {}, 422, "invalid_value"),
    "a limit out of range": ("GET", "/audit?limit=0", {}, 422, "invalid_request"),
}


@pytest.mark.parametrize("case", SIGNED_IN)
def test_errors_of_those_who_are_signed_in_have_it_too(anonymous, case):
    method, path, request, status, code = SIGNED_IN[case]
    answer = as_user(anonymous, case).request(method, path, **request)
    assert (answer.status_code, problem_of(answer).code) == (status, code)


def test_a_failure_has_it_too_and_says_nothing_of_the_house(breaking):
    answer = breaking.get("/breaks")
    assert (problem_of(answer).code, answer.status_code) == ("internal_error", 500)
    assert "ZeroDivision" not in answer.text


def test_what_is_the_librarys_fault_is_logged_and_what_is_the_senders_is_not(breaking, caplog):
    for path, status in (("/damaged", 500), ("/refuses", 409)):
        assert breaking.get(path).status_code == status
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info[0] is ModelError


def test_a_refusal_says_what_it_was_given(breaking):
    problem = problem_of(breaking.get("/refuses"))
    assert problem.model_dump(exclude_defaults=True, exclude={"request_id"}) == {
        "type": "urn:einthoven:problem:no_results",
        "title": "No results",
        "status": 409,
        "code": "no_results",
        "detail": "there is nothing",
        "field": "a",
        "found": "b",
        "options": ["c"],
    }


def test_a_field_that_cannot_be_used_is_named_and_its_value_is_not(anonymous):
    """A value may be a password."""
    answer = anonymous.post("/register", json={"name": "somebody", "password": ["hunter2-hunter2"]})
    problem = problem_of(answer)
    assert [item.field for item in problem.errors] == ["body.password"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("status", sorted({status for statuses, _ in CODES.values() for status in statuses}))
def test_a_status_of_the_framework_becomes_a_problem_too(status):
    from starlette.exceptions import HTTPException

    answer = http_problem(HTTPException(status))
    problem = Problem.model_validate_json(bytes(answer.body))
    assert (problem.status, answer.media_type) == (status, "application/problem+json")
