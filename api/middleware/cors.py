"""Which other web pages may call the API: none, unless the settings name them."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from api.errors import problem_response
from api.middleware.observe import REQUEST_ID
from api.openapi import IDEMPOTENCY_KEY, IDEMPOTENT_REPLAYED

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT = ("Authorization", "If-None-Match", IDEMPOTENCY_KEY, REQUEST_ID)
_READ = (
    "Content-Disposition",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    IDEMPOTENT_REPLAYED,
    REQUEST_ID,
)


class Cors(CORSMiddleware):
    """Starlette's, with our headers and our problem bodies. Tokens travel in a header: no cookie is ever let through.

    Parameters
    ----------
    origins
        ``https://ecg.example``, ...
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(app, origins, allow_methods=_METHODS, allow_headers=_SENT, expose_headers=_READ)

    def preflight_response(self, request_headers: Headers) -> Response:
        """Say what a page may send, or that it may not."""
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        headers = {"Vary": answer.headers["vary"]}
        return problem_response(400, "cors_refused", "pages of this origin may not send this", headers=headers)
