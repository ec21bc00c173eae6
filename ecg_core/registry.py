"""Names to things, where a duplicate is refused and a miss lists the choices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TypeVar

from ecg_core.errors import DuplicateName, UnknownName

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """A mapping that things join once, by name."""

    def __init__(self, kind: str) -> None:
        """Create an empty registry of ``kind``, the word used in error messages ("format", "data set", ...)."""
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, name: str, item: T) -> T:
        """Add ``item`` under ``name`` and return it."""
        if name in self._items:
            raise DuplicateName(f"the {self.kind} is registered already", field=name)
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            close = get_close_matches(name, self._items, n=1)
            hint = f"no such {self.kind}" + (f", did you mean {close[0]!r}?" if close else "")
            raise UnknownName(hint, field=self.kind, found=repr(name), options=sorted(self._items)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
