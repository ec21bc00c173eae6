"""The document that describes the API: what the framework writes, and what it leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.routing import compile_path

from api.errors import MEDIA_TYPE, describe_problems
from api.problem_codes import CODES, describe_codes

IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENT_REPLAYED = "Idempotent-Replayed"
KEY_LENGTH = 255
TAGS = {
    "Analysis": "A recording in, what can be said about it out.",
    "Recordings": "What was uploaded and kept, with what is noted of its person.",
    "Signals": "Samples, marks, drawings, original files and other formats of what was kept.",
    "Explanations": "Why the models say what an analysis says: computed when it is asked for.",
    "Reports": "An analysis on a page, as a note, and in FHIR R4.",
    "Cases": "Demo cases, ready to be analysed, from our own synthesis.",
    "Jobs": "Long work: batches of recordings and large evaluations, their progress and their results.",
    "Evaluation": "How good the answers are, on labelled recordings.",
    "Models": "What is installed, with cards, figures and thresholds.",
    "Open Inference Protocol": "The networks alone, tensors in and out, for clients of KServe and Triton.",
    "Accounts": "Registering, signing in and out, tokens for scripts, and who did what to which record.",
    "Administration": "What administrators see and do.",
    "Service": "Whether it is up, and what it is.",
}
"""In the order in which somebody who reads them for the first time wants them."""
_STORES = "write"
_SHAPES = "#/components/schemas/"


@dataclass(frozen=True)
class Operation:
    """One method of one route."""

    id: str
    method: str
    path: str
    """Its template."""
    pattern: re.Pattern[str]
    scopes: frozenset[str]
    """What a token needs for it; empty where none is needed, or any sign-in will do."""

    @property
    def is_idempotent_by_key(self) -> bool:
        """Return whether it heeds an Idempotency-Key: it stores something, and is no matter of accounts and secrets."""
        return self.method == "POST" and _STORES in self.scopes


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Complete the framework's document in place, and return it; doing it again changes nothing."""
    _list_codes(document["components"]["schemas"])
    document["tags"] = [{"name": name, "description": what} for name, what in TAGS.items()]
    for operation, details in _operations(document):
        details["summary"] = operation.id.removeprefix("v2_").replace("_", " ").capitalize()
        _give_errors_their_media_type(details["responses"])
        if "requestBody" in details:
            _add_problems(details["responses"], 400, 408, 413)
        if operation.is_idempotent_by_key:
            _describe_key(details)
    return document


def operations_of(document: Mapping[str, Any]) -> list[Operation]:
    """Return what can be asked of the API, in the order in which paths are matched."""
    return [operation for operation, _ in _operations(document)]


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[Operation, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        pattern = compile_path(path)[0]
        for method, details in methods.items():
            scopes = {scope for scheme in details.get("security", ()) for found in scheme.values() for scope in found}
            yield Operation(details["operationId"], method.upper(), path, pattern, frozenset(scopes)), details


def _give_errors_their_media_type(responses: dict[str, Any]) -> None:
    """Tell problem bodies from plain JSON, which the framework takes all of them for."""
    for status, response in responses.items():
        content = response.get("content", {})
        if status >= "400" and "application/json" in content and _is_problem(content["application/json"]):
            content[MEDIA_TYPE] = content.pop("application/json")


def _is_problem(content: Mapping[str, Any]) -> bool:
    shape = str(content.get("schema", {}).get("$ref", ""))
    return shape.rpartition("/")[2] in ("Problem", "NotReady", "OAuthProblem", "InferenceProblem")


def _describe_key(details: dict[str, Any]) -> None:
    parameters = details.setdefault("parameters", [])
    if any(item["name"] == IDEMPOTENCY_KEY for item in parameters):
        return
    parameters.append(
        {
            "name": IDEMPOTENCY_KEY,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "pattern": "^[!-~]*$"},
            "description": "A name of your choice for this request (a UUID, say), so that it can be sent again safely: "
            "what it made is not made twice, and the first answer is given again.",
            "example": "8c5f6a4e-5f0e-4b8b-9d0e-0a6f6e1d2c3b",
        }
    )
    replayed = {
        "description": "`true` where this is the answer to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    }
    for status, response in details["responses"].items():
        if status < "300":
            response.setdefault("headers", {})[IDEMPOTENT_REPLAYED] = replayed
    _add_problems(details["responses"], 409, 422)


def _add_problems(responses: dict[str, Any], *statuses: int) -> None:
    """Add what the way to a route may answer, where the route does not say it itself."""
    shape = {"$ref": f"{_SHAPES}Problem"}
    for status, said in describe_problems(*statuses).items():
        content = {MEDIA_TYPE: {"schema": shape}}
        responses.setdefault(str(status), {"description": said["description"], "content": content})


def _list_codes(shapes: dict[str, Any]) -> None:
    for shape in shapes.values():
        code = shape.get("properties", {}).get("code")
        if code is not None and "detail" in shape["properties"]:
            code["enum"] = list(CODES)
            code["description"] = f"Stable: programs branch on it.\n\n{describe_codes()}"
