"""The client and the description of the API say the same: no operation without a method, no method into the void."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import pytest

from api.app import create_app
from api.openapi import operations_of
from api.schemas import RecordingChanges, RecordingQuery, SubjectChanges
from api.settings import Settings
from dashboard.client import Client, Tokens
from dashboard.client.recordings import RecordingChange, RecordingFilters, SubjectChange
from ecg_core.risk import FACTS

DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = {item.id: (item, DOCUMENT["paths"][item.path][item.method.lower()]) for item in operations_of(DOCUMENT)}
ELSEWHERE = {
    "token": "login, for clients of OAuth",
    "refresh": "done by itself, when the access token runs out",
    "metrics": "for Prometheus",
}
"""Operations without a method; so are those of the Open Inference Protocol, which has clients of its own."""
NOT_OFFERED = {
    "predict": {"parts"},
    "create_analysis": {"parts"},
    "show_analysis": {"parts"},
    "get_signal": {"format"},
}
"""An answer of the client is whole, and typed."""
PAGING = {"cursor", "limit"}
"""Done by the iterators."""
SAMPLES: dict[str, Any] = {
    "files": {"a.csv": b"II"},
    "facts": dict.fromkeys(FACTS, "1"),
    "labels": b"a,N",
    "subject": {"age": 63},
    **dict.fromkeys(("leads", "models", "scopes"), ("1", "2")),
}
"""Arguments that are no plain text."""


@dataclass(frozen=True)
class Sent(Exception):
    """What a method sent."""

    operation: str | None
    said: set[str]


class Wire:
    """Takes what is sent, and raises it."""

    base_url = "http://ecg.example"

    def build_request(
        self, method: str, url: str, *, params=None, json=None, data=None, files=None, headers=None
    ) -> Sent:
        found = next((o.id for o, _ in OPERATIONS.values() if o.method == method and o.pattern.match(url)), None)
        names = {*(params or ()), *(json or ()), *(data or ()), *(name for name, _ in files or ())}
        return Sent(found, names | {name.lower() for name in headers or () if name != "Authorization"})

    def send(self, request: Sent, **_how: bool) -> None:
        raise request


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    client = Client(Wire(), Tokens("access", "refresh"))  # type: ignore[arg-type]
    rooms = {"": client, **{f"{name}.": room for name, room in vars(client).items() if not name.startswith("_")}}
    for prefix, room in rooms.items():
        for name, method in inspect.getmembers(room, inspect.ismethod):
            if not name.startswith("_") and f"{prefix}{name}" not in ("speaking_for", "close"):
                yield f"{prefix}{name}", method


def arguments(method: Callable[..., Any], *, whole: bool) -> dict[str, Any]:
    """Return arguments for all parameters, or for those alone that have no default."""
    found: list[str] = []
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = get_args(get_type_hints(method)[name])
            found += list(get_type_hints(options)) if whole else []
        elif (whole or parameter.default is parameter.empty) and name not in ("timeout_s", "progress"):
            found.append(name)
    return {name: SAMPLES.get(name, "1") for name in found}


def call(method: Callable[..., Any], given: dict[str, Any]) -> Sent:
    try:
        next(method(**given))
    except Sent as sent:
        return sent
    raise AssertionError("nothing was sent")


METHODS = dict(methods())
CALLS = [
    (name, call(method, arguments(method, whole=whole))) for name, method in METHODS.items() for whole in (False, True)
]
CALLS.append(
    ("models.get", call(METHODS["models.get"], arguments(METHODS["models.get"], whole=True) | {"version": None}))
)


def known(operation: str) -> set[str]:
    """Return the parameters and fields that an operation takes, short of those in its path."""
    details = OPERATIONS[operation][1]
    names = {
        item["name"].lower() if item["in"] == "header" else item["name"]
        for item in details.get("parameters", [])
        if item["in"] != "path"
    }
    for content in details.get("requestBody", {}).get("content", {}).values():
        shape = content["schema"]
        if "$ref" in shape:
            shape = DOCUMENT["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
        names |= set(shape["properties"])
    return names


@pytest.mark.parametrize("name", METHODS)
def test_a_method_sends_what_an_operation_takes(name):
    for _, sent in (call for call in CALLS if call[0] == name):
        assert sent.operation is not None, "leads nowhere"
        assert sent.said <= known(sent.operation)


def test_every_operation_has_a_method():
    reached = {sent.operation for _, sent in CALLS}
    assert reached | set(ELSEWHERE) == {name for name in OPERATIONS if not name.startswith("v2_")}
    assert not reached & set(ELSEWHERE)


@pytest.mark.parametrize("operation", sorted({sent.operation or "" for _, sent in CALLS}))
def test_all_that_an_operation_takes_can_be_said(operation):
    said = set().union(*(sent.said for _, sent in CALLS if sent.operation == operation))
    assert known(operation) - said <= PAGING | NOT_OFFERED.get(operation, set())
    assert not said & NOT_OFFERED.get(operation, set())


def test_filters_and_changes_are_those_of_the_schemas():
    assert set(get_type_hints(RecordingFilters)) == set(RecordingQuery.model_fields) - {"cursor", "total"}
    assert set(get_type_hints(RecordingChange)) == set(RecordingChanges.model_fields)
    assert set(get_type_hints(SubjectChange)) == set(SubjectChanges.model_fields)


def test_every_method_says_what_it_does():
    assert all((inspect.getdoc(method) or "").strip().endswith(".") for method in METHODS.values())
