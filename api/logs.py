"""How log lines are written: as text for people, as JSON for machines, and without what a patient told.

What an exception says may quote a request, so that only its kind and its trace are written, unless the log is at debug
level.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from api.context import request_id
from api.settings import Settings

_BESIDE = ("status", "seconds", "bytes", "account_id")
"""What lines about requests carry beside their message."""
_OURS = ("api", "cli", "dashboard", "ecg_core", "uvicorn")
_Trace = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_config(settings: Settings, level: str = "info") -> dict[str, Any]:
    """Return how Python's logging is to be set up: one line an event, on standard error.

    Parameters
    ----------
    level
        Of what we and the server say; of all others, warnings and worse are written.
    """
    kind = JsonLines if settings.log_format == "json" else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": kind, "with_messages": level.lower() in ("debug", "trace")}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": sys.stderr}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": level.upper()} for name in _OURS},
    }


class _Lines(logging.Formatter):
    """What both have in common: the clock, and what is not said."""

    with_messages = False

    def formatTime(self, record: logging.LogRecord, _datefmt: str | None = None) -> str:
        """Write a moment in ISO 8601, UTC."""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"

    def formatException(self, ei: _Trace) -> str:
        """Write a trace."""
        return _trace(ei, self.with_messages)


class TextLines(_Lines):
    """``2026-03-01T12:00:00.123Z INFO api.requests: POST /predict status=200 seconds=0.1 ... request_id=...``."""

    def __init__(self, *, with_messages: bool = False) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}{more}", style="{", defaults={"more": ""})
        self.with_messages = with_messages

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Append what is known beside the message."""
        known = {name: getattr(record, name, None) for name in _BESIDE} | {"request_id": request_id.get()}
        record.more = "".join(f" {name}={value}" for name, value in known.items() if value is not None)
        return super().formatMessage(record)


class JsonLines(_Lines, JsonFormatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, ``request_id`` and what else is known."""

    def __init__(self, *, with_messages: bool = False) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "trace"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],
        )
        self.with_messages = with_messages

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Add the request's id."""
        super().add_fields(log_data, record, message_dict)
        if (found := request_id.get()) is not None:
            log_data["request_id"] = found


def _trace(info: _Trace, with_messages: bool) -> str:
    """Return an exception's trace and those of its causes; of their messages nothing unless asked for."""
    error = info[1]
    if error is None:
        return ""
    if with_messages:
        return "".join(traceback.format_exception(error)).rstrip()
    lines: list[str] = []
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        name = f"{type(found).__module__}.{type(found).__qualname__}"
        lines.insert(0, "".join(traceback.format_tb(found.__traceback__)) + name.removeprefix("builtins."))
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return "\n... which led to ...\n".join(lines)
