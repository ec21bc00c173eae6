from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import URL, text

from api.db import Database
from api.schemas import NotReady, Readiness
from api.services import warm_up
from api.services.readiness import check_parts
from tests.api.test_errors import problem_of
from tests.service import running_app, runtime_of


@pytest.fixture
def warm(monkeypatch):
    monkeypatch.setattr("api.services.readiness.is_warm", lambda: True)


def state_of(answer) -> dict[str, str]:
    assert answer.status_code == 503
    problem = problem_of(answer)
    assert problem.code == "not_ready"
    assert int(answer.headers["retry-after"]) > 0
    checks = NotReady.model_validate(answer.json()).checks
    assert all(bool(check.reason) == (check.state != "ok") for _, check in checks)
    return {name: check.state for name, check in checks}


def test_a_service_of_which_every_part_works_is_ready(on_each_database, warm):
    answer = on_each_database.get("/health/ready")
    assert answer.status_code == 200
    assert {check.state for _, check in Readiness.model_validate(answer.json()).checks} == {"ok"}


@pytest.mark.parametrize(("found", "state"), [(None, "starting"), (False, "failed")])
def test_without_its_models_it_is_not(anonymous, monkeypatch, found, state):
    monkeypatch.setattr("api.services.readiness.is_warm", lambda: found)
    assert state_of(anonymous.get("/health/ready")) == {"database": "ok", "store": "ok", "models": state}


def test_without_its_database_it_is_not(anonymous, warm, tmp_path):
    gone = Database(URL.create("sqlite", database=str(tmp_path / "gone" / "x.db")))
    (tmp_path / "gone").rmdir()
    checks = check_parts(replace(runtime_of(anonymous), database=gone))
    assert (checks.database.state, checks.database.reason) == ("failed", "it does not answer")
    assert checks.store.state == "ok"


def test_with_a_database_of_another_version_it_is_not(warm):
    with running_app() as client:
        with runtime_of(client).database.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = 'other'"))
        assert state_of(client.get("/health/ready")) == {"database": "failed", "store": "ok", "models": "ok"}
        assert client.get("/health/live").json() == {"status": "ok"}


def test_where_nothing_can_be_stored_it_is_not(warm, monkeypatch):
    with running_app() as client:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(runtime_of(client).store, "put", full)
        assert state_of(client.get("/health/ready")) == {"database": "ok", "store": "failed", "models": "ok"}


def test_trying_the_store_leaves_nothing_there(warm):
    with running_app() as client:
        for _ in range(2):
            assert client.get("/health/ready").status_code == 200
        assert list(runtime_of(client).store.keys(0)) == []


def test_models_count_as_loaded_once_they_were_run(monkeypatch):
    for outcome in (True, False):
        warm_up._warm_up.cache_clear()

        def analyze(_recording: object, outcome: bool = outcome) -> None:
            if not outcome:
                raise RuntimeError("a model is broken")

        monkeypatch.setattr("api.services.warm_up.analyze", analyze)
        try:
            assert warm_up.is_warm() is None
            warm_up.warm_up()
            assert warm_up.is_warm() is outcome
        finally:
            warm_up._warm_up.cache_clear()
