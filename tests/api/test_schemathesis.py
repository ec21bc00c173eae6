"""The API keeps to its own description, whatever it is asked: see `tests.api.fuzz`, which does the same for hours."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from api.app import create_app
from api.openapi import operations_of
from api.settings import Settings
from tests.api.fuzz import Target, run, target

EXAMPLES = 8
NAMES = [item.id for item in operations_of(create_app(Settings()).openapi())]


@pytest.fixture(scope="module")
def found() -> Iterator[Target]:
    with target() as found:
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_answers_as_it_says(found, name, caplog):
    caplog.set_level(logging.CRITICAL)
    operation = next(item for item in found.operations() if item.definition.raw["operationId"] == name)
    tally = run(found, operation, EXAMPLES, at=0)
    assert tally.statuses.total() >= 2
    assert tally.failures == {}


def test_the_service_lives_on(found):
    assert found.client.get("/health/live").status_code == 200
