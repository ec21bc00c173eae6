from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.databases import new_database
from tests.service import as_upload, as_user, running_app

Post = Callable[..., Any]


@pytest.fixture(scope="session")
def anonymous() -> Iterator[TestClient]:
    """A service that many tests share; nobody is signed in."""
    with running_app() as client:
        yield client


@pytest.fixture(scope="session")
def client(anonymous: TestClient) -> TestClient:
    """The same, signed in."""
    return as_user(anonymous, "shared")


@pytest.fixture
def predict(client: TestClient) -> Post:
    """Post ``{file name: content}`` to /predict, with form fields as keywords; nothing is kept unless asked."""

    def post(files: dict[str, bytes], **fields: object) -> Any:
        return client.post("/predict", files=as_upload(files), data={"store": False, **fields})

    return post


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def on_each_database(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A service on each database, which the tests of one process share: take a new account for each test."""
    with new_database(request.param) as settings, running_app(**settings) as client:
        yield client


@pytest.fixture
def ada(on_each_database: TestClient, request: pytest.FixtureRequest) -> TestClient:
    """A new account on each database, signed in."""
    return as_user(on_each_database, f"ada {request.node.nodeid}"[-200:])


@pytest.fixture
def bob(on_each_database: TestClient, request: pytest.FixtureRequest) -> TestClient:
    """Another account."""
    return as_user(on_each_database, f"bob {request.node.nodeid}"[-200:])


@pytest.fixture
def admin(on_each_database: TestClient, request: pytest.FixtureRequest) -> TestClient:
    """An administrator."""
    return as_user(on_each_database, f"root {request.node.nodeid}"[-200:], role="admin")
