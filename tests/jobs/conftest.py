from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.repositories import users
from api.runtime import Runtime, open_runtime
from api.settings import Settings
from tests.databases import new_database
from tests.jobs.workshop import Workshop
from tests.service import QUICK


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """What jobs are worked with, on each database; nobody works them but the tests."""
    folder: Path = tmp_path_factory.mktemp("state")
    with (
        new_database(request.param) as address,
        open_runtime(Settings(**{**QUICK, "state_dir": folder, "job_lease_s": 5, **address})) as runtime,
    ):
        yield runtime


@pytest.fixture
def workshop(runtime: Runtime, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Two new accounts, and a worker that is told when to work. The analysis itself is not what is tested."""
    monkeypatch.setattr("api.jobs.batches.warm_up", lambda: None)
    with runtime.database.write() as session:
        ids = [users.add_user(session, f"{name} {request.node.nodeid}"[-200:], "no password").id for name in "ab"]
    return Workshop(runtime, *ids)
