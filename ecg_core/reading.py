"""From files to recordings: unpack, recognise, read, check.

`read` gives the one recording that the files hold, `read_many` every one of them; both take ``{file name: bytes}`` or,
for callers of the library, a path. `ecg_core.isolation` does the same in a process of its own.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import numpy as np

from ecg_core.archives import expand
from ecg_core.errors import EcgError, LimitExceeded, ReadError, SeveralRecordings, UnknownFormat, UnreadableFile
from ecg_core.readers import READERS, Files, Limits, Reader, ReadOptions, Sniff
from ecg_core.recording import Recording
from ecg_core.validate import check

_NOT_RECORDINGS = (
    "records*", "sha256sums*", "md5sums*", "license*", "readme*", "annotators", "index",
    "*.md", "*.pdf", "*.html", "*.py", "*.m", "*.log",
)  # fmt: skip
_DAMAGE = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, BufferError, OSError, EOFError,
    RuntimeError, SyntaxError, StopIteration, struct.error, zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What the format libraries are known to raise on damaged input."""


@dataclass(frozen=True)
class ReadResult:
    """What became of one recording (or one file that is none) of many."""

    name: str
    recording: Recording | None
    error: EcgError | None


def read(source: Files | str | Path, options: ReadOptions | None = None) -> Recording:
    """Read the one recording in ``source``.

    Parameters
    ----------
    source
        ``{file name: bytes}``: the files of one recording, or an archive that holds them; or a path (see `load`).
    options
        What the caller knows beyond the file.

    Raises
    ------
    ReadError
        The input is unknown, damaged, too large, or holds several recordings.
    """
    options = options or ReadOptions()
    files = expand(load(source, options) if isinstance(source, str | Path) else source, options.limits)
    groups, strays = _groups(files, options)
    if not groups:
        raise _unknown(files, strays)
    if len(groups) > 1:
        raise SeveralRecordings(
            "holds more than one recording",
            file=", ".join(files) if len(files) < 4 else f"{len(files)} files",
            found=f"{len(groups)}: " + ", ".join(name for name, _ in groups[:8]) + (", ..." if len(groups) > 8 else ""),
            expected="one",
            options=("send one recording", "read_many, `ecg info` or /batches for many"),
        )
    (name, reader) = groups[0]
    recording = _read_one(name, reader, files, options)
    return recording.with_warnings(*(f"files: {stray} was not used: no reader recognises it" for stray in strays))


def read_many(source: Files | str | Path, options: ReadOptions | None = None) -> Iterator[ReadResult]:
    """Read every recording in ``source``, one result each in order of name; an error is a result too."""
    return (found.read() for found in find_recordings(source, options))


@dataclass(frozen=True)
class Unpacked:
    """The files of one recording of many, its main file first; or the error of a file that is none."""

    name: str
    """Of its main file."""
    files: Files
    error: EcgError | None


@dataclass(frozen=True)
class Found:
    """One recording among many, or one file that is none, not yet read."""

    name: str
    _files: Files
    _reader: Reader | None
    _options: ReadOptions

    def read(self) -> ReadResult:
        """Return the recording, or the error."""
        try:
            if self._reader is None:
                raise _unknown({self.name: self._files[self.name]}, [self.name])
            return ReadResult(self.name, _read_one(self.name, self._reader, self._files, self._options), None)
        except EcgError as error:
            return ReadResult(self.name, None, error)


def find_recordings(source: Files | str | Path, options: ReadOptions | None = None) -> list[Found]:
    """Unpack and recognise what is in ``source``: its recordings in order of name, then files that are none."""
    options = options or ReadOptions()
    files = expand(load(source, options) if isinstance(source, str | Path) else source, options.limits)
    groups, strays = _groups(files, options)
    return [
        *(Found(name, files, reader, options) for name, reader in groups),
        *(Found(stray, files, None, options) for stray in strays),
    ]


def unpack_many(files: Files, options: ReadOptions | None = None) -> list[Unpacked]:
    """Return the files of each recording in ``files``, archives unpacked, in order of name; nothing is read.

    Then come the files that are none, and the archives that cannot be unpacked, each with its error.
    """
    options = options or ReadOptions()
    left = options.limits
    whole: dict[str, bytes] = {}
    refused: list[Unpacked] = []
    for name, data in files.items():
        try:
            new = expand({name: data}, left)
            if twice := [label for label in new if label in whole]:
                raise UnreadableFile("two files have the same name", file=twice[0], expected="each name once")
        except EcgError as error:
            refused.append(Unpacked(name, {}, error))
            continue
        whole |= new
        left = replace(left, max_total_bytes=left.max_total_bytes - sum(map(len, new.values())))
    groups, strays = _groups(whole, options)
    return [
        *(Unpacked(name, _own_files(name, reader, whole), None) for name, reader in groups),
        *(Unpacked(stray, {}, _unknown({stray: whole[stray]}, [stray])) for stray in strays),
        *refused,
    ]


class Folder:
    """The names in a folder, listed when they are first asked for and not again.

    Who loads many files of one folder passes it to `load`, which otherwise lists the folder for each of them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _names(self) -> list[str]:
        with os.scandir(self.path) as entries:
            return sorted(entry.name for entry in entries)

    def matching(self, wanted: Iterable[str]) -> list[str]:
        """Return the names that are wanted, in order; a trailing ``*`` stands for any ending."""
        found: set[str] = set()
        for pattern in wanted:
            start = pattern.removesuffix("*")
            at = bisect_left(self._names, start)
            while at < len(self._names) and self._names[at].startswith(start):
                if start == pattern != self._names[at]:
                    break
                found.add(self._names[at])
                at += 1
        return sorted(found)


def load(path: str | Path, options: ReadOptions | None = None, *, folder: Folder | None = None) -> dict[str, bytes]:
    """Collect the files of the recording at ``path``: itself, and those of its folder that belong to it.

    Only names in the same folder are followed, whatever the file says.

    Parameters
    ----------
    path
        Any file of the recording.
    options
        What the caller knows beyond the file.
    folder
        The folder that ``path`` lies in, where others of it are loaded too.
    """
    options = options or ReadOptions()
    path = Path(path)
    if path.is_dir():
        raise UnreadableFile("is a folder", file=str(path), expected="a file")
    if not path.exists() and not path.suffix and (header := path.with_name(path.name + ".hea")).exists():
        path = header
    try:
        files = _with_neighbours(path, options.limits, folder or Folder(path.parent))
    except OSError as error:
        raise UnreadableFile(
            "cannot be opened", file=str(path), found=error.strerror or error, expected="a readable file"
        ) from error
    for name, reader in _groups(files, options)[0]:
        own = (name, *reader.companions(name, files))
        if path.name in own:
            return {label: files[label] for label in own}
    return {path.name: files[path.name]}


def _with_neighbours(path: Path, limits: Limits, folder: Folder) -> dict[str, bytes]:
    """Read a file and all in its folder that any reader asks for beside it."""
    files: dict[str, bytes] = {}
    queue = [path.name]
    if path.suffix.lower() != ".hea" and path.with_suffix(".hea").is_file():
        queue.append(path.with_suffix(".hea").name)
    total = 0
    while queue:
        name = queue.pop()
        here = path.with_name(name)
        total += here.stat().st_size
        if total > limits.max_total_bytes:
            raise LimitExceeded(
                "the files are too large",
                file=name,
                found=f"{total} bytes",
                expected=f"at most {limits.max_total_bytes}",
            )
        files[name] = here.read_bytes()
        wanted = {pattern for reader in READERS.values() for pattern in reader.wanted(name, files[name])}
        new = (other for other in folder.matching(wanted) if other not in files and other not in queue)
        queue += [other for other in new if path.with_name(other).is_file()]
    return files


def recognise(name: str, data: bytes, options: ReadOptions | None = None) -> Reader | None:
    """Return the reader for a file's content; the suffix only decides between readers that are equally sure."""
    if options is not None and options.format is not None:
        return READERS[options.format]
    if not data:
        return None
    sure = {reader: reader.sniff(data) for reader in READERS.values()}
    best = max(sure.values(), default=Sniff.NO)
    if best == Sniff.NO:
        return None
    tied = [reader for reader, level in sure.items() if level == best]
    by_suffix = [reader for reader in tied if name.lower().endswith(reader.suffixes)]
    return (by_suffix or tied)[0]


def _groups(files: Files, options: ReadOptions) -> tuple[list[tuple[str, Reader]], list[str]]:
    """Return the (main file, reader) of each recording in ``files``, and the files that belong to none."""
    sniffable = [name for name in sorted(files) if not _is_clutter(name)] or sorted(files)
    if options.format is not None:
        forced = READERS[options.format]
        recognised = [name for name in sniffable if forced.sniff(files[name]) != Sniff.NO]
        mains = dict.fromkeys(recognised or sniffable[:1], forced)
    else:
        mains = {name: reader for name in sniffable if (reader := recognise(name, files[name])) is not None}
    claimed: set[str] = set()
    for name, reader in mains.items():
        claimed.update(reader.companions(name, files))
    groups = [(name, reader) for name, reader in mains.items() if name not in claimed]
    strays = [name for name in sniffable if name not in mains and name not in claimed]
    return groups, strays


def _is_clutter(name: str) -> bool:
    base = name.rsplit("/", 1)[-1].lower()
    return base.startswith(".") or any(fnmatchcase(base, pattern) for pattern in _NOT_RECORDINGS)


def _read_one(name: str, reader: Reader, files: Files, options: ReadOptions) -> Recording:
    """Read one recording, turning whatever its library raises into an error that names the file."""
    own = _own_files(name, reader, files)
    try:
        with np.errstate(all="ignore"):
            recording = reader.read(name, own, options)
    except EcgError:
        raise
    except MemoryError as error:
        raise LimitExceeded(f"reading it as {reader.title} needs more memory than allowed", file=name) from error
    except _DAMAGE as error:
        raise UnreadableFile(
            f"damaged or not valid {reader.title}",
            file=name,
            found=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
            expected=f"a whole {reader.title} file",
        ) from error
    return recording.with_warnings(*check(recording))


def _own_files(name: str, reader: Reader, files: Files) -> dict[str, bytes]:
    """Return the files of the recording whose main file is named, that file first."""
    return {label: files[label] for label in (name, *reader.companions(name, files))}


def _unknown(files: Mapping[str, bytes], strays: list[str]) -> ReadError:
    name = strays[0] if strays else next(iter(files), "nothing")
    data = files.get(name, b"")
    formats = [f"{reader.title} ({', '.join(reader.suffixes)})" for reader in READERS.values()]
    if not data:
        return UnreadableFile("the file is empty", file=name, expected="an ECG", options=formats)
    if name.lower().endswith((".dat", ".atr", ".qrs")):
        header = f"{name.rsplit('.', 1)[0]}.hea"
        if header in files:
            return UnreadableFile("not a WFDB header", file=header, expected="a record line and a line for each signal")
        return UnknownFormat(
            "a WFDB signal or annotation file without its header",
            file=name,
            expected=f"{header} beside it",
            options=formats,
        )
    return UnknownFormat(
        "no reader recognises the content",
        file=name,
        found=f"{len(data)} bytes starting {data[:12]!r}",
        expected="an ECG",
        options=formats,
    )


__all__ = ["Folder", "Limits", "ReadOptions", "ReadResult", "load", "read", "read_many", "recognise"]
