"""The publisher's checksums, the names they may give, and the record of what was checked already."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from ecg_core.errors import DataSetError

CHECKSUMS = "SHA256SUMS.txt"
JOURNAL = ".verified"
_LINE = re.compile(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*)")
_CHUNK = 1 << 18


def parse_checksums(text: str, source: str) -> dict[str, str]:
    """Return ``{file: sha256}`` from the lines of a SHA256SUMS file; blank lines are skipped."""
    sums: dict[str, str] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise DataSetError(
                f"line {row} is not a checksum", file=source, found=repr(line[:80]), expected="<sha256>  <file name>"
            )
        file = match.group(2).removeprefix("./")
        if sums.setdefault(file, match.group(1).lower()) != match.group(1).lower():
            raise DataSetError("gives two checksums", file=source, field=file, expected="one per file")
    return sums


def safe_path(folder: Path, file: str) -> Path:
    """Return the path of a published file, refusing names that would leave ``folder`` or hide in it."""
    parts = PurePosixPath(file).parts
    bad = (
        not parts
        or file.startswith("/")
        or any(part in ("..", ".") or part.startswith(".") for part in parts)
        or any(ch in file for ch in '\\:\0*?"<>|')
        or not file.isprintable()
        or parts[-1].endswith(".part")
    )
    target = folder.joinpath(*parts)
    if bad or not target.resolve().is_relative_to(folder.resolve()):
        raise DataSetError(
            "the publisher's list names a file outside the data set's folder",
            file=CHECKSUMS,
            found=repr(file),
            expected="plain relative names; nothing was fetched",
        )
    return target


def sha256_of(path: Path, grown: Callable[[int], None] | None = None) -> str:
    """Return the sha256 of a file, reading it piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if grown:
                grown(len(chunk))
    return digest.hexdigest()


class Journal:
    """``.verified``: one line a checked file (sha256, size, name), and the selections asked for."""

    def __init__(self, folder: Path) -> None:
        """Read what ``folder`` has."""
        self._path = folder / JOURNAL
        self.digests: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self._selections: list[tuple[str, ...]] = []
        if self._path.is_file():
            for line in self._path.read_text("utf-8", "replace").splitlines():
                if line.startswith("# only"):
                    self._selections.append(tuple(line.split()[2:]))
                elif match := re.fullmatch(r"([0-9a-f]{64}) (\d+) (.+)", line):
                    self.digests[match.group(3)] = match.group(1)
                    self.sizes[match.group(3)] = int(match.group(2))

    @property
    def selection(self) -> tuple[str, ...]:
        """Everything that was asked for so far; empty for the whole set."""
        if () in self._selections:
            return ()
        return tuple(pattern for selection in self._selections for pattern in selection)

    def note_selection(self, only: Sequence[str]) -> None:
        """Remember what was asked for."""
        if tuple(only) not in self._selections:
            self._selections.append(tuple(only))
            self._append(" ".join(("# only", *only)))

    def add(self, file: str, digest: str, size: int) -> None:
        """Remember a file that is whole."""
        self.digests[file], self.sizes[file] = digest, size
        self._append(f"{digest} {size} {file}")

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
