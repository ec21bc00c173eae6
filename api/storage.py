"""Where the bytes of uploads are kept: behind one small interface, by their content."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import uuid4

_KEY = re.compile(r"[0-9a-f]{64}-[0-9a-f-]{36}")
_DRAFT = re.compile(r"\.[0-9a-f]{32}")


class BlobStore(Protocol):
    """Keeps bytes under keys of our own making: the sha256 of the content and the id of its row."""

    def put(self, key: str, content: bytes) -> None:
        """Keep ``content``; once it returns, it is there for good."""

    def get(self, key: str) -> bytes:
        """Return what is kept under ``key``; KeyError where nothing is."""

    def delete(self, key: str) -> None:
        """Forget what is kept under ``key``, if anything is."""

    def keys(self, older_than_s: float) -> Iterator[str]:
        """Yield the keys that were put at least so many seconds ago."""

    def delete_drafts(self, older_than_s: float) -> int:
        """Delete what a process that ended left half written so many seconds ago; return how many that were."""


class FileStore:
    """`BlobStore` in a folder of this machine.

    Parameters
    ----------
    folder
        Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, content: bytes) -> None:
        """Write the whole file beside its place, then move it there: nobody ever reads a part."""
        path = self._path(key)
        path.parent.mkdir(exist_ok=True)
        draft = path.with_name(f".{uuid4().hex}")  # as `_DRAFT` says
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        """Return the file's bytes."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def delete(self, key: str) -> None:
        """Remove the file."""
        self._path(key).unlink(missing_ok=True)

    def keys(self, older_than_s: float) -> Iterator[str]:
        """Yield the names of the files whose last change is old enough."""
        return (path.name for path in self._old(older_than_s) if _KEY.fullmatch(path.name))

    def delete_drafts(self, older_than_s: float) -> int:
        """Remove the drafts whose last change is old enough."""
        drafts = [path for path in self._old(older_than_s) if _DRAFT.fullmatch(path.name)]
        for path in drafts:
            path.unlink(missing_ok=True)
        return len(drafts)

    def _old(self, older_than_s: float) -> Iterator[Path]:
        latest = time.time() - older_than_s
        for path in self._folder.glob("??/*"):
            # Another process may have deleted it since it was listed.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= latest:
                    yield path

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"not a key of this store: {key!r}")
        return self._folder / key[:2] / key
