"""One body for every error: RFC 9457 ``application/problem+json`` with a stable ``code``."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.context import request_id
from api.schemas import InvalidField, Problem
from ecg_core import errors as ecg

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
Text = TypeVar("Text", str, str | None)

STATUS: dict[type[ecg.EcgError], HTTPStatus] = {
    ecg.EcgError: HTTPStatus.INTERNAL_SERVER_ERROR,
    ecg.ReadError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.UnknownFormat: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ecg.UnreadableFile: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.NeedsOption: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.SeveralRecordings: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.LimitExceeded: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ecg.ReaderFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.ReaderUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ecg.WriteError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.InvalidValue: HTTPStatus.UNPROCESSABLE_ENTITY,
    ecg.UnknownName: HTTPStatus.NOT_FOUND,
    ecg.DuplicateName: HTTPStatus.CONFLICT,
    ecg.DataSetError: HTTPStatus.SERVICE_UNAVAILABLE,
    ecg.ModelError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""A crash on an upload is the upload's doing (422); a reading process that cannot be had is ours (503)."""

FAILED = "the service failed; its log says how"
_DESCRIPTIONS = {
    400: "The request cannot be parsed.",
    401: "No token, or one that is unknown, expired or revoked (`not_authenticated`, `invalid_token`).",
    403: "The token does not reach so far (`wrong_scope`, `not_an_admin`).",
    404: "There is no such thing, or it is another's (`not_found`).",
    408: "The body came too slowly (`request_timeout`).",
    409: "What is there stands against it: `code` says what.",
    412: "It was changed since it was read (`changed_meanwhile`).",
    413: "The upload is larger than the limits allow (`body_too_large`, `limit_exceeded`).",
    415: "No reader recognises the content (`unknown_format`).",
    422: "The request or the file cannot be used: `code` says which, `detail` why, `options` what can be done.",
    429: "Too many at a time; try again after `Retry-After` seconds.",
    500: "The service failed (`internal_error`).",
    503: "The service is busy (`busy`, `reader_unavailable`); try again after `Retry-After` seconds.",
}


class Refusal(Exception):
    """The service refuses, and its answer says why.

    Parameters
    ----------
    status
        Of HTTP.
    code
        Stable; programs branch on it.
    detail
        A sentence for people.
    headers
        Of the answer.
    more
        Other members of `Problem`: ``field``, ``found``, ``expected``, ``options``.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers, self.more = status, code, detail, headers, more


def not_found(kind: str, found: str) -> Refusal:
    """Return the refusal for an id that there is not, or that is another's: the two cannot be told apart."""
    return Refusal(HTTPStatus.NOT_FOUND, "not_found", f"no such {kind}", field=kind, found=found)


class BodyTooLarge(HTTPException):
    """The request's body exceeds the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is too large; expected: at most {limit} bytes"
        )


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    shape: type[Problem] = Problem,
    **more: Any,
) -> Response:
    """Return the answer that says what went wrong."""
    return _answer(_problem(status, code, detail, shape, **more), headers)


def problem_of(error: ecg.EcgError | Refusal) -> Problem:
    """Return what went wrong as its body, to be answered or kept."""
    if isinstance(error, Refusal):
        return _problem(error.status, error.code, error.detail, **error.more)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        # What failed is ours, and so are the paths and figures that it names: they are for the log.
        return _problem(status, error.code, FAILED)
    return _problem(
        status,
        error.code,
        _sayable(": ".join(part for part in (error.file, error.field, error.problem) if part)),
        file=_sayable(error.file),
        field=error.field,
        found=_sayable(error.found),
        expected=_sayable(error.expected),
        options=list(error.options),
    )


def _sayable(text: Text) -> Text:
    """Return text that can be sent and kept: names in archives may hold what is no character."""
    return text if text is None else text.encode(errors="replace").decode().replace("\0", "")


def _problem(status: int, code: str, detail: str, shape: type[Problem] = Problem, **more: Any) -> Problem:
    return shape(
        type=f"urn:einthoven:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        code=code,
        detail=detail,
        request_id=request_id.get(),
        **more,
    )


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    return Response(problem.model_dump_json(exclude_defaults=True), problem.status, headers, MEDIA_TYPE)


def http_problem(error: HTTPException) -> Response:
    """Return the answer for an error of the framework: unknown route, wrong method, broken body, too large a body."""
    status = HTTPStatus(error.status_code)
    code = "body_too_large" if isinstance(error, BodyTooLarge) else status.name.lower()
    return problem_response(status, code, error.detail, headers=dict(error.headers or {}))


def describe_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route, for its documentation."""
    return {status: {"model": Problem, "description": _DESCRIPTIONS[status]} for status in statuses}


def add_error_handlers(app: FastAPI) -> None:
    """Have every error of ``app`` answered with a problem body."""
    app.add_exception_handler(ecg.EcgError, _on_ecg_error)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected)


def _on_ecg_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ecg.EcgError)  # noqa: S101 - what the handler is registered for
    problem = problem_of(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("the library failed", exc_info=error)
    busy = problem.status == HTTPStatus.SERVICE_UNAVAILABLE
    return _answer(problem, {"Retry-After": str(RETRY_AFTER_S)} if busy else None)


def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - what the handler is registered for
    return _answer(problem_of(error), error.headers)


def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    fields = [
        InvalidField(field=".".join(str(part) for part in item["loc"]), problem=item["msg"]) for item in error.errors()
    ]
    detail = "; ".join(f"{item.field}: {item.problem}" for item in fields)
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, errors=fields)


def _on_http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    return http_problem(error)


def _on_unexpected(_request: Request, _error: Exception) -> Response:
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", FAILED)
