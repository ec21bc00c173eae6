"""Idempotency-Key: what a request did is done once, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Annotated, Any

import pytest
from fastapi import Form, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select, update
from starlette.testclient import TestClient

from api.deps import ReaderOf, WriterOf
from api.middleware import idempotency as middleware
from api.services import idempotency as service
from api.tables import IdempotentRequest, new_id, now
from ecg_core.synthesis import synthesize
from tests.api.test_errors import problem_of
from tests.databases import new_database
from tests.service import access_token, add_account, as_upload, as_user, bearer, files_of, running_app, runtime_of


class Things:
    """Routes that make things, and what they were asked."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.answers: list[Response] = []
        self.begun, self.let_go = Event(), Event()
        self.let_go.set()

    def add_to(self, app: Any) -> None:
        @app.post("/things", status_code=201)
        def make(_who: WriterOf, name: Annotated[str, Form()] = "", q: str = "") -> Response:
            self.begun.set()
            assert self.let_go.wait(10)
            self.made.append(name)
            if self.answers:
                return self.answers.pop(0)
            return JSONResponse({"id": new_id(), "name": name, "q": q}, 201, {"Location": "/things/1"})

        @app.post("/others", status_code=201)
        def make_other(_who: WriterOf) -> dict[str, str]:
            self.made.append("other")
            return {"id": new_id()}

        @app.post("/looks")
        def look(_who: ReaderOf) -> dict[str, str]:
            self.made.append("look")
            return {"id": new_id()}

        @app.post("/breaks")
        def fail(_who: WriterOf) -> None:
            self.made.append("failure")
            raise RuntimeError


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service_and_things(request: pytest.FixtureRequest) -> Iterator[tuple[TestClient, Things]]:
    with new_database(request.param) as settings, running_app(**settings) as client:
        things = Things()
        things.add_to(client.app)
        yield client, things


@pytest.fixture
def things(service_and_things) -> Things:
    things = service_and_things[1]
    things.made.clear()
    return things


@pytest.fixture
def ada(service_and_things, request) -> TestClient:
    return as_user(service_and_things[0], f"ada {request.node.nodeid}"[-200:])


@pytest.fixture
def bob(service_and_things, request) -> TestClient:
    return as_user(service_and_things[0], f"bob {request.node.nodeid}"[-200:])


def send(client: TestClient, path: str = "/things", key: str = "key-1", **request: Any):
    return client.post(path, headers={"Idempotency-Key": key}, **request)


def rows_of(client: TestClient) -> list[IdempotentRequest]:
    with runtime_of(client).database.read() as session:
        owner_id = client.get("/me").json()["id"]
        return list(session.scalars(select(IdempotentRequest).where(IdempotentRequest.owner_id == owner_id)))


def test_the_first_answer_is_given_again(ada, things):
    first, again = (send(ada, data={"name": "a"}) for _ in range(2))
    assert things.made == ["a"]
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["location"] == "/things/1"
    assert again.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert first.headers["x-request-id"] != again.headers["x-request-id"]


def test_a_form_that_is_made_anew_is_the_same_request(ada, things):
    """Its boundary is another one, and its chunks may be cut elsewhere."""
    content = bytes(range(256)) * 1000
    sent = [send(ada, files={"file": ("a.bin", content)}, data={"name": "a"}) for _ in range(2)]
    boundaries = {answer.request.headers["content-type"] for answer in sent}
    assert len(boundaries) == 2
    assert things.made == ["a"]
    other = send(ada, files={"file": ("a.bin", content[:-1] + b"x")}, data={"name": "a"})
    assert problem_of(other).code == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("path", "request_"),
    [("/things", {"data": {"name": "b"}}), ("/things?q=1", {"data": {"name": "a"}}), ("/others", {})],
    ids=["another body", "another query", "another route"],
)
def test_a_key_stands_for_one_request(ada, things, path, request_):
    send(ada, data={"name": "a"})
    problem = problem_of(send(ada, path, **request_))
    assert (problem.status, problem.code, problem.field) == (422, "idempotency_key_reused", "Idempotency-Key")
    assert things.made == ["a"]


def test_keys_of_accounts_are_their_own(ada, bob, things):
    assert send(ada, data={"name": "a"}).json() != send(bob, data={"name": "a"}).json()
    assert things.made == ["a", "a"]


def test_without_a_key_everything_is_done(ada, things):
    for _ in range(2):
        ada.post("/things", data={"name": "a"})
    assert things.made == ["a", "a"]
    assert rows_of(ada) == []


def test_while_the_first_is_answered_the_second_has_to_wait(ada, things):
    things.let_go.clear()
    things.begun.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send, ada, data={"name": "a"})
        assert things.begun.wait(10)
        second = send(ada, data={"name": "a"})
        things.let_go.set()
        assert first.result().status_code == 201
    assert (problem_of(second).code, second.status_code) == ("idempotency_in_progress", 409)
    assert int(second.headers["retry-after"]) > 0
    assert send(ada, data={"name": "a"}).json() == first.result().json()
    assert things.made == ["a"]


def test_of_many_at_once_one_is_done(ada, things):
    with ThreadPoolExecutor(8) as pool:
        answers = [item.result() for item in [pool.submit(send, ada, data={"name": "a"}) for _ in range(16)]]
    assert things.made == ["a"]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1


def test_a_request_that_was_cut_off_is_done_again_after_a_while(ada, things):
    send(ada, data={"name": "a"})
    (row,) = rows_of(ada)
    with runtime_of(ada).database.write() as session:
        # As it stands where the process was killed meanwhile.
        session.execute(update(IdempotentRequest).where(IdempotentRequest.id == row.id).values(status=None))
    assert send(ada, data={"name": "a"}).status_code == 409
    with runtime_of(ada).database.write() as session:
        past = now() - service.ABANDONED_AFTER - timedelta(seconds=1)
        session.execute(update(IdempotentRequest).where(IdempotentRequest.id == row.id).values(created_at=past))
    done = send(ada, data={"name": "a"})
    assert done.status_code == 201
    assert things.made == ["a", "a"]
    assert send(ada, data={"name": "a"}).json() == done.json()
    # The one that was given up comes late, and changes nothing.
    service.settle(runtime_of(ada).database, row.id, service.Answer(201, [], b'{"id": "%s"}' % new_id().encode()))
    assert send(ada, data={"name": "a"}).json() == done.json()


@pytest.mark.parametrize("status", [400, 401, 404, 409, 413, 422, 429, 500, 503])
def test_what_was_refused_or_failed_is_asked_anew(ada, things, status):
    things.answers.append(JSONResponse({"request_id": new_id()}, status))
    assert send(ada, data={"name": "a"}).status_code == status
    assert rows_of(ada) == []
    assert send(ada, data={"name": "b"}).status_code == 201
    assert things.made == ["a", "b"]


def test_a_failure_nobody_foresaw_leaves_the_key_free(ada, things):
    for _ in range(2):
        assert problem_of(send(ada, "/breaks")).code == "internal_error"
    assert things.made == ["failure"] * 2
    assert rows_of(ada) == []


def test_what_made_nothing_is_not_kept(ada, things):
    """It can be computed again, and whoever asked for nothing to be stored has nothing stored."""
    things.answers.append(JSONResponse({"heart_rate_bpm": 60}))
    assert send(ada, data={"name": "a"}).json() == {"heart_rate_bpm": 60}
    assert rows_of(ada) == []


def test_a_prediction_is_replayed_and_one_that_is_not_stored_leaves_nothing(ada):
    files = as_upload(files_of(synthesize(seed=3).recording))
    assert send(ada, "/predict", files=files, data={"store": "false"}).json()["stored"] is None
    assert rows_of(ada) == []
    first, again = (send(ada, "/predict", files=files) for _ in range(2))
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    (row,) = rows_of(ada)
    assert row.body is not None
    assert len(row.body) < len(first.content) / 3
    with runtime_of(ada).database.write() as session:
        service.forget(session, row.owner_id, first.json()["stored"]["recording_id"])
    assert rows_of(ada) == []


def test_a_deleted_thing_is_not_told_again_by_its_key(ada, things):
    kept = [send(ada, key=f"key-{n}", data={"name": "a"}).json()["id"] for n in range(3)]
    with runtime_of(ada).database.write() as session:
        service.forget(session, rows_of(ada)[0].owner_id, kept[1])
    left = {name for row in rows_of(ada) for name in row.headers["ids"]}
    assert left == {kept[0], kept[2]}


def test_a_long_answer_is_passed_on_and_not_kept(ada, things, monkeypatch):
    monkeypatch.setattr(middleware, "_MOST_KEPT", 1000)
    things.answers.append(JSONResponse({"id": new_id(), "values": [0.5] * 1000}, 201))
    assert len(send(ada, data={"name": "a"}).json()["values"]) == 1000
    assert rows_of(ada) == []


def test_answers_are_kept_for_as_long_as_the_settings_say(ada, things):
    send(ada, data={"name": "a"})
    keep_s = runtime_of(ada).settings.idempotency_s
    with runtime_of(ada).database.write() as session:
        past = now() - timedelta(seconds=keep_s + 1)
        session.execute(update(IdempotentRequest).values(created_at=past))
    send(ada, data={"name": "b"})
    assert things.made == ["a", "b"]
    assert len(rows_of(ada)) == 1


@pytest.mark.parametrize("key", ["x" * 256, "two words", "tab\tbed", "naïve".encode()])
def test_a_key_that_cannot_be_used_is_refused(ada, things, key):
    problem = problem_of(send(ada, key=key, data={"name": "a"}))
    assert (problem.status, problem.code, problem.field) == (422, "invalid_value", "Idempotency-Key")
    assert things.made == []


def test_what_stores_nothing_takes_no_notice(ada, things):
    send(ada, "/looks")
    send(ada, "/looks")
    assert things.made == ["look"] * 2
    assert rows_of(ada) == []


def test_a_token_that_does_not_reach_so_far_gets_nothing_replayed(service_and_things, ada, things):
    client = service_and_things[0]
    send(ada, data={"name": "a"})
    assert TestClient(client.app).post("/things", headers={"Idempotency-Key": "key-1"}).status_code == 401
    forged = access_token(client, add_account(client, new_id()))[:-4] + "AAAA"
    headers = {"Idempotency-Key": "key-1", **bearer(forged)}
    assert TestClient(client.app).post("/things", headers=headers, data={"name": "a"}).status_code == 401


def test_too_large_a_body_is_refused_with_a_key_as_without(ada):
    answer = send(ada, content=b"x" * 1_100_000, key="large")
    assert (problem_of(answer).code, answer.status_code) == ("body_too_large", 413)

    def drip() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = send(ada, content=drip(), key="large")
    assert (problem_of(answer).code, answer.status_code) == ("body_too_large", 413)
    assert rows_of(ada) == []
