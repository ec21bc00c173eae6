"""Clients of a stack that runs already, as docker-compose.test.yml starts it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest

PASSWORD = "correct horse battery staple"
SignIn = Callable[[], httpx.Client]


def _address(variable: str) -> str:
    if not (address := os.environ.get(variable)):
        pytest.skip(f"needs a running stack: {variable} names none")
    return address


@pytest.fixture(scope="session")
def api() -> Iterator[httpx.Client]:
    """The API, to somebody who has not signed in."""
    with httpx.Client(base_url=_address("EINTHOVEN_E2E_API_URL"), timeout=120) as client:
        yield client


@pytest.fixture(scope="session")
def dashboard() -> Iterator[httpx.Client]:
    """The dashboard's server."""
    with httpx.Client(base_url=_address("EINTHOVEN_E2E_DASHBOARD_URL"), timeout=30) as client:
        yield client


@pytest.fixture
def sign_in(api: httpx.Client) -> Iterator[SignIn]:
    """Registers somebody new, and returns a client that speaks for them."""
    clients: list[httpx.Client] = []

    def sign_in() -> httpx.Client:
        account = {"name": f"user-{uuid4().hex[:12]}", "password": PASSWORD}
        assert api.post("/register", json=account).status_code == 201
        answer = api.post("/login", json=account)
        assert answer.status_code == 200
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        clients.append(httpx.Client(base_url=api.base_url, timeout=api.timeout, headers=headers))
        return clients[-1]

    yield sign_in
    for client in clients:
        client.close()


@pytest.fixture
def ada(sign_in: SignIn) -> httpx.Client:
    """Somebody who has signed in."""
    return sign_in()
