"""How much a request may send, and how slowly: kept while its body streams in."""

from __future__ import annotations

import time

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLarge, http_problem
from api.settings import MIB, Settings

UPLOADS = ("/predict", "/recordings", "/v2/models/")
"""What takes files or tensors, and all below it; `BATCHES` take more, everything else `PLAIN_BYTES` at most."""
BATCHES = ("/batches", "/evaluate")
PLAIN_BYTES = MIB
GRACE_S = 30.0
LEAST_BYTES_PER_S = 4096.0
"""A body must have come within the grace and the time that it needs at this rate."""


class BodyTooSlow(HTTPException):
    """The request's body does not come."""

    def __init__(self) -> None:
        super().__init__(
            408, f"the body comes too slowly; expected: {LEAST_BYTES_PER_S:.0f} bytes a second", {"Connection": "close"}
        )


class BodyLimit:
    """ASGI middleware that refuses too large a body: by its Content-Length at once, else as soon as it is too large.

    One that comes too slowly is refused, too: nobody can hold connections by sending a byte now and then.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.limit_of(scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            await http_problem(BodyTooLarge(most))(scope, receive, send)
            return
        began, taken, more = time.monotonic(), 0, True

        async def receive_within_limit() -> Message:
            nonlocal taken, more
            if not more:
                return await receive()
            try:
                with fail_after(GRACE_S + taken / LEAST_BYTES_PER_S - (time.monotonic() - began)):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow from None
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > most:
                    # The framework's own kind of error: it passes through whatever is reading the body.
                    raise BodyTooLarge(most)
                more = message.get("more_body", False)
            return message

        await self.app(scope, receive_within_limit, send)

    def limit_of(self, path: str) -> int:
        """Return how many bytes a path may be sent."""
        if path in BATCHES:
            return self.settings.max_batch_bytes
        if path.startswith(UPLOADS):
            return self.settings.max_upload_bytes
        return min(PLAIN_BYTES, self.settings.max_upload_bytes)
