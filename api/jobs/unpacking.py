"""From the files of a batch to its items: one for each recording, and one for each file that is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Event
from typing import Any

from api import tables
from api.jobs.lease import Lease, Stopped
from api.jobs.steps import delete_files, describe, patiently
from api.repositories import blobs, job_items, jobs
from api.runtime import Runtime
from api.services.keeping import retried, stage
from api.services.uploads import label_of
from ecg_core.archives import holds_many
from ecg_core.errors import EcgError, LimitExceeded, ReaderUnavailable
from ecg_core.readers import Files, ReadOptions

_LONGEST_NAME = 400
_ROOM = 4
"""Times the bytes of the largest batch that a batch may unpack to; each archive is held to the limits of a read too."""
_ENTRIES = 10
"""The same, for the number of its files."""
_AT_ONCE_BYTES = 256 * 1024**2
"""Of files that are no archives: more are looked at in several lots, since they have to be in memory together."""


@dataclass(frozen=True)
class _Item:
    """An item to be."""

    name: str
    files: Mapping[str, str]
    """Label to sha256."""
    error: EcgError | None


class _Unpacking:
    """Unpacks the files of one batch, within the limits that all of them share."""

    def __init__(self, runtime: Runtime, lease: Lease, stop: Event) -> None:
        self._runtime, self._lease, self._stop = runtime, lease, stop
        self._limits = runtime.settings.limits()
        self._bytes = _ROOM * runtime.settings.max_batch_bytes
        self._entries = _ENTRIES * runtime.settings.max_batch_files
        self.blobs: dict[str, tables.Blob] = {}
        """sha256 to what is in the store, and not yet in the tables where it is new."""

    def items_of(self, sent: Files) -> list[_Item]:
        """Return the items of files that are looked at together, having put their contents into the store."""
        if self._bytes <= 0 or self._entries <= 0:
            return [_Item(name, {}, LimitExceeded("the batch unpacks to too much", file=name)) for name in sent]
        items = patiently(lambda: self._look(sent), self._lease, self._stop)
        unpacked = [digest for item in items for digest in item.files.values()]
        self._bytes -= sum(self.blobs[digest].size for digest in unpacked)
        self._entries -= len(unpacked) + sum(item.error is not None for item in items)
        return items

    def _look(self, sent: Files) -> list[_Item]:
        items = []
        limits = replace(
            self._limits,
            max_total_bytes=min(self._limits.max_total_bytes, self._bytes),
            max_entries=min(self._limits.max_entries, self._entries),
        )
        try:
            for found in self._runtime.pool.unpack(sent, ReadOptions(limits=limits)):
                self._lease.check()
                if self._stop.is_set():
                    raise Stopped
                if isinstance(found.error, ReaderUnavailable):
                    raise found.error
                digests = {name: sha256(content).hexdigest() for name, content in found.files.items()}
                if new := [found.files[name] for name, digest in digests.items() if digest not in self.blobs]:
                    self.blobs |= stage(self._runtime.store, self._runtime.database, new)
                name = found.name if found.name in sent or len(sent) > 1 else f"{next(iter(sent))}/{found.name}"
                items.append(_Item(_shown(name), _labelled(digests), found.error))
        except LimitExceeded as error:
            # They were too large to be looked at.
            items = [_Item(_shown(name), {}, error) for name in sent]
        return items


def unpack(runtime: Runtime, lease: Lease, stop: Event) -> None:
    """Write down the items of a batch, all at once; from then on the store has their files instead of archives."""

    def attempt() -> None:
        unpacking = _Unpacking(runtime, lease, stop)
        items = [item for sent in _worlds(runtime, lease.job.id) for item in unpacking.items_of(sent)]
        _write_down(runtime, lease, items, unpacking.blobs)

    retried(attempt)


def _worlds(runtime: Runtime, job_id: str) -> Iterator[dict[str, bytes]]:
    """Yield the files that are looked at together.

    The files of a recording may come side by side. An archive is a world of its own: its names may occur in another.
    """
    with runtime.database.read() as session:
        files = jobs.list_files(session, job_id)
    loose: list[tables.JobFile] = []
    archives: list[tables.JobFile] = []
    for file in files:
        (archives if holds_many(runtime.store.get(file.blob.key)) else loose).append(file)
    for world in (*_lots(loose), *([file] for file in archives)):
        yield {file.name: runtime.store.get(file.blob.key) for file in world}


def _lots(files: Sequence[tables.JobFile]) -> Iterator[list[tables.JobFile]]:
    """Yield the files in order of name, in lots that fit into memory; those of one name but for its ending together."""
    lot: list[tables.JobFile] = []
    size = 0
    for file in sorted(files, key=lambda file: file.name):
        if lot and size + file.blob.size > _AT_ONCE_BYTES and _stem(file.name) != _stem(lot[-1].name):
            yield lot
            lot, size = [], 0
        lot.append(file)
        size += file.blob.size
    if lot:
        yield lot


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]


def _labelled(digests: Mapping[str, str]) -> dict[str, str]:
    """Return label to sha256: without folders, as the files of one recording stand together."""
    labels = {name: label_of(name) for name in digests}
    if len(set(labels.values())) < len(labels):
        labels = {name: label_of(name.replace("/", "_")) for name in digests}
    return {labels[name]: digest for name, digest in digests.items()}


def _shown(name: str) -> str:
    return "".join(ch for ch in name if ch.isprintable())[-_LONGEST_NAME:]


def _write_down(runtime: Runtime, lease: Lease, items: Sequence[_Item], staged: Mapping[str, tables.Blob]) -> None:
    """Replace the job's files by its items, in one transaction."""
    rows: list[dict[str, Any]] = []
    files: list[dict[str, Any]] = []
    with runtime.database.write() as session:
        failed = sum(item.error is not None for item in items)
        lease.hold(session, total=len(items), failed=failed, message="analysing the recordings")
        held = blobs.add_blobs(session, staged)
        for position, item in enumerate(items):
            item_id = tables.new_id()
            rows.append(
                {
                    "id": item_id,
                    "job_id": lease.job.id,
                    "position": position,
                    "name": item.name,
                    "status": "waiting" if item.error is None else "failed",
                    "error": None if item.error is None else describe(item.error),
                    "finished_at": None if item.error is None else tables.now(),
                }
            )
            files += [
                {"item_id": item_id, "position": at, "name": label, "blob_id": held[digest].id}
                for at, (label, digest) in enumerate(item.files.items())
            ]
        job_items.add_items(session, rows, files)
        keys = jobs.drop_files(session, lease.job.id, items=False)
    delete_files(runtime, keys)
