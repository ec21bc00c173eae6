"""Errors of the Open Inference Protocol, which names their text otherwise, and how its requests are described."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import describe_problems
from api.schemas import InferenceProblem, Schema


class InferenceRoute(APIRoute):
    """A route whose problem bodies also have the ``error`` that clients of the protocol look for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors answered here."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                handlers = request.app.exception_handlers
                kind = next(kind for kind in type(error).__mro__ if kind in handlers or kind is Exception)
                if kind is Exception:
                    raise
                return _with_error(handlers[kind](request, error))

        return answer


def _with_error(response: Response) -> Response:
    problem = json.loads(bytes(response.body))
    more = [("found", problem.get("found")), ("expected", problem.get("expected"))]
    more.append(("options", ", ".join(problem.get("options", []))))
    problem["error"] = problem["detail"] + "".join(f"; {name}: {value}" for name, value in more if value)
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(json.dumps(problem, ensure_ascii=False), response.status_code, headers)


def describe_inference_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route, for its documentation."""
    return {status: {**item, "model": InferenceProblem} for status, item in describe_problems(*statuses).items()}


def inlined_schema(kind: type[Schema]) -> dict[str, Any]:
    """Return the JSON schema of a body that the framework does not parse, and so does not describe."""
    schema = kind.model_json_schema()
    shapes = schema.pop("$defs", {})

    def inline(item: Any) -> Any:
        if isinstance(item, dict):
            name = str(item.get("$ref", "")).rpartition("/")[2]
            return inline(shapes[name]) if name else {key: inline(value) for key, value in item.items()}
        return [inline(value) for value in item] if isinstance(item, list) else item

    return dict(inline(schema))
