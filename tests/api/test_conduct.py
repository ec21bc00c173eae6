"""What every request and every answer has, whatever the route: ids, log lines, headers, limits."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from contextlib import suppress
from uuid import UUID

import httpx
import pytest
from fastapi import Response
from sqlalchemy import select
from starlette.testclient import TestClient

from api.app import create_app
from api.logs import log_config
from api.middleware import body
from api.openapi import operations_of
from api.settings import Settings
from api.tables import AuditEvent
from ecg_core.synthesis import synthesize
from tests.api.test_errors import problem_of
from tests.cli.test_serve import free_port, posix, started
from tests.service import PASSWORD, as_upload, as_user, files_of, runtime_of

ORIGIN = "https://ecg.example"


@pytest.fixture(scope="module")
def failing():
    """An app of which one route fails; its message quotes what the request told."""
    app = create_app(Settings())

    @app.get("/people/{name}")
    def fails(name: str) -> None:
        try:
            raise KeyError(name)
        except KeyError as error:
            raise RuntimeError(f"{name} is unknown") from error

    return TestClient(app, raise_server_exceptions=False)


def lines_of(records: list[logging.LogRecord], log_format: str = "json", level: str = "info") -> list[str]:
    """Return the records as they would be written."""
    how = log_config(Settings(log_format=log_format), level)["formatters"]["line"].copy()
    formatter = how.pop("()")(**how)
    for record in records:
        record.exc_text = None  # What pytest's own formatter left there.
    return [formatter.format(record) for record in records]


@pytest.mark.parametrize("given", ["checkout-4711", "A.b_c-0123456789", str(UUID(int=7))])
def test_an_id_that_the_sender_gave_is_kept(client, given):
    assert client.get("/info", headers={"X-Request-ID": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "short", "x" * 65, "two words!", "a;b=c\td-ef", "naïve-name".encode()])
def test_without_a_usable_id_one_is_made(client, given):
    headers = {} if given is None else {"X-Request-ID": given}
    made = [client.get("/info", headers=headers).headers["x-request-id"] for _ in range(2)]
    assert all(str(UUID(item)) == item for item in made)
    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("GET", "/predict"), ("POST", "/predict"), ("GET", "/people/heloise")]
)
def test_a_problem_names_its_request(failing, anonymous, method, path):
    asked = failing if "people" in path else anonymous
    answer = asked.request(method, path)
    assert problem_of(answer).request_id == answer.headers["x-request-id"]


def test_the_audit_trail_names_the_request(anonymous):
    ada = as_user(anonymous, "audited")
    files = as_upload(files_of(synthesize(seed=5).recording))
    answer = ada.post("/predict", files=files, headers={"X-Request-ID": "audited-request"})
    assert answer.status_code == 200
    with runtime_of(anonymous).database.read() as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.request_id == "audited-request")).all()
    assert {(event.action, event.object_kind) for event in found} == {("created", "recording"), ("created", "analysis")}


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/info?name=heloise", "/info", 200),
        ("/analyses/heloise-1", "/analyses/{analysis_id}", 404),
        ("/people/heloise/secret", "unknown", 404),
        ("/docs/assets/heloise.js", "/docs/assets", 404),
    ],
)
def test_a_request_leaves_one_line_without_its_path_and_query(client, caplog, path, route, status):
    with caplog.at_level("INFO", "api.requests"):
        answer = client.get(path, headers={"X-Request-ID": "one-request"})
    (record,) = [record for record in caplog.records if record.name == "api.requests"]
    (line,) = lines_of([record])
    said = json.loads(line)
    assert said.pop("time").endswith("Z")
    assert 0 < said.pop("seconds") < 60
    account = said.pop("account_id")
    assert (account is not None) == path.startswith("/analyses")
    assert said == {
        "level": "INFO",
        "logger": "api.requests",
        "message": f"GET {route}",
        "method": "GET",
        "route": route,
        "status": status,
        "bytes": len(answer.content),
    }
    (text,) = lines_of([record], "text")
    assert f"INFO api.requests: GET {route} status={status} seconds=" in text
    assert "heloise" not in line + text


def test_lines_of_one_request_share_its_id(failing, caplog):
    class Ids(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.name.startswith("api"):
                ids.append(json.loads(lines_of([record])[0])["request_id"])
            return True

    ids: list[str] = []
    caplog.handler.addFilter(note := Ids())
    with caplog.at_level("INFO"):
        failing.get("/people/heloise", headers={"X-Request-ID": "one-request"})
    caplog.handler.removeFilter(note)
    assert ids == ["one-request"] * 2


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_failure_is_logged_with_its_trace_and_without_what_it_says(failing, caplog, log_format):
    assert failing.get("/people/heloise").status_code == 500
    (record,) = [record for record in caplog.records if record.exc_info]
    (line,) = lines_of([record], log_format)
    for part in ("KeyError", "RuntimeError", "which led to", "in fails"):
        assert part in line
    assert "heloise" not in line
    (line,) = lines_of([record], log_format, "debug")
    assert "heloise is unknown" in line


def test_others_are_heard_only_where_something_is_wrong():
    how = log_config(Settings(), "debug")
    assert how["root"]["level"] == "WARNING"
    assert how["loggers"]["api"]["level"] == how["loggers"]["uvicorn"]["level"] == "DEBUG"
    assert how["handlers"]["stderr"]["stream"] is sys.stderr


@pytest.mark.parametrize("path", ["/info", "/nowhere", "/docs", "/people/heloise", "/docs/assets/swagger-ui.css"])
def test_every_answer_tells_browsers_what_not_to_do(anonymous, failing, path):
    headers = (failing if "people" in path else anonymous).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


def test_a_browser_that_came_by_https_is_told_to_stay_with_it(anonymous):
    secure = TestClient(anonymous.app, base_url="https://testserver")
    assert secure.get("/info").headers["strict-transport-security"] == "max-age=31536000"


def test_what_is_somebodys_is_kept_by_no_cache(anonymous, client):
    assert client.get("/analyses/none").headers["cache-control"] == "no-store"
    signed_in = anonymous.post("/login", json={"name": "nobody", "password": PASSWORD})
    assert signed_in.headers["cache-control"] == "no-store"
    assert "cache-control" not in anonymous.get("/info").headers


def test_a_route_may_say_more_of_caching_itself():
    app = create_app(Settings())

    @app.get("/kept")
    def kept() -> Response:
        return Response(headers={"Cache-Control": "private, no-cache"})

    answer = TestClient(app).get("/kept", headers={"Authorization": "Bearer x"})
    assert answer.headers["cache-control"] == "private, no-cache"


def test_no_other_page_may_call_the_api_unless_it_is_named(client):
    asks = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    assert problem_of(client.options("/predict", headers=asks)).code == "method_not_allowed"
    answer = client.get("/info", headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_page_that_is_named_may_call_with_a_token_and_without_cookies():
    open_to = TestClient(create_app(Settings(cors_origins=(ORIGIN,))))
    asks = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key, x-request-id",
    }
    allowed = open_to.options("/predict", headers=asks)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in allowed.headers
    failed = open_to.get("/nowhere", headers={"Origin": ORIGIN})
    assert failed.headers["access-control-allow-origin"] == ORIGIN
    assert "X-Request-ID" in failed.headers["access-control-expose-headers"]
    other = open_to.options("/predict", headers=asks | {"Origin": "https://evil.example"})
    assert problem_of(other).code == "cors_refused"
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-origin" not in open_to.get("/info", headers={"Origin": "https://evil.example"}).headers


def test_what_takes_no_files_takes_little(anonymous):
    answer = anonymous.post("/login", content=b"x" * (body.PLAIN_BYTES + 1))
    assert (problem_of(answer).code, answer.status_code) == ("body_too_large", 413)


def test_every_route_that_takes_files_is_allowed_their_size():
    app = create_app(Settings())
    limit = body.BodyLimit(app, Settings(max_upload_bytes=5 * body.MIB, max_batch_bytes=7 * body.MIB))
    document = app.openapi()
    taking = []
    for operation in operations_of(document):
        details = document["paths"][operation.path][operation.method.lower()]
        if "octet-stream" in json.dumps(_resolved(document, details.get("requestBody", {}))):
            taking.append(operation.path)
            assert limit.limit_of(operation.path) >= 5 * body.MIB, operation.path
    assert "/predict" in taking
    assert limit.limit_of("/login") == body.PLAIN_BYTES
    assert limit.limit_of("/batches") == 7 * body.MIB


@posix
def test_a_running_service_writes_lines_of_json_and_believes_its_proxy(monkeypatch, tmp_path):
    for name, value in {"STATE_DIR": str(tmp_path), "LOG_FORMAT": "json", "PASSWORD_COST": "1"}.items():
        monkeypatch.setenv(f"EINTHOVEN_{name}", value)
    url = f"http://127.0.0.1:{(port := free_port())}"
    with started("serve", "--port", str(port)) as process, httpx.Client(base_url=url, trust_env=False) as asks:
        for _ in range(600):
            with suppress(httpx.ConnectError):
                asks.get("/health/live")
                break
            time.sleep(0.1)
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "X-Request-ID": "by-a-proxy"}
        answer = asks.get("/info?name=heloise", headers=headers)
        assert answer.headers["strict-transport-security"]
        assert "server" not in answer.headers
        process.terminate()
        said = process.communicate(timeout=60)[1]
    lines = [json.loads(line) for line in said.splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "by-a-proxy"]
    assert (line["message"], line["status"]) == ("GET /info", 200)
    assert "heloise" not in said
    assert "203.0.113.7" not in said
    assert lines[-1]["message"].startswith("Finished server process")


def _resolved(document, part):
    if isinstance(part, list):
        return [_resolved(document, item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _resolved(document, document["components"]["schemas"][part["$ref"].rpartition("/")[2]])
    return {name: _resolved(document, item) for name, item in part.items()}


@pytest.mark.parametrize("sent", [[], [b"{"], [b'{"name": "', b"e", b"v"]], ids=["nothing", "a byte", "a drip"])
def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch, sent):
    monkeypatch.setattr(body, "GRACE_S", 0.05)
    answered = []

    async def ask() -> None:
        chunks = iter(sent)

        async def receive():
            for chunk in chunks:
                return {"type": "http.request", "body": chunk, "more_body": True}
            return await asyncio.sleep(30)

        async def send(message):
            answered.append(message)

        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/login", "headers": headers, "query_string": b""}
        app = create_app(Settings())
        app.state.runtime = None
        await app({**scope, "scheme": "http", "root_path": "", "server": ("testserver", 80)}, receive, send)

    asyncio.run(ask())
    assert answered[0]["status"] == 408
    assert (b"connection", b"close") in answered[0]["headers"]
    assert json.loads(answered[1]["body"])["code"] == "request_timeout"
