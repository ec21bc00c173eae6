"""Pages by cursor: the place after the last item, so that what is added meanwhile moves nothing."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from ecg_core.errors import InvalidValue


def write_cursor(*place: Any) -> str:
    """Return a place in an order, as text."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in place]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """Return the place that a cursor stands for.

    Parameters
    ----------
    kinds
        Of its values: str, float or datetime.

    Raises
    ------
    InvalidValue
        It is none of ours.
    """
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise ValueError("another kind of cursor")
        return tuple(_as(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise InvalidValue(
            "not a cursor of this list", field="cursor", found=cursor, expected="next_cursor of a page"
        ) from error


def _as(kind: type, value: Any) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    if isinstance(value, str) and b"\0" in value.encode():
        raise ValueError("PostgreSQL holds no NUL")
    return value
