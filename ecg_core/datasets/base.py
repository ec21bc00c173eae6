"""What every data set shares: where it is found, what it holds, and the way through it one recording at a time.

A set is one module of this package that ends with ``DATASETS.register(...)``. It subclasses `DataSet`, says where it is
published and under which licence, and implements `DataSet.listing`, which looks into a folder without reading signals.
"""

from __future__ import annotations

import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from ecg_core.datasets.fetch import Origin, Progress, Report, fetch, verify
from ecg_core.errors import DataSetError, InvalidValue
from ecg_core.readers import ReadOptions
from ecg_core.reading import read
from ecg_core.recording import Recording
from ecg_core.registry import Registry

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DATA_DIR_VARIABLE = "EINTHOVEN_DATA_DIR"

logger = logging.getLogger(__name__)


class Item(NamedTuple, Generic[T]):
    """One labelled recording; unpacks as ``name, recording, truth``."""

    name: str
    recording: Recording
    truth: T


@dataclass(frozen=True)
class Entry(Generic[T_co]):
    """One recording of a set, not yet read."""

    name: str
    load: Callable[[], Recording] = field(repr=False)
    """Read the signal."""
    truth: Callable[[], T_co] = field(repr=False)
    """Return the reference labels, without reading the signal."""
    group: str = ""
    """What must stay on one side of a split (a patient, a tape); ``<set>:<name>`` where each recording stands alone."""
    fold: int | None = None
    """The publisher's own fold, where there is one."""


@dataclass(frozen=True)
class Listing(Generic[T_co]):
    """What a folder holds of a set."""

    folder: Path
    entries: tuple[Entry[T_co], ...]
    missing: tuple[str, ...] = ()
    """Records that are named (by the set's table, by its publisher) or begun here, but not whole: signal and truth."""

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry[T_co]]:
        return iter(self.entries)


@dataclass(frozen=True)
class Split:
    """A named part of a set."""

    about: str
    holds: Callable[[Entry[Any]], bool] = field(repr=False)


def data_dir() -> Path:
    """Return the folder that holds the data sets: ``EINTHOVEN_DATA_DIR``, else the user's data folder."""
    if chosen := os.environ.get(DATA_DIR_VARIABLE):
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("einthoven") / "data"


class DataSet(ABC, Generic[T]):
    """One public data set."""

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    """One line: what it holds and what its truth is."""
    page: ClassVar[str]
    """Where the publisher describes it."""
    licence: ClassVar[str]
    citation: ClassVar[str]
    origin: ClassVar[Origin]
    """Where its files are, and which of them are wanted."""
    folders: ClassVar[tuple[str, ...]] = ()
    """Names (patterns) its folder goes by when unpacked from the publisher's archive."""
    splits: ClassVar[Mapping[str, Split]] = {}
    in_memory: ClassVar[bool] = False
    """Whether the library makes it itself: it is here always, and there is nothing to download or verify."""

    @abstractmethod
    def is_here(self, folder: Path) -> bool:
        """Return whether ``folder`` itself holds this set, in the publisher's layout or another that it reads."""

    @abstractmethod
    def listing(self, root: str | Path | None = None) -> Listing[T]:
        """List the recordings under ``root`` (see `locate`) with their truth, without reading signals."""

    def locate(self, root: str | Path | None = None) -> Path:
        """Return the folder of this set.

        ``root`` may be that folder itself, a folder that holds it under its name, the publisher's name or the name of
        the publisher's archive, or one filled by ``wget -r`` from PhysioNet; without it, `data_dir`.

        Raises
        ------
        DataSetError
            It is not there.
        """
        folder = self.find(root)
        if folder is None:
            top = Path(root).expanduser() if root is not None else data_dir()
            raise DataSetError(
                f"the data set {self.name} ({self.title}) is not here",
                file=str(top),
                expected=f"its files in {top / self.name} or in this folder itself",
                options=(f"ecg data get {self.name}", f"name its folder (root, --root or {DATA_DIR_VARIABLE})"),
            )
        return folder

    def find(self, root: str | Path | None = None) -> Path | None:
        """Return the folder of this set, as `locate` does, or None where it is not there."""
        top = Path(root).expanduser() if root is not None else data_dir()
        if not top.is_dir():
            return None
        slug = self.origin.slug
        guesses = [top, top / self.name]
        if slug:
            for base in (top, top / "files", top / "physionet.org" / "files", top / self.name):
                guesses += [base / slug, *sorted((base / slug).glob("*"))]
        guesses += [path for pattern in self.folders for path in sorted(top.glob(pattern))]
        return next((folder for folder in guesses if folder.is_dir() and self.is_here(folder)), None)

    def iterate(
        self, root: str | Path | None = None, split: str | None = None, limit: int | None = None
    ) -> Iterator[Item[T]]:
        """Read the recordings one by one, each with its truth.

        Parameters
        ----------
        root
            Where the set is, see `locate`.
        split
            Only the recordings of this split (see ``splits``).
        limit
            Stop after this many.
        """
        return self.read_entries(self.listing(root), split, limit)

    def read_entries(self, listing: Listing[T], split: str | None, limit: int | None) -> Iterator[Item[T]]:
        """Read the recordings of a listing, as `iterate` does."""
        entries = self.choose(listing.entries, split)
        if limit is not None and limit < 0:
            raise InvalidValue("not a number of recordings", field="limit", found=limit, expected="0 or more")
        return (Item(entry.name, entry.load(), entry.truth()) for entry in entries[:limit])

    def choose(self, entries: Sequence[Entry[T]], split: str | None) -> Sequence[Entry[T]]:
        """Return the entries of a split, all of them for None."""
        if split is None:
            return entries
        if split not in self.splits:
            raise InvalidValue("no such split", field=f"{self.name} split", found=repr(split), options=self.splits)
        return [entry for entry in entries if self.splits[split].holds(entry)]

    def download(
        self,
        root: str | Path | None = None,
        *,
        progress: Callable[[Progress], None] | None = None,
        only: Sequence[str] = (),
        base_url: str | None = None,
    ) -> Report:
        """Fetch the set into ``root``/name, going on where an earlier call stopped; what is there and whole stays.

        Parameters
        ----------
        root
            Folder of the data sets; `data_dir` without it.
        progress
            Called as files grow and finish, from several threads but never from two at once.
        only
            Patterns (``"records100/*"``) that narrow down what is fetched; the set's tables come in any case.
        base_url
            Fetch from here (a mirror) instead of the publisher.
        """
        top = Path(root).expanduser() if root is not None else data_dir()
        with _disk_errors(top):
            return fetch(self.name, self.origin, top / self.name, only=only, base_url=base_url, progress=progress)

    def verify(self, root: str | Path | None = None, progress: Callable[[Progress], None] | None = None) -> Report:
        """Read every file that should be there again and compare it with the publisher's checksum."""
        folder = self.locate(root)
        with _disk_errors(folder):
            return verify(self.name, self.origin, folder, progress=progress)

    def note_missing(self, missing: Sequence[str], listed: int, folder: Path) -> None:
        """Log that records of the set's table are not in the folder."""
        if missing:
            logger.info("%s: %d of %d records are not in %s", self.name, len(missing), len(missing) + listed, folder)


DATASETS: Registry[DataSet[Any]] = Registry("data set")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one clear error."""
    try:
        yield
    except OSError as error:
        raise DataSetError(
            "the disk refuses",
            file=str(error.filename or folder),
            found=error.strerror or error,
            expected="a folder that can be read and written, with room",
        ) from error


def read_wfdb(stem: Path, signal_suffix: str = ".dat") -> Recording:
    """Read the WFDB record ``stem`` (a path without suffix) by its header and its one signal file."""
    return read(
        load_files(stem.with_name(stem.name + ".hea"), stem.with_name(stem.name + signal_suffix)),
        ReadOptions(format="wfdb"),
    )


def load_files(*paths: Path) -> dict[str, bytes]:
    """Return ``{file name: content}``, the form that the readers take."""
    try:
        return {path.name: path.read_bytes() for path in paths}
    except OSError as error:
        raise DataSetError(
            "cannot be opened", file=str(error.filename), found=error.strerror, expected="a readable file"
        ) from error


def file_names(folder: Path, suffix: str = "") -> set[str]:
    """Return the names of the files in a folder that end with ``suffix``; none where there is no such folder."""
    if not folder.is_dir():
        return set()
    with os.scandir(folder) as found:
        return {entry.name for entry in found if entry.name.endswith(suffix)}


def wfdb_stems(folder: Path, signal_suffix: str = ".dat") -> list[str]:
    """Return the names of the WFDB records in a folder, in order: those with both header and signal file."""
    names = file_names(folder)
    stems = (name.removesuffix(".hea") for name in names if name.endswith(".hea"))
    return sorted((stem for stem in stems if stem + signal_suffix in names), key=by_number)


def by_number(name: str) -> tuple[int, str]:
    """Sort key that puts ``"9"`` before ``"10"``."""
    return (len(name) if name.isdigit() else 1 << 16, name)


def read_text(path: Path) -> str:
    """Return a text file of a set, whatever its line ends."""
    return load_files(path)[path.name].decode("utf-8-sig", "replace").replace("\r\n", "\n")


def number(text: str | None) -> float | None:
    """Return the number in a cell of a table, or None where it is empty or none."""
    try:
        value = float((text or "").strip())
    except ValueError:
        return None
    return value if value == value else None


__all__ = ["DATASETS", "DataSet", "Entry", "Item", "Listing", "Origin", "Progress", "Report", "Split", "data_dir"]
