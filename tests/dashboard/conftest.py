from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard.client import Client
from tests.service import running_app


@pytest.fixture(scope="session")
def client() -> Iterator[Client]:
    """The dashboard's client, talking to the real service in this process."""
    with running_app() as transport:
        yield Client(transport)
