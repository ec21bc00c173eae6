"""A way through an HDF5 file that never leaves it, whoever made it: shared by the HDF5 and the MAT v7.3 reader."""

from __future__ import annotations

import io
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._container import FACT_NAMES, LARGEST_FACT, Container, Path, check_ratio
from ecg_core.readers._facts import plain
from ecg_core.readers.base import Limits

if TYPE_CHECKING:
    import h5py

_HEAP = b"GCOL\x01\0\0\0"
_MAX_DEPTH = 16
_MAX_CHUNKS = 200_000
_MAX_ATTRIBUTES = 1000
_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf"}
_DEFLATE_RATIO = 1032
"""The most that deflate can expand."""
_SMALL = 64 * 1024**2


@contextmanager
def open_hdf5(data: bytes, file: str) -> Iterator[h5py.File]:
    """Open ``data`` in memory."""
    import h5py

    _check_heaps(data, file)
    try:
        opened = h5py.File(io.BytesIO(data), "r")
    except OSError as error:
        raise UnreadableFile(
            "the HDF5 file is damaged or cut short", file=file, found=error, expected="a whole HDF5 file"
        ) from error
    with opened:
        yield opened


def _check_heaps(data: bytes, file: str) -> None:
    """Refuse a heap of variable-length values with an object of no size: HDF5 2.0 steps over it for ever."""
    heap = data.find(_HEAP)
    while heap >= 0:
        end = heap + int.from_bytes(data[heap + 8 : heap + 16], "little")
        position = heap + 16
        while position + 16 <= min(end, len(data)):
            number, _, _, size = struct.unpack_from("<HHIQ", data, position)
            position += size if number == 0 else 16 + size + -size % 8
            if position > end or (number, size) == (0, 0):
                raise UnreadableFile(
                    "a heap of the HDF5 file is damaged",
                    file=file,
                    found=f"an object of {size} bytes at byte {position}",
                    expected="objects that fill the heap",
                )
        heap = data.find(_HEAP, heap + 8)


def walk(root: h5py.File, box: Container, limits: Limits) -> Iterator[tuple[Path, h5py.Group | h5py.Dataset]]:
    """Yield each group and dataset once, the file itself first, in order of name; links of any other kind are noted."""
    import h5py

    # The low-level interface halves the time on files of thousands of objects, as the UK Biobank has them.
    seen: set[int] = set()
    queue: list[tuple[Path, h5py.Group]] = [((), root)]
    yield (), root
    while queue:
        path, group = queue.pop(0)
        for raw in group.id:
            here = (*path, raw.decode("utf-8", "replace"))
            if len(seen) + len(box.links) >= limits.max_entries or len(here) > _MAX_DEPTH:
                raise LimitExceeded(
                    "too many objects, or too deep",
                    file=box.file,
                    found=f"{len(seen) + len(box.links) + 1} objects, {len(here)} levels",
                    expected=f"at most {limits.max_entries} and {_MAX_DEPTH}",
                )
            link = group.id.links.get_info(raw)
            if link.type != h5py.h5l.TYPE_HARD:
                box.links.append("/".join(here))
                continue
            if link.u in seen:
                continue
            seen.add(link.u)
            opened = h5py.h5o.open(group.id, raw)
            if isinstance(opened, h5py.h5g.GroupID):
                queue.append((here, h5py.Group(opened)))
                yield queue[-1]
            elif isinstance(opened, h5py.h5d.DatasetID):
                yield here, h5py.Dataset(opened)
    if box.links:
        more = ", ..." if len(box.links) > 10 else ""
        box.notes.append(f"links: not followed: {', '.join(box.links[:10])}{more}")


def attributes(item: h5py.Group | h5py.Dataset, box: Container) -> dict[str, Any]:
    """Return the attributes that are facts, by `plain` name; other attributes are not looked at."""
    import h5py

    found: dict[str, Any] = {}
    count = h5py.h5a.get_num_attrs(item.id)
    if count > _MAX_ATTRIBUTES:
        raise LimitExceeded(
            "too many attributes",
            file=box.file,
            field=item.name,
            found=count,
            expected=f"at most {_MAX_ATTRIBUTES}",
        )
    for name in item.attrs if count else ():
        if plain(name) in FACT_NAMES and math.prod(item.attrs.get_id(name).shape or ()) <= LARGEST_FACT:
            found.setdefault(plain(name), text_of(item.attrs[name]))
    return found


def text_of(value: Any) -> Any:
    """Return ``value`` with HDF5's strings of bytes decoded."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        decoded = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in value.reshape(-1)]
        return np.array(decoded, dtype=object)
    return value


def refusal(dataset: h5py.Dataset) -> str | None:
    """Return why a dataset is never read; asked without its shape, which can open the files of a virtual one."""
    import h5py

    plist = dataset.id.get_create_plist()
    if plist.get_layout() == h5py.h5d.VIRTUAL:
        return "virtual: its values lie in other files"
    if plist.get_external_count():
        return "its values lie in other files"
    unknown = [number for n in range(plist.get_nfilters()) if (number := plist.get_filter(n)[0]) not in _FILTERS]
    if unknown:
        return f"compressed by filter {unknown[0]}, of which only {', '.join(_FILTERS.values())} are known"
    dtype = dataset.dtype
    if dtype.kind == "c" or (dtype.names or ())[:2] == ("real", "imag"):
        return "complex numbers"
    if dtype.kind == "O" and h5py.check_ref_dtype(dtype) is not None:
        return "references to other objects"
    return None


def load(dataset: h5py.Dataset, box: Container, limits: Limits) -> np.ndarray:
    """Return the values of a dataset, after making sure that no more memory is needed than its size accounts for."""
    name = (dataset.name or "?").lstrip("/")
    stored = dataset.id.get_storage_size()
    check_ratio(dataset.nbytes, stored, limits, box.file, name)
    if dataset.chunks is not None:
        n_chunks = math.prod(math.ceil(n / c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
        chunk_bytes = math.prod(dataset.chunks) * dataset.dtype.itemsize
        if n_chunks > _MAX_CHUNKS or chunk_bytes > limits.max_total_bytes:
            raise LimitExceeded(
                "an implausible layout of chunks",
                file=box.file,
                field=name,
                found=f"{n_chunks} chunks of {chunk_bytes} bytes",
                expected=f"at most {_MAX_CHUNKS} of {limits.max_total_bytes}",
            )
        if dataset.compression == "gzip" and stored * _DEFLATE_RATIO > _SMALL:
            _check_deflate(dataset, chunk_bytes, box.file)
    values: np.ndarray = dataset[()] if dataset.shape else np.asarray(dataset[()])
    return values


def _check_deflate(dataset: h5py.Dataset, chunk_bytes: int, file: str) -> None:
    """Refuse a chunk that inflates to more than a chunk holds: HDF5 itself would inflate it to the end."""
    for n in range(dataset.id.get_num_chunks()):
        info = dataset.id.get_chunk_info(n)
        if info.size * _DEFLATE_RATIO <= _SMALL:
            continue
        _, packed = dataset.id.read_direct_chunk(info.chunk_offset)
        unpacker = zlib.decompressobj()
        unpacker.decompress(packed, chunk_bytes + 1024)
        if unpacker.unconsumed_tail:
            raise LimitExceeded(
                "a chunk unpacks to more than it holds",
                file=file,
                field=dataset.name,
                found=f"over {chunk_bytes} bytes",
                expected=f"{chunk_bytes} bytes",
            )
