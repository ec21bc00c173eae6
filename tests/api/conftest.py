from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.service import running_app

Post = Callable[..., Any]


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    with running_app() as client:
        yield client


@pytest.fixture
def predict(client: TestClient) -> Post:
    """Post ``{file name: content}`` to /predict, with form fields as keywords."""

    def post(files: dict[str, bytes], **fields: object) -> Any:
        return client.post("/predict", files=[("files", item) for item in files.items()], data=fields)

    return post
