"""What is known of the request that is being answered, wherever in its making."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set at the edge; threads that answer the request see it too."""
