"""NumPy: ``.npz`` with named arrays, and a bare ``.npy``.

``write`` makes an ``.npz`` of ``signal`` (float32 millivolts, shape (n_leads, n_samples)), ``fs``, ``leads``, ``units``
and, where known, ``start``, ``subject`` (JSON) and ``derived``. Read are also other names and spellings, either
orientation, one array a lead, and structured arrays whose fields are leads. Pickled objects are never loaded.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from functools import partial
from tokenize import TokenError
from typing import Any

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._arrays import read_container
from ecg_core.readers._container import FACT_NAMES, Container, Path, Stored, check_ratio
from ecg_core.readers._facts import describe, plain
from ecg_core.readers.base import READERS, Files, Limits, Reader, ReadOptions, Sniff
from ecg_core.recording import Recording

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 12 + 10_000
_LONGEST_TEXT = 1 << 20


def sniff(data: bytes) -> Sniff:
    """Judge by the signature of ``.npy``, or by the names in a zip."""
    if data[:6] == _MAGIC:
        return Sniff.SURE
    if data[:4] != b"PK\x03\x04":
        return Sniff.NO
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Sniff.NO
    return Sniff.SURE if names and all(name.endswith(".npy") and "/" not in name for name in names) else Sniff.NO


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the one ECG of an ``.npz`` or ``.npy`` file."""
    data = files[name]
    box = Container(name)
    if data[:6] == _MAGIC:
        _enter(box, (), data, lambda: data)
    else:
        _enter_members(box, data, options.limits)
    return read_container(box, format_name="npz", files=files, options=options)


def _enter_members(box: Container, data: bytes, limits: Limits) -> None:
    """Enter every member of an ``.npz``: after checking what they claim to hold, no more than the header is read."""
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        members = packed.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableFile(
            "the npz file is damaged or cut short", file=box.file, found=error, expected="a whole zip of .npy arrays"
        ) from error
    if len(members) > limits.max_entries:
        raise LimitExceeded(
            "too many arrays", file=box.file, found=len(members), expected=f"at most {limits.max_entries}"
        )
    check_ratio(sum(info.file_size for info in members), len(data), limits, box.file, "all arrays")
    for info in members:
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnreadableFile(
                "encrypted, or compressed as NumPy never does",
                file=box.file,
                field=info.filename,
                found=f"method {info.compress_type}",
                expected="stored or deflated, without a password",
            )
        load = partial(_content, packed, info, box.file)
        head = load(_LONGEST_HEADER)
        _enter(box, (info.filename.removesuffix(".npy"),), head, load, info.file_size)


def _content(packed: zipfile.ZipFile, info: zipfile.ZipInfo, file: str, length: int = -1) -> bytes:
    """Return a member's bytes, all or the first ``length``; `zipfile` stops at the claimed size, which was checked."""
    try:
        with packed.open(info) as stream:
            return stream.read(length)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UnreadableFile(
            "damaged", file=file, field=info.filename, found=error, expected="an array as NumPy packs it"
        ) from error


def _enter(box: Container, path: Path, head: bytes, content: Any, size: int | None = None) -> None:
    """Enter one array by its header: text and small arrays that are facts, numbers as arrays, objects as refused."""
    label = "/".join(path) or "array"
    shape, fortran, dtype, offset = _header(head, box.file, label)
    claimed = math.prod(shape) * dtype.itemsize
    held = (len(head) if size is None else size) - offset
    if dtype.hasobject:
        box.refused[path or ("ecg",)] = "pickled Python objects, which are never loaded: save it as numbers or text"
        return
    if claimed > held:
        raise UnreadableFile(
            "the array is cut short",
            file=box.file,
            field=label,
            found=f"{held} bytes",
            expected=f"{claimed} bytes for shape {shape} of {dtype}",
        )

    def load(part: str | None = None) -> np.ndarray:
        flat = np.frombuffer(content(), dtype, count=math.prod(shape), offset=offset)
        values = flat.reshape(shape, order="F" if fortran else "C")
        return values if part is None else values[part]

    if dtype.names is not None:
        for part in dtype.names:
            inner = dtype[part]
            if inner.kind in "iuf" and inner.subdtype is None:
                box.add(Stored((*path, part), shape, inner.kind, partial(load, part)))
        return
    if dtype.kind in "US" and claimed <= _LONGEST_TEXT and path and plain(path[-1]) in FACT_NAMES:
        if claimed:
            box.add_fact(path, _text(load(), box.file, label))
    elif dtype.kind == "c":
        box.refused[path or ("ecg",)] = "complex numbers"
    elif dtype.kind in "iuf" and dtype.subdtype is None:
        box.add(Stored(path or ("ecg",), shape, dtype.kind, load))


def _text(values: np.ndarray, file: str, label: str) -> np.ndarray:
    """Return an array of text whose characters exist: NumPy crashes on others only when they are looked at."""
    if values.dtype.kind == "U":
        codes = np.ascontiguousarray(values).reshape(-1).view(np.dtype("u4").newbyteorder(values.dtype.byteorder))
        if (codes > 0x10FFFF).any():
            raise UnreadableFile("not a text", file=file, field=label, found=hex(int(codes.max())), expected="Unicode")
    return values


def _header(head: bytes, file: str, label: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, Fortran order, dtype and the offset of the values."""
    stream = io.BytesIO(head[:_LONGEST_HEADER])
    try:
        version = np.lib.format.read_magic(stream)
        parse = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = parse(stream)
    except (
        ValueError,
        KeyError,
        TypeError,
        SyntaxError,
        RecursionError,
        MemoryError,
        UnicodeError,
        TokenError,
    ) as error:
        raise UnreadableFile(
            "the header of an array is damaged",
            file=file,
            field=label,
            found=" ".join(str(error).split())[:200],
            expected="an .npy header of version 1 or 2",
        ) from error
    if any(n < 0 for n in shape):
        raise UnreadableFile("not a shape", file=file, field=label, found=shape, expected="sizes of 0 or more")
    return shape, fortran, dtype, stream.tell()


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write an ``.npz``, compressed; float32 millivolts, so nothing is rounded."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        signal=recording.signal,
        fs=np.float64(recording.fs),
        leads=np.array(recording.leads),
        units=np.array("mV"),
        **{key: np.array(text) for key, text in describe(recording).items()},
    )
    return {f"{stem}.npz": buffer.getvalue()}


READERS.register("npz", Reader("npz", "NumPy npz, npy", (".npz", ".npy"), sniff=sniff, read=read, write=write))
