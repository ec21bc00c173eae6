"""Recordings in files, folders and archives, one after the other, whatever their number."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecg_core.errors import EcgError
    from ecg_core.isolation import ReadPool
    from ecg_core.readers import ReadOptions
    from ecg_core.recording import Recording


@dataclass(frozen=True)
class Place:
    """Where a recording was read: a file, and its name within where that holds several."""

    file: str
    name: str


@dataclass
class Passed:
    """Counts what folders and archives hold beside recordings."""

    files: int = 0


def read_places(
    paths: list[Path],
    options: ReadOptions,
    pool: ReadPool,
    *,
    leave_out: Path | None = None,
    done: Collection[str] = (),
    done_within: Mapping[str, Collection[str]] | None = None,
    passed: Passed | None = None,
) -> Iterator[tuple[Place, Recording | EcgError]]:
    """Read every recording in files, folders (and the folders in them) and archives, in order of name.

    A file that came along with an earlier one is not read again. A file of a folder or an archive that no reader
    recognises is passed over; one that was named is an error.

    Parameters
    ----------
    paths
        As given.
    options
        What the caller knows beyond the files.
    pool
        The processes that read.
    leave_out
        A file that is none of theirs: the one that the results go to.
    done
        Files whose recordings need not be given again.
    done_within
        File to names within it that need not be given again.
    passed
        Counts what is passed over.
    """
    from ecg_core.errors import EcgError, UnknownFormat
    from ecg_core.reading import Folder, load

    folder, along = Folder(Path()), set[str]()
    for path, named in _files(paths):
        if path.parent != folder.path:
            # Companions lie in the folder of their recording, so that no list of all files grows.
            folder, along = Folder(path.parent), set()
        if path.name in along or (leave_out is not None and _is_same(path, leave_out)):
            continue
        try:
            files = load(path, options, folder=folder)
            along.update(files)
            if str(path) in done:
                continue
            for result in pool.read_many(files, options):
                if result.name in (done_within or {}).get(str(path), ()):
                    continue
                if isinstance(result.error, UnknownFormat) and not (named and result.name == path.name):
                    if passed is not None:
                        passed.files += 1
                    continue
                found = result.recording if result.recording is not None else result.error
                assert found is not None  # noqa: S101 - a result is one or the other
                yield Place(str(path), result.name), found
        except EcgError as error:
            if str(path) not in done and path.name not in (done_within or {}).get(str(path), ()):
                yield Place(str(path), path.name), error


def _is_same(path: Path, other: Path) -> bool:
    return path.name == other.name and path.resolve() == other.resolve()


def _files(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield every file, and whether it was named itself; hidden files and folders of a folder are passed over."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        for where, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from ((Path(where) / name, False) for name in sorted(names) if not name.startswith("."))
