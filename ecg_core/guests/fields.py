"""Reading the fields of a manifest: each error names the file, the field, what was found and what could be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ecg_core.errors import InvalidValue

T = TypeVar("T")


class Fields:
    """A table of a manifest, in which only ``known`` fields may stand."""

    def __init__(self, values: Any, file: str, path: str, known: Sequence[str]) -> None:
        self.file, self.path = file, path
        if not isinstance(values, Mapping):
            raise InvalidValue("not a table", file=file, field=path or None, found=values)
        self.values = values
        if strange := [name for name in values if name not in known]:
            raise InvalidValue("no such field", file=file, field=self.at(strange[0]), options=known)

    def at(self, name: str) -> str:
        """Return the whole name of a field."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, problem: str, expected: str | None = None, options: Sequence[str] = ()) -> InvalidValue:
        """Return the error about a field."""
        found = self.values.get(name)
        return InvalidValue(
            problem, file=self.file, field=self.at(name), found=found, expected=expected, options=options
        )

    def get(self, name: str, kind: type[T] | tuple[type[T], ...], default: T | None, expected: str) -> T:
        """Return a value of a type; without a default it has to be there."""
        value = self.values.get(name, default)
        if value is None:
            raise self.refuse(name, "is missing", expected)
        boolean = isinstance(value, bool) and kind is not bool
        if boolean or not isinstance(value, kind):
            raise self.refuse(name, "of the wrong kind", expected)
        return value

    def number(self, name: str, default: float | None, accepts: Callable[[float], bool], expected: str) -> float:
        """Return a finite number that ``accepts`` accepts."""
        value = float(self.get(name, (int, float), default, expected))
        if not (math.isfinite(value) and accepts(value)):
            raise self.refuse(name, "not such a number", expected)
        return value

    def choice(self, name: str, default: str | None, options: Sequence[str]) -> Any:
        """Return one of the options."""
        value = self.get(name, str, default, "one of the options")
        if value not in options:
            raise self.refuse(name, "no such choice", options=options)
        return value

    def texts(self, name: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return a list of different texts."""
        value = self.get(name, (list, tuple), default, "a list of texts")
        if not all(isinstance(item, str) and item for item in value):
            raise self.refuse(name, "of the wrong kind", "a list of texts")
        if len(set(value)) != len(value):
            raise self.refuse(name, "names one twice")
        return tuple(value)
