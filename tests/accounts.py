"""People with accounts, as the tests need them: they register and sign in through the API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.testclient import TestClient

from tests.service import PASSWORD, bearer

OTHER_PASSWORD = "the cat sat on the other mat"


def new_name() -> str:
    """Return a name that nobody has."""
    return f"ada.{uuid4().hex[:12]}@example.org"


def sign_up(client: TestClient, password: str = PASSWORD) -> str:
    """Register somebody, and return their name."""
    name = new_name()
    answer = client.post("/register", json={"name": name, "password": password})
    assert answer.status_code == 201, answer.text
    return name


def sign_in(client: TestClient, name: str, password: str = PASSWORD) -> dict[str, Any]:
    """Return the tokens of a new sign-in."""
    answer = client.post("/login", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def with_token(client: TestClient, token: str) -> TestClient:
    """Return another client of the same app, which sends a token."""
    return TestClient(client.app, headers=bearer(token), raise_server_exceptions=False)


def at_address(client: TestClient, address: str) -> TestClient:
    """Return another client of the same app and token, which calls from an address."""
    headers = {"Authorization": client.headers["authorization"]} if "authorization" in client.headers else None
    return TestClient(client.app, headers=headers, client=(address, 50_000), raise_server_exceptions=False)


def refusal(answer: Any) -> tuple[int, str]:
    """Return status and code of an answer, which is a problem body."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]
