"""The description of the API teaches it: nothing in it is without words, and its names stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.app import create_app
from api.openapi import IDEMPOTENCY_KEY, TAGS, describe, operations_of
from api.problem_codes import CODES
from api.settings import Settings

DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = {item.id: (item, DOCUMENT["paths"][item.path][item.method.lower()]) for item in operations_of(DOCUMENT)}
NAMES = Path(__file__).parent / "operations.json"
"""Operation ids with methods and paths. Clients are generated from them: change one only where you mean to."""


def test_the_names_of_operations_are_those_that_clients_know():
    found = {item.id: f"{item.method} {item.path}" for item, _ in OPERATIONS.values()}
    assert found == json.loads(NAMES.read_text("utf-8"))


def test_every_operation_has_a_name_of_its_own():
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_does_and_takes(name):
    operation, details = OPERATIONS[name]
    assert details["summary"]
    assert details["description"].strip().endswith((".", "`"))
    assert len(details["tags"]) >= 1
    assert set(details["tags"]) <= set(TAGS)
    for parameter in details.get("parameters", []):
        assert parameter.get("description"), f"{parameter['name']} explains nothing"
        if parameter["in"] == "path":
            assert parameter["name"] in operation.path
    for shape in bodies_of(details):
        for field, said in shape.get("properties", {}).items():
            assert says_something(said), f"{field} explains nothing"


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_may_answer(name):
    operation, details = OPERATIONS[name]
    responses = details["responses"]
    assert any(status < "300" for status in responses)
    for status, response in responses.items():
        assert response["description"] not in ("", "Successful Response") or status < "300"
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"], status
    if operation.scopes or "security" in details:
        assert {"401", "500"} <= set(responses)
    if operation.scopes:
        assert "403" in responses
    if "{" in operation.path:
        assert "404" in responses
    if "requestBody" in details:
        assert {"400", "408", "413", "422"} <= set(responses)


def test_requests_that_store_something_can_be_repeated_with_a_key_and_those_with_secrets_cannot():
    heeding = {
        name
        for name, (_, details) in OPERATIONS.items()
        if IDEMPOTENCY_KEY in {item["name"] for item in details.get("parameters", [])}
    }
    assert {"predict", "create_recording", "create_analysis", "create_batch"} <= heeding
    assert not heeding & {"register", "login", "token", "refresh", "logout", "create_token", "create_user"}
    for name in heeding:
        responses = OPERATIONS[name][1]["responses"]
        assert {"409", "422"} <= set(responses)
        assert any("Idempotent-Replayed" in responses[status].get("headers", {}) for status in responses)


def test_describing_it_again_changes_nothing():
    before = json.dumps(DOCUMENT)
    assert json.dumps(describe(json.loads(before))) == before


def test_tags_are_described_and_used():
    used = {tag for _, details in OPERATIONS.values() for tag in details["tags"]}
    assert used == set(TAGS)
    assert [item["name"] for item in DOCUMENT["tags"]] == list(TAGS)
    assert all(item["description"].endswith(".") for item in DOCUMENT["tags"])


def test_clients_know_every_code_of_an_error():
    shapes = DOCUMENT["components"]["schemas"]
    problems = [shape for name, shape in shapes.items() if name.endswith(("Problem", "NotReady"))]
    assert len(problems) >= 3
    for shape in problems:
        assert shape["properties"]["code"]["enum"] == list(CODES)
    assert "HTTPValidationError" not in shapes


def bodies_of(details):
    for content in details.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        yield DOCUMENT["components"]["schemas"][name] if name else content["schema"]


def says_something(field) -> bool:
    name = next((part["$ref"] for part in [field, *field.get("anyOf", ())] if "$ref" in part), "").rpartition("/")[2]
    return bool(
        field.get("description")
        or field.get("examples")
        or field.get("enum")
        or (name and DOCUMENT["components"]["schemas"][name].get("description"))
    )
