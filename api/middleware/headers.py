"""Headers that tell a browser what not to do with an answer."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_POLICY = b"content-security-policy"
_NOTHING = (_POLICY, b"default-src 'none'; frame-ancestors 'none'")
_CACHE = b"cache-control"
_NO_STORE = (_CACHE, b"no-store")
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_ASKS = ("GET", "HEAD")


class SecurityHeaders:
    """ASGI middleware that adds them; what a route says of caching and content goes before.

    An answer that was given to somebody, or that changed something, is kept by no cache.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *_ALWAYS]
                said = {name for name, _ in headers}
                if _POLICY not in said:
                    headers.append(_NOTHING)
                if _CACHE not in said and (
                    scope["method"] not in _ASKS or any(name == b"authorization" for name, _ in scope["headers"])
                ):
                    headers.append(_NO_STORE)
                if scope["scheme"] == "https":
                    headers.append(_HTTPS_ONLY)
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_guarded)
