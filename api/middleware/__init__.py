"""What happens to every request on its way to a route, and to every answer on its way out. All of it is plain ASGI."""

from __future__ import annotations

from starlette.types import ASGIApp

from api.middleware.cors import Cors
from api.middleware.headers import SecurityHeaders
from api.middleware.observe import Observe
from api.settings import Settings

__all__ = ["surround"]


def surround(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return ``app`` with what must see even the answers to its failures, the outermost last."""
    if settings.cors_origins:
        app = Cors(app, settings.cors_origins)
    return Observe(SecurityHeaders(app))
