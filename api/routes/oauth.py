"""Errors as clients of OAuth 2.0 expect them (RFC 6749, 5.2), beside what all others expect."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic_core import from_json, to_json

from api.errors import MEDIA_TYPE, Refusal, describe_problems, problem_response
from api.schemas.sign_ins import OAuthProblem

_ERRORS = {"invalid_request": "invalid_request", "unsupported_grant_type": "unsupported_grant_type"}
_BUSY = (429, 503)

OAUTH_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {**answer, "model": OAuthProblem} for status, answer in describe_problems(400, 429, 503).items()
} | describe_problems(422)


def answer_for_oauth(refusal: Refusal) -> Response:
    """Return the answer of a token endpoint that refuses: what is wrong with the request or its grant is a 400."""
    busy = refusal.status in _BUSY
    error = "temporarily_unavailable" if busy else _ERRORS.get(refusal.code, "invalid_grant")
    status = refusal.status if busy else 400
    answer = problem_response(status, refusal.code, refusal.detail, headers=refusal.headers, **refusal.more)
    body = from_json(bytes(answer.body)) | {"error": error, "error_description": refusal.detail}
    return Response(to_json(body), status, refusal.headers, MEDIA_TYPE)
