"""Answers that a client need not fetch again: with an ETag, and 304 where it has the same already."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import Request, Response

from ecg_core import __version__

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The same as before: the ETag sent in `If-None-Match` still holds."}
}


def answer_unless_known(
    request: Request, content: bytes, media_type: str = "application/json", headers: dict[str, str] | None = None
) -> Response:
    """Return the content with its sha256 as ETag, or 304 if the client has that already."""
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **(headers or {})}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, media_type)


def answer_if_new(request: Request, key: Sequence[object], make: Callable[[], Response]) -> Response:
    """Return what ``make`` gives, or 304 before it is made, where it follows from ``key`` alone."""
    tag = f'"{hashlib.sha256(repr((__version__, *key)).encode()).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    response = make()
    response.headers.update(headers)
    return response


def is_known(request: Request, tag: str) -> bool:
    """Return whether the client has what a tag stands for."""
    known = {item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")}
    return bool(known & {tag, "*"})
