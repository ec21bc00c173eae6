from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from dashboard.client import Client, Tokens
from tests.service import access_token, add_account, running_app


@pytest.fixture(scope="session")
def service() -> Iterator[TestClient]:
    """The real service in this process."""
    with running_app() as transport:
        yield transport


@pytest.fixture(scope="session")
def nobody(service: TestClient) -> Client:
    """The client, speaking for nobody."""
    return Client(service)


@pytest.fixture
def client(service: TestClient, request: pytest.FixtureRequest) -> Client:
    """The client, signed in to a new account."""
    return Client(service, Tokens(access_token(service, add_account(service, request.node.name[-200:]))))
