"""What the routes of accounts share: where a request comes from, and what errors mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from api.errors import describe_problems


async def client_address(request: Request) -> str:
    """Return where the request comes from; behind a proxy that is believed, from where the proxy says."""
    return request.client.host if request.client else ""


Address = Annotated[str, Depends(client_address)]
ID = "^[0-9A-Za-z-]+$"
"""How the ids of accounts and tokens are written."""
TOO_MANY = "Too many wrong passwords (`too_many_attempts`); try again after `Retry-After` seconds."
BUSY = "Too many passwords are being checked (`busy`); try again after `Retry-After` seconds."


def explain_problems(*statuses: int, **meant: str) -> dict[int | str, dict[str, Any]]:
    """Return the error answers of a route, some with what they mean here: ``_401="..."``."""
    problems = describe_problems(*statuses)
    for status, description in meant.items():
        problems[int(status.removeprefix("_"))]["description"] = description
    return problems
