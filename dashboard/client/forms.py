"""What the API is sent, as it takes it: paths, form fields and parameters as text, files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import BinaryIO, TypeAlias
from urllib.parse import quote

Content: TypeAlias = bytes | BinaryIO
"""Of a file to be sent; of one that was opened, no more than a part is in memory at a time."""
Files: TypeAlias = Mapping[str, Content]
"""``{file name: content}``; the names are only labels."""
Facts: TypeAlias = Mapping[str, str | float | bool]
"""What is known of a person beside age and sex, by the names that `Client.info` lists."""


def path_of(*parts: str) -> str:
    """Return a path of these parts, whatever is in them."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def form_of(facts: Facts | None = None, /, **fields: object) -> dict[str, str]:
    """Return form fields, or parameters, as text; what is None is left out, a list is written with commas between."""
    given = {**(facts or {}), **fields}
    return {name: _text(value) for name, value in given.items() if value is not None}


def parts_of(files: Files | None, field: str = "files") -> list[tuple[str, tuple[str, Content]]]:
    """Return files as parts of a form."""
    return [(field, (name, content)) for name, content in (files or {}).items()]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
