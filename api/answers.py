"""Answers that are JSON-ready as they are: written once, without being taken apart and checked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Response
from pydantic_core import to_json

from api.schemas import NOTICE

_ALWAYS = ("signal", "stored", "id", "recording_id", "created_at")


def json_answer(answer: Mapping[str, Any], parts: Sequence[str] | None = None, status: int = 200) -> Response:
    """Return an analysis as an answer, whole or narrowed down to some parts. Its tests hold it to its schema."""
    if parts is not None:
        answer = {name: value for name, value in answer.items() if name in parts or name in _ALWAYS}
    return Response(to_json({**answer, "notice": NOTICE}), status, media_type="application/json")
