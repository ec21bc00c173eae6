"""Every request has an id, a line in the log, and a place in the metrics."""

from __future__ import annotations

import logging
import re
import time
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import metrics
from api.context import request_id

REQUEST_ID = "X-Request-ID"
UNKNOWN = "unknown"
"""Stands for every path that is no route: a path may hold anything, and each would be a figure of its own."""
CLIENT_CLOSED = 499
"""Stands where whoever asked was gone before the answer."""

_NAME = REQUEST_ID.lower().encode()
_ACCEPTABLE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
logger = logging.getLogger("api.requests")


class Observe:
    """ASGI middleware: the outermost, so that it sees what all others answer.

    The id is the sender's (``X-Request-ID``) where that is short and harmless, and stands in the answer, in problem
    bodies, in the log and in the audit trail. Neither line nor metric holds a path, a query, an address or a name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status, sent, own = 0, 0, _id_of(scope)
        request_id.set(own.decode())

        async def send_observed(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_NAME, own)]
            elif message["type"] == "http.response.body":
                sent += len(message.get("body", b""))
            await send(message)

        ended = False
        try:
            await self.app(scope, receive, send_observed)
            ended = True
        except Exception:
            logger.exception("a request failed")
            if status != 500:
                # It broke off half-way: the connection has to, too, and only the server can see to that.
                raise
            ended = True
        finally:
            _note(scope, status if ended else status or CLIENT_CLOSED, time.perf_counter() - began, sent)


def _id_of(scope: Scope) -> bytes:
    given: bytes = next((value for name, value in scope["headers"] if name == _NAME), b"")
    return given if _ACCEPTABLE.fullmatch(given) else str(uuid4()).encode()


def _note(scope: Scope, status: int, seconds: float, sent: int) -> None:
    method, route = scope["method"] if scope["method"] in _METHODS else "OTHER", _route_of(scope)
    metrics.note_request(method, route, status or CLIENT_CLOSED, seconds)
    logger.info(
        "%s %s",
        method,
        route,
        extra={
            "method": method,
            "route": route,
            "status": status or CLIENT_CLOSED,
            "seconds": round(seconds, 6),
            "bytes": sent,
            "account_id": scope.get("state", {}).get("user_id"),
        },
    )


def _route_of(scope: Scope) -> str:
    """Return a route's template; what was answered on the way there is looked up."""
    path = getattr(scope.get("route"), "path", None) or scope.get("root_path")
    if not path and "app" in scope:
        operation = scope["app"].find_operation(scope["method"], scope["path"])
        path = operation and operation.path
    return path if isinstance(path, str) else UNKNOWN
