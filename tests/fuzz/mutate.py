"""Small recordings written in a format, and the ways in which their files are spoilt; deterministic from a seed."""

from __future__ import annotations

import base64
import gzip
import io
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from random import Random

import numpy as np

from ecg_core.errors import WriteError
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.readers import Reader
from ecg_core.recording import Annotations, Recording, Subject

Files = dict[str, bytes]
Mutator = Callable[[Random, bytes], bytes]

HOSTILE_NUMBERS = (
    b"",
    b"0",
    b"-1",
    b"1",
    b"2",
    b"nan",
    b"inf",
    b"-inf",
    b"1e308",
    b"1e-308",
    b"1e400",
    b"-0",
    b"65535",
    b"65536",
    b"2147483647",
    b"2147483648",
    b"-2147483648",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551616",
    b"999999999999",
    b"9" * 30,
    b"9" * 5000,
    b"0x10",
    b"1_000",
    b"1,5",
    b"1.5.5",
    b"--3",
    b"NULL",
    b"1/0",
    b"\xff",
    b"%n",
    b"../../etc/passwd",
    b"/dev/zero",
)
"""What stands in for a number in a text."""
HOSTILE_INTEGERS = (
    0,
    1,
    2,
    3,
    12,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**32,
    2**40,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
HOSTILE_FLOATS = (0.0, -0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e-308, 5e-324, 1e308, 1e38, 1e18)
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_:.-]*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]{200,}")


def recordings() -> list[Recording]:
    """Return small recordings that differ in leads, rate, length, gaps and what is known about the subject."""
    rng = np.random.default_rng(20)
    subject = Subject("P-7", 63.0, "female", {"height_cm": 171})
    start = datetime(2020, 2, 29, 23, 59, 58)
    shapes: list[tuple[tuple[str, ...], float, int]] = [
        (STANDARD_12, 500.0, 600),
        (STANDARD_12, 250.0, 300),
        (INDEPENDENT_8, 500.0, 400),
        (("I", "II"), 360.0, 900),
        (("II",), 257.0, 515),
    ]
    found = []
    for index, (leads, fs, n_samples) in enumerate(shapes):
        t = np.arange(n_samples) / fs
        walk = rng.normal(0, 0.004, (len(leads), n_samples)).cumsum(axis=1)
        signal = walk + rng.uniform(0.2, 1.2, (len(leads), 1)) * np.sin(2 * np.pi * 1.2 * t) ** 15
        if index in (1, 3):
            signal[0, n_samples // 3 : n_samples // 2] = np.nan
        marks = (
            {"atr": Annotations(np.array([0.1, 0.4, 0.7]), ("N", "V", "+"), ("", "", "(AFIB"))} if index == 3 else {}
        )
        found.append(
            Recording(
                signal.astype(np.float32),
                fs,
                leads,
                subject if index % 2 == 0 else Subject(),
                start if index % 2 == 0 else None,
                annotations=marks,
            )
        )
    return found


@cache
def bases(reader: Reader) -> list[Files]:
    """Return the recordings written by one reader, those that it can hold."""
    written = []
    for index, recording in enumerate(recordings()):
        try:
            written.append(reader.write(recording, f"case{index}"))  # type: ignore[misc]
        except WriteError:
            continue
    return written


def archives(written: list[Files]) -> list[Files]:
    """Return archives of written recordings: zip, stored and deflated, tar, tar.gz, gz."""
    found: list[Files] = []
    for index, files in enumerate(written):
        found.append({f"a{index}.zip": zipped(files, zipfile.ZIP_DEFLATED if index % 2 else zipfile.ZIP_STORED)})
        found.append({f"a{index}.tar.gz": tarred(files, "w:gz")})
        if len(files) == 1:
            found.extend({f"{name}.gz": gzip.compress(data, mtime=0)} for name, data in files.items())
        found.append({f"a{index}.tar": tarred(files, "w")})
    return found


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


def tarred(files: Files, mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _where(rng: Random, data: bytes) -> int:
    """Return a position, more often near the start, where headers are."""
    if not data:
        return 0
    near = rng.choice((64, 300, 1024, 4096, len(data), len(data)))
    return rng.randrange(min(near, len(data)))


def truncate(rng: Random, data: bytes) -> bytes:
    return data[
        : rng.choice((_where(rng, data), rng.randrange(len(data) + 1), max(0, len(data) - rng.randrange(1, 9))))
    ]


def flip_bits(rng: Random, data: bytes) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16, 100))):
        if spoilt:
            spoilt[_where(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def set_bytes(rng: Random, data: bytes) -> bytes:
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 10))):
        if spoilt:
            spoilt[_where(rng, data)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x0A, rng.randrange(256)))
    return bytes(spoilt)


def _block(rng: Random, data: bytes) -> tuple[int, int]:
    start = _where(rng, data)
    return start, min(len(data), start + rng.choice((1, 2, 4, 16, 80, 256, 1024, 10_000)))


def delete_block(rng: Random, data: bytes) -> bytes:
    start, stop = _block(rng, data)
    return data[:start] + data[stop:]


def repeat_block(rng: Random, data: bytes) -> bytes:
    start, stop = _block(rng, data)
    return data[:stop] + data[start:stop] * rng.choice((1, 1, 2, 50)) + data[stop:]


def fill_block(rng: Random, data: bytes) -> bytes:
    start, stop = _block(rng, data)
    fill = rng.choice((b"\0", b"\xff", b" ", b"9", b"\n", None))
    return data[:start] + (rng.randbytes(stop - start) if fill is None else fill * (stop - start)) + data[stop:]


def move_block(rng: Random, data: bytes) -> bytes:
    start, stop = _block(rng, data)
    rest = data[:start] + data[stop:]
    at = _where(rng, rest)
    return rest[:at] + data[start:stop] + rest[at:]


def insert_bytes(rng: Random, data: bytes) -> bytes:
    at = _where(rng, data)
    return data[:at] + rng.choice((rng.randbytes(rng.randrange(1, 64)), b"\0" * 8, b"A" * 70_000)) + data[at:]


def hostile_integer(rng: Random, data: bytes) -> bytes:
    """Write an extreme integer or float somewhere, in any of the usual widths and byte orders."""
    order = rng.choice("<>")
    if rng.random() < 0.2:
        kind = rng.choice("fd")
        value = rng.choice(HOSTILE_FLOATS)
        number = struct.pack(order + kind, max(-3e38, min(3e38, value)) if kind == "f" else value)
    else:
        kind = rng.choice("HIIQ")
        number = struct.pack(order + kind, rng.choice(HOSTILE_INTEGERS) % (1 << (8 * struct.calcsize(kind))))
    at = _where(rng, data)
    if rng.random() < 0.7:
        at -= at % len(number)
    return data[:at] + number + data[at + len(number) :]


def hostile_size(rng: Random, data: bytes) -> bytes:
    """Replace an integer that looks like a size, wherever it stands, by an extreme one."""
    size = rng.choice((len(data), 600, 300, 400, 900, 515, 12, 8, 2, 1, 4800, 7200, 2400, 1200, 16, 32, 500, 250, 360))
    kind = rng.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    width = struct.calcsize(kind)
    try:
        wanted = struct.pack(kind, size)
    except struct.error:
        return data
    found = [at for at in range(0, min(len(data), 20_000) - width, 2) if data[at : at + width] == wanted]
    if not found:
        return hostile_integer(rng, data)
    at = rng.choice(found)
    return data[:at] + struct.pack(kind, rng.choice(HOSTILE_INTEGERS) % (1 << (8 * width))) + data[at + width :]


def _text_matches(pattern: re.Pattern[bytes], rng: Random, data: bytes) -> list[re.Match[bytes]]:
    window = rng.choice((300, 2000, 20_000))
    return list(pattern.finditer(data[:window]))


def hostile_number(rng: Random, data: bytes) -> bytes:
    """Replace a number that stands in the text, keeping the width of its field half of the time."""
    found = _text_matches(_NUMBER, rng, data)
    if not found:
        return hostile_integer(rng, data)
    match = rng.choice(found)
    number = rng.choice(HOSTILE_NUMBERS)
    if rng.random() < 0.5:
        number = number[: match.end() - match.start()].ljust(match.end() - match.start())
    return data[: match.start()] + number + data[match.end() :]


def swap_words(rng: Random, data: bytes) -> bytes:
    """Exchange two words of the text, or spoil one."""
    found = _text_matches(_WORD, rng, data)
    if len(found) < 2:
        return swap_delimiters(rng, data)
    first, second = sorted(rng.sample(found, 2), key=lambda match: match.start())
    one, two = first.group(), second.group()
    if rng.random() < 0.3:
        one = two = rng.choice(
            (b"", b" " * 3000, one * 500, b"%s%n", b"\xc3\x28", b"\0", b"<!--", b"=cmd|x", one.swapcase())
        )
    return data[: first.start()] + two + data[first.end() : second.start()] + one + data[second.end() :]


def swap_delimiters(rng: Random, data: bytes) -> bytes:
    old, new = rng.sample((b"\n", b"\r\n", b",", b";", b"\t", b" ", b".", b'"', b"<", b">", b"=", b"/", b":", b"\0"), 2)
    return data.replace(old, new, rng.choice((1, 1, 3, -1)))


def shuffle_lines(rng: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    if len(lines) < 3:
        return move_block(rng, data)
    for _ in range(rng.choice((1, 2, 10))):
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[i], lines[j] = lines[j], rng.choice((lines[i], b"", lines[j]))
    if rng.random() < 0.2:
        lines[rng.randrange(len(lines))] *= 300
    return b"\n".join(lines)


def spoil_base64(rng: Random, data: bytes) -> bytes:
    """Spoil what is encoded in a text, so that it is still well encoded."""
    found = list(_BASE64.finditer(data))
    if not found:
        return fill_block(rng, data)
    match = rng.choice(found)
    try:
        inner = base64.b64decode(match.group(), validate=False)
    except ValueError:
        return flip_bits(rng, data)
    spoilt = rng.choice((truncate, flip_bits, repeat_block, delete_block))(rng, inner)
    return data[: match.start()] + base64.b64encode(spoilt) + data[match.end() :]


def spoil_compressed(rng: Random, data: bytes) -> bytes:
    """Spoil what is compressed in a zip or a zlib stream, so that it still unpacks."""
    spoil = rng.choice(PLAIN)
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, zlib.error, RuntimeError):
            return spoil(rng, data)
        if members:
            name = rng.choice(list(members))
            members[name] = spoil(rng, members[name])
        return zipped(members)
    if data[:2] == b"\x1f\x8b":
        try:
            return gzip.compress(spoil(rng, gzip.decompress(data)), mtime=0)
        except (OSError, EOFError, zlib.error):
            return spoil(rng, data)
    at = data.find(b"\x78\x9c", _where(rng, data))
    if at < 0:
        return spoil(rng, data)
    unpack = zlib.decompressobj()
    try:
        inner = unpack.decompress(data[at:])
    except zlib.error:
        return spoil(rng, data)
    packed = zlib.compress(spoil(rng, inner))
    used = len(data) - at - len(unpack.unused_data)
    # Of the same length where it fits, so that what comes after is still found.
    return data[:at] + packed.ljust(used, b"\0") + data[at + used :]


PLAIN: tuple[Mutator, ...] = (
    truncate,
    flip_bits,
    set_bytes,
    delete_block,
    repeat_block,
    fill_block,
    move_block,
    insert_bytes,
    hostile_integer,
    hostile_size,
    hostile_number,
    hostile_number,
    swap_words,
    swap_delimiters,
    shuffle_lines,
)
IN_PLACE: tuple[Mutator, ...] = (flip_bits, set_bytes, fill_block, hostile_integer, hostile_size)
"""What moves nothing, so that a binary format stays readable up to the spoilt place."""
MUTATORS: tuple[Mutator, ...] = (*PLAIN, *IN_PLACE, spoil_base64, spoil_compressed)
SUFFIXES = (
    ".hea",
    ".dat",
    ".edf",
    ".bdf",
    ".csv",
    ".tsv",
    ".mat",
    ".npy",
    ".npz",
    ".h5",
    ".dcm",
    ".xml",
    ".zip",
    ".tar.gz",
    "",
)


def mutated(rng: Random, own: list[Files], foreign: list[Files]) -> tuple[str, Files]:
    """Return what was done to a set of files, in words, and the result.

    Parameters
    ----------
    own
        Recordings in the format to spoil.
    foreign
        Recordings in other formats, to splice with.
    """
    files = dict(rng.choice(own))
    said = [next(iter(files))]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        name = rng.choice(list(files))
        what = rng.random()
        if what < 0.10:
            other = rng.choice(list(rng.choice(foreign if rng.random() < 0.3 else own).values()))
            data = files[name]
            files[name] = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
            said.append(f"splice({name})")
        elif what < 0.14:
            stem = (
                name.rsplit(".", 1)[0]
                if rng.random() < 0.8
                else rng.choice(("../x", "a\0b", "/etc/passwd", "x" * 300, "CON", " "))
            )
            files = {(stem + rng.choice(SUFFIXES) if key == name else key): data for key, data in files.items()}
            said.append(f"rename({name})")
        elif what < 0.18 and len(files) > 1:
            other_name = rng.choice(list(files))
            action = rng.choice(("drop", "empty", "exchange"))
            if action == "drop":
                del files[name]
            elif action == "empty":
                files[name] = b""
            else:
                files[name], files[other_name] = files[other_name], files[name]
            said.append(f"{action}({name})")
        else:
            packed = files[name][:2] in (b"PK", b"\x1f\x8b") or files[name].startswith(b"MATLAB")
            # Checksums would hide from the reader nearly all that is done to packed bytes.
            mutator = spoil_compressed if packed and rng.random() < 0.5 else rng.choice(MUTATORS)
            files[name] = mutator(rng, files[name])
            said.append(f"{mutator.__name__}({name})")
    if rng.random() < 0.04:
        files = {"packed.zip": zipped(files)}
        said.append("zip")
    return " ".join(said), files
