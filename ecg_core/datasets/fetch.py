"""Download of published files: resumable, checked against the publisher's checksums, never outside its folder.

The publisher's ``SHA256SUMS.txt`` (PhysioNet has one per version) names the files and what they must hash to. A file
grows as ``<name>.part`` and takes its name only when it is whole and its checksum is right. ``.verified`` beside the
files records what was checked, so that a second call costs a look at sizes; `verify` reads everything again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ecg_core.datasets.checksums import CHECKSUMS, Journal, parse_checksums, safe_path, sha256_of
from ecg_core.datasets.transfer import FileProblem, Transfer
from ecg_core.errors import DataSetError, InvalidValue

NOT_VERIFIED = "not verified: the publisher gives no checksums"
_WORKERS = 4
_MAX_PROBLEMS = 20


@dataclass(frozen=True)
class Origin:
    """Where a set's files are published."""

    base_url: str | None
    """Address that the file names follow; None where the publisher gives files out by hand only."""
    slug: str = ""
    """The publisher's short name of the set, also that of its folder."""
    wanted: tuple[str, ...] = ("*",)
    """Patterns of the files to fetch, of all that the publisher's checksums name."""
    tables: tuple[str, ...] = ()
    """Patterns of those among them that are fetched whatever else is."""
    files: tuple[str, ...] = ()
    """The files themselves, for a publisher without checksums."""
    by_hand: str = ""
    """What to do where there is no address."""

    @property
    def has_checksums(self) -> bool:
        """Whether the publisher says what the files must hash to."""
        return not self.files


class Progress(NamedTuple):
    """How far a download or a check is."""

    file: str
    files_done: int
    files: int
    bytes: int
    """Received (or read) so far by this call."""


@dataclass(frozen=True)
class Report:
    """What a download or a check found."""

    name: str
    folder: Path
    ok: int
    """Files that are there and whole."""
    fetched: int = 0
    """Of those, files that this call brought."""
    missing: tuple[str, ...] = ()
    damaged: Mapping[str, str] = field(default_factory=dict)
    """File to what is wrong with it."""
    note: str = ""
    """What the figures do not say: that nobody vouches for the files, for one."""

    @property
    def whole(self) -> bool:
        """Whether nothing is missing or damaged."""
        return not self.missing and not self.damaged


def fetch(
    name: str,
    origin: Origin,
    folder: Path,
    *,
    only: Sequence[str] = (),
    base_url: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Bring the files of a set into ``folder``.

    Raises
    ------
    DataSetError
        The publisher cannot be reached, or files do not match the publisher's checksums (each is named; everything
        that arrived whole stays).
    """
    base = _base_url(name, origin, base_url)
    transfer = Transfer()
    folder.mkdir(parents=True, exist_ok=True)
    if origin.has_checksums:
        expected: dict[str, str | None] = dict(_select(_checksums(transfer, base, folder), origin, only))
    else:
        expected = dict.fromkeys(_matching(origin.files, origin.tables, only))
    if not expected:
        raise InvalidValue("no file of the set matches", field="only", found=", ".join(only), options=origin.wanted)
    targets = {file: safe_path(folder, file) for file in expected}
    journal = Journal(folder)
    journal.note_selection(only)
    kept = {file for file, target in targets.items() if _is_whole(target, file, expected[file], journal)}
    todo = [file for file in expected if file not in kept]
    counter = _Counter(progress, len(expected), len(kept))
    damaged: dict[str, str] = {}

    def bring(file: str) -> str:
        def grown(n_bytes: int) -> None:
            counter.add(file, n_bytes)

        return transfer.fetch(base + quote(file), targets[file], expected[file], grown)

    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="download")
    try:
        jobs = {pool.submit(bring, file): file for file in todo}
        for job in as_completed(jobs):
            file = jobs[job]
            try:
                digest = job.result()
            except FileProblem as problem:
                damaged[file] = str(problem)
                if len(damaged) == _MAX_PROBLEMS:
                    break
                continue
            journal.add(file, digest, targets[file].stat().st_size)
            counter.finish(file)
    finally:
        transfer.stop()
        pool.shutdown(wait=True, cancel_futures=True)
    if damaged:
        raise DataSetError(
            f"{len(damaged)} files are not as published and were not kept",
            file=name,
            found="; ".join(f"{file}: {damaged[file]}" for file in sorted(damaged)[:8]),
            expected=f"the hashes in {CHECKSUMS}",
            options=("run it again: what arrived whole is kept", "another address with base_url"),
        )
    note = "" if origin.has_checksums else NOT_VERIFIED
    return Report(name, folder, ok=len(expected), fetched=len(todo), note=note)


def verify(name: str, origin: Origin, folder: Path, *, progress: Callable[[Progress], None] | None = None) -> Report:
    """Hash every file of a set again."""
    journal = Journal(folder)
    if (folder / CHECKSUMS).is_file():
        sums: Mapping[str, str] = _select(_read_checksums(folder / CHECKSUMS), origin, journal.selection)
        note = ""
    elif journal.digests:
        sums = journal.digests
        note = f"{NOT_VERIFIED}; compared with what arrived at download"
    else:
        reason = f"no {CHECKSUMS} in the folder" if origin.has_checksums else NOT_VERIFIED.partition(": ")[2]
        return Report(name, folder, ok=0, note=f"not verified: {reason}")
    counter = _Counter(progress, len(sums), 0)
    ok, missing, damaged = 0, [], {}
    for file, digest in sums.items():
        path = safe_path(folder, file)
        if not path.is_file():
            missing.append(file)
        elif (found := sha256_of(path, lambda n_bytes, file=file: counter.add(file, n_bytes))) != digest:  # type: ignore[misc]
            damaged[file] = f"sha256 {found}, expected {digest}"
        else:
            ok += 1
        counter.finish(file)
    return Report(name, folder, ok=ok, missing=tuple(missing), damaged=damaged, note=note)


def _base_url(name: str, origin: Origin, override: str | None) -> str:
    base = override or origin.base_url
    if base is None:
        raise DataSetError("cannot be downloaded by a program", file=name, expected=origin.by_hand)
    scheme = urlsplit(base).scheme
    if scheme not in ("https", "http") or (override is None and scheme != "https"):
        raise InvalidValue("not an address to fetch from", field="base_url", found=base, expected="https://...")
    return base if base.endswith("/") else base + "/"


def _read_checksums(path: Path) -> dict[str, str]:
    return parse_checksums(path.read_text("utf-8", "replace"), path.name)


def _checksums(transfer: Transfer, base: str, folder: Path) -> dict[str, str]:
    """Return the publisher's checksums, fetched once: a published version does not change."""
    path = folder / CHECKSUMS
    if not path.is_file():
        try:
            transfer.fetch(base + CHECKSUMS, path, None)
        except FileProblem as problem:
            raise DataSetError(
                "the publisher's checksums cannot be had", file=base + CHECKSUMS, found=problem
            ) from problem
    try:
        return _read_checksums(path)
    except DataSetError:
        # A log-in page or an error text in its place must not stand in the way of the next call.
        path.unlink()
        raise


def _select(sums: Mapping[str, str], origin: Origin, only: Iterable[str]) -> dict[str, str]:
    wanted = [file for file in sums if any(fnmatchcase(file, pattern) for pattern in origin.wanted)]
    return {file: sums[file] for file in _matching(wanted, origin.tables, tuple(only))}


def _matching(files: Iterable[str], tables: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the files that ``only`` asks for (all without it), and the tables if it asks for any."""
    files = list(files)
    if not only:
        return files
    chosen = {file for file in files if any(fnmatchcase(file, pattern) for pattern in only)}
    if chosen:
        chosen.update(file for file in files if any(fnmatchcase(file, pattern) for pattern in tables))
    return [file for file in files if file in chosen]


def _is_whole(path: Path, file: str, expected: str | None, journal: Journal) -> bool:
    """Return whether a file is there and as published; it is hashed only where the journal does not know it."""
    if not path.is_file():
        return False
    size = path.stat().st_size
    known = journal.digests.get(file)
    if known is not None and known == (expected or known) and journal.sizes[file] == size:
        return True
    if expected is None or sha256_of(path) != expected:
        return False
    journal.add(file, expected, size)
    return True


class _Counter:
    """Adds up what the threads report, one at a time."""

    def __init__(self, progress: Callable[[Progress], None] | None, files: int, done: int) -> None:
        self._progress = progress
        self._files, self._done, self._bytes = files, done, 0
        self._lock = threading.Lock()

    def add(self, file: str, n_bytes: int) -> None:
        self._tell(file, n_bytes, 0)

    def finish(self, file: str) -> None:
        self._tell(file, 0, 1)

    def _tell(self, file: str, n_bytes: int, n_files: int) -> None:
        if self._progress is None:
            return
        with self._lock:
            self._bytes += n_bytes
            self._done += n_files
            self._progress(Progress(file, self._done, self._files, self._bytes))
