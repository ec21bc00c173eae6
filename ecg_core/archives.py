"""Files out of zip, tar and gzip, within limits, in memory: no name in an archive ever becomes a path."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers.base import Files, Limits

_CHUNK = 1 << 20
_EXEMPT = 1 << 20
_CLUTTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini", ".git/")

Opener = Callable[[], IO[bytes]]


def is_archive(data: bytes) -> bool:
    """Return whether ``data`` is a container of files; an ``.npz``, a zip of arrays, is a recording instead."""
    if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return not _is_npz(data)
    return data[:2] == b"\x1f\x8b" or _is_tar(data)


def holds_many(data: bytes) -> bool:
    """Return whether ``data`` may hold files with names of their own: a zip or a tar, whatever is in it.

    Judged by its first bytes alone, so that it is safe where archives are not unpacked.
    """
    return data[:2] == b"PK" or _is_tar(_start(data) if data[:2] == b"\x1f\x8b" else data)


def expand(files: Files, limits: Limits) -> dict[str, bytes]:
    """Return ``files`` with every archive replaced by what it holds, down to ``limits.max_depth`` levels.

    Raises
    ------
    LimitExceeded
        Too many entries, too deep, too large, or packed too tightly to be anything but a bomb.
    UnreadableFile
        A damaged or encrypted archive, or an entry whose name leaves it.
    """
    budget = _Budget(limits)
    result: dict[str, bytes] = {}
    queue = [(name, data, 0) for name, data in files.items()]
    while queue:
        name, data, depth = queue.pop(0)
        if not is_archive(data):
            budget.take(len(data), name)
            if name in result:
                raise UnreadableFile("two files have the same name", file=name, expected="each name once")
            result[name] = data
            continue
        if depth >= limits.max_depth:
            raise LimitExceeded(
                "archives within archives",
                file=name,
                found=f"{depth + 1} levels",
                expected=f"at most {limits.max_depth}",
            )
        queue.extend((inner, content, depth + 1) for inner, content in _entries(name, data, budget))
    if not result:
        raise UnreadableFile("holds no files", file=", ".join(files) or None, expected="at least one file")
    return result


class _Budget:
    """What is left of the limits while unpacking."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.entries = 0
        self.unpacked = 0
        self.total = 0

    def take(self, size: int, name: str) -> None:
        self.total += size
        if self.total > self.limits.max_total_bytes:
            raise LimitExceeded(
                "the files are too large",
                file=name,
                found=f"over {self.limits.max_total_bytes} bytes in all",
                expected=f"at most {self.limits.max_total_bytes}",
            )

    def read(self, stream: IO[bytes], archive: str, packed: int, so_far: int) -> bytes:
        """Read one entry; ``packed`` is the archive's size and ``so_far`` what it has unpacked to already."""
        self.entries += 1
        if self.entries > self.limits.max_entries:
            raise LimitExceeded(
                "too many files",
                file=archive,
                found=f"over {self.limits.max_entries} entries",
                expected=f"at most {self.limits.max_entries}",
            )
        parts = []
        size = 0
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            self.unpacked += len(chunk)
            whole = so_far + size
            if whole > max(_EXEMPT, self.limits.max_ratio * packed):
                raise LimitExceeded(
                    "unpacks to far more than its size",
                    file=archive,
                    found=f"over {whole // max(packed, 1)} x",
                    expected=f"at most {self.limits.max_ratio:g} x",
                )
            if self.unpacked > self.limits.max_total_bytes * (self.limits.max_depth + 1):
                raise LimitExceeded(
                    "unpacks to too much",
                    file=archive,
                    found=f"over {self.unpacked} bytes",
                    expected=f"at most {self.limits.max_total_bytes}",
                )
            parts.append(chunk)
        return b"".join(parts)


def _entries(archive: str, data: bytes, budget: _Budget) -> list[tuple[str, bytes]]:
    """Return the (name, content) of each file in one archive."""
    found = []
    unpacked = 0
    try:
        for name, opener in _members(archive, data):
            label = _label(name, archive)
            if any(part in f"/{label.lower()}" for part in _CLUTTER):
                continue
            with opener() as stream:
                content = budget.read(stream, archive, len(data), unpacked)
            unpacked += len(content)
            found.append((label, content))
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        ValueError,
        LookupError,
        NotImplementedError,
    ) as error:
        raise UnreadableFile(
            "the archive is damaged or cut short", file=archive, found=error, expected="a whole zip, tar or gzip file"
        ) from error
    except RuntimeError as error:
        raise UnreadableFile(
            "the archive is encrypted", file=archive, found=error, expected="an archive without a password"
        ) from error
    return found


def _members(archive: str, data: bytes) -> Iterator[tuple[str, Opener]]:
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for info in packed.infolist():
                if not info.is_dir():
                    yield info.filename, lambda info=info: packed.open(info)  # type: ignore[misc]
        return
    if data[:2] == b"\x1f\x8b":
        if not _is_tar(_start(data)):
            name = archive.removesuffix(".gz").removesuffix(".GZ") or archive
            yield name, lambda: cast("IO[bytes]", gzip.GzipFile(fileobj=io.BytesIO(data)))
            return
        tar = tarfile.open(fileobj=gzip.GzipFile(fileobj=io.BytesIO(data)), mode="r|", errors="replace")
    else:
        tar = tarfile.open(fileobj=io.BytesIO(data), mode="r|", errors="replace")
    with tar:
        for member in tar:
            if member.isfile() and (stream := tar.extractfile(member)) is not None:
                yield member.name, lambda stream=stream: stream  # type: ignore[misc]


def _start(data: bytes) -> bytes:
    """Return the first bytes of a gzip stream's content, or nothing where it is damaged."""
    try:
        return zlib.decompressobj(31).decompress(data, 1024)
    except zlib.error:
        return b""


def _is_tar(data: bytes) -> bool:
    return data[257:262] == b"ustar"


def _is_npz(data: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names) and not any("/" in name for name in names)


def _label(name: str, archive: str) -> str:
    """Return a safe label for an entry: forward slashes, no way out of the archive."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts or not parts or "\0" in name:
        raise UnreadableFile(
            "an entry's name leaves the archive",
            file=archive,
            found=repr(name),
            expected="names below the archive's top",
        )
    return "/".join(parts)
