"""What a MAT file claims, checked before SciPy allocates for it.

SciPy takes the sizes in a MAT header at their word (a cell array of 2**31 x 2**31 is allocated before its first cell
is read) and inflates a compressed variable to its end. Here every variable of a v5 file is inflated once, within the
limits, and its tree of elements is walked: an array may not claim more entries than the bytes it has for them. What is
harmless is handed on as an uncompressed file, so that nothing is inflated twice; what only MATLAB could make sense of
(objects, function handles, sparse matrices) is left out by name.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, field

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._container import allowance, check_ratio
from ecg_core.readers.base import Limits

_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_REFUSED = {
    _OBJECT: "a MATLAB object, which is never loaded",
    _SPARSE: "a sparse matrix: save it as full(...)",
    _FUNCTION: "a function handle, which is never loaded",
    _OPAQUE: "a MATLAB object, which is never loaded",
}
_LAST_NUMERIC = 15
_NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 12, 13})
_TEXTS = frozenset({16, 17, 18})
"""Types of elements that hold numbers or text; SciPy crashes on some others."""
_COMPLEX = 0x0800
_MAX_DEPTH = 16
_V4_SIZES = (8, 4, 4, 2, 2, 1)


@dataclass
class Checked:
    """A MAT file that SciPy can be given."""

    content: bytes
    refused: dict[str, str] = field(default_factory=dict)
    """Variables left out, and why."""


def check_v5(data: bytes, file: str, limits: Limits) -> Checked:
    """Return a v5 file uncompressed, without the variables that are not read."""
    order = "<" if data[126:128] == b"IM" else ">"
    walker = _Walker(order, file, limits)
    checked = Checked(b"")
    parts = [data[:128]]
    position = 128
    total = 0
    while position + 8 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, position)
        if position + 8 + size > len(data):
            raise walker.damaged(f"a variable of {size} bytes where {len(data) - position - 8} are left")
        if kind == _COMPRESSED:
            element = _inflate(data[position + 8 : position + 8 + size], allowance(len(data), limits) - total, file)
        else:
            element = data[position : position + 8 + size]
        total += len(element)
        check_ratio(total, len(data), limits, file, "all variables")
        position += 8 + size
        if len(element) < 8:
            raise walker.damaged("an empty variable")
        kind, size = struct.unpack_from(order + "II", element)
        if kind != _MATRIX or 8 + size > len(element):
            raise walker.damaged(f"an element of type {kind} and {size} bytes where a variable was expected")
        name, why = walker.matrix(element, 8, 8 + size)
        if why:
            checked.refused[name] = why
        else:
            parts.append(element[: 8 + size])
    checked.content = b"".join(parts)
    return checked


def _inflate(packed: bytes, allowed: int, file: str) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        element = unpacker.decompress(packed, max(allowed, 1))
    except zlib.error as error:
        raise UnreadableFile(
            "a compressed variable is damaged", file=file, found=error, expected="a whole MAT file"
        ) from error
    if unpacker.unconsumed_tail:
        raise LimitExceeded(
            "its variables unpack to too much", file=file, found=f"over {allowed} bytes", expected=f"at most {allowed}"
        )
    if not unpacker.eof:
        raise UnreadableFile("a compressed variable is cut short", file=file, expected="a whole MAT file")
    return element


class _Walker:
    """Walks the elements of v5 variables."""

    def __init__(self, order: str, file: str, limits: Limits) -> None:
        self.order = order
        self.file = file
        self.limits = limits
        self.count = 0

    def damaged(self, found: str) -> UnreadableFile:
        return UnreadableFile(
            "the MAT file is damaged or cut short", file=self.file, found=found, expected="a MAT v5 file"
        )

    def element(
        self, data: bytes, position: int, end: int, kinds: frozenset[int] | None = None
    ) -> tuple[int, int, int]:
        """Return (start, size, start of the next element) of the element at ``position``, of one of ``kinds``."""
        if position + 8 > end:
            raise self.damaged("an element beyond the end of its variable")
        kind, size = struct.unpack_from(self.order + "II", data, position)
        if kind >> 16:
            start, kind, size, following = position + 4, kind & 0xFFFF, kind >> 16, position + 8
            fits = size <= 4
        else:
            start = position + 8
            following = start + size + -size % 8
            fits = start + size <= end
        if not fits:
            raise self.damaged(f"an element of {size} bytes beyond the end of its variable")
        if kinds is not None and kind not in kinds:
            raise self.damaged(f"an element of type {kind} where one of {sorted(kinds)} was expected")
        return start, size, following

    def matrix(self, data: bytes, position: int, end: int, depth: int = 0) -> tuple[str, str | None]:
        """Check one array and all within it; return its name and why it is not read, if so."""
        self.count += 1
        if self.count > self.limits.max_entries or depth > _MAX_DEPTH:
            raise LimitExceeded(
                "too many arrays, or too deep",
                file=self.file,
                found=f"{self.count} arrays, {depth} levels",
                expected=f"at most {self.limits.max_entries} and {_MAX_DEPTH}",
            )
        if position == end:
            return "", None
        start, size, position = self.element(data, position, end)
        if size != 8:
            raise self.damaged(f"array flags of {size} bytes")
        flags = struct.unpack_from(self.order + "I", data, start)[0]
        kind = flags & 0xFF
        if kind == _OPAQUE:
            start, size, _ = self.element(data, position, end)
            return _name(data, start, size), _REFUSED[kind]
        start, size, position = self.element(data, position, end)
        if size % 4 or not 8 <= size <= 128:
            raise self.damaged(f"dimensions of {size} bytes")
        shape = struct.unpack_from(f"{self.order}{size // 4}i", data, start)
        entries = math.prod(shape)
        if min(shape) < 0 or entries > end - position:
            raise self.damaged(f"an array of {' x '.join(map(str, shape))} in {end - position} bytes")
        start, size, position = self.element(data, position, end)
        name = _name(data, start, size)
        if kind in _REFUSED:
            return name, _REFUSED[kind]
        if kind == _STRUCT:
            start, size, position = self.element(data, position, end)
            longest = struct.unpack_from(self.order + "i", data, start)[0] if size == 4 else 0
            _, size, position = self.element(data, position, end)
            if longest <= 0 or size % longest:
                raise self.damaged(f"field names of {size} bytes, {longest} each")
            entries *= size // longest
        elif kind != _CELL:
            if not _CHAR <= kind <= _LAST_NUMERIC:
                raise self.damaged(f"an array of class {kind}")
            *_, position = self.element(data, position, end, _NUMBERS | _TEXTS if kind == _CHAR else _NUMBERS)
            if flags & _COMPLEX:
                *_, position = self.element(data, position, end, _NUMBERS)
            self._whole(position, end, depth)
            return name, None
        if entries * 8 > end - position:
            raise self.damaged(f"{entries} cells or fields in {end - position} bytes")
        why = None
        for _ in range(entries):
            start, size, position = self.element(data, position, end)
            inner = self.matrix(data, start, start + size, depth + 1)[1]
            why = why or (inner and f"holds {inner}")
        self._whole(position, end, depth)
        return name, why

    def _whole(self, position: int, end: int, depth: int) -> None:
        # SciPy reads on where an inner array ends, whatever size it states; both must be looking at the same bytes.
        if depth and position != end:
            raise self.damaged(f"an inner array that ends {end - position} bytes early")


def _name(data: bytes, start: int, size: int) -> str:
    return data[start : start + size].decode("latin-1") or "(unnamed)"


def check_v4(data: bytes, file: str) -> Checked:
    """Return a v4 file without the variables that are not read, after checking the size of each."""
    checked = Checked(b"")
    parts = []
    position = 0
    while position + 20 <= len(data):
        order = v4_order(data, position)
        if order is None:
            raise UnreadableFile(
                "the MAT file is damaged", file=file, found=f"no variable at byte {position}", expected="a MAT v4 file"
            )
        kind, rows, columns, imaginary, length = struct.unpack_from(order + "5I", data, position)
        size = rows * columns * _V4_SIZES[kind % 100 // 10] * (1 + imaginary)
        end = position + 20 + length + size
        name = data[position + 20 : position + 20 + length].rstrip(b"\0").decode("latin-1")
        if end > len(data):
            raise UnreadableFile(
                "the MAT file is cut short",
                file=file,
                field=name,
                found=f"{len(data) - position - 20 - length} bytes",
                expected=f"{size} bytes for {rows} x {columns}",
            )
        if kind % 10 == 2:
            checked.refused[name] = _REFUSED[_SPARSE]
        elif imaginary:
            checked.refused[name] = "complex numbers"
        else:
            parts.append(data[position:end])
        position = end
    checked.content = b"".join(parts)
    return checked


def v4_order(data: bytes, position: int = 0) -> str | None:
    """Return the byte order of the v4 variable at ``position``, or None where none stands there."""
    if len(data) < position + 21:
        return None
    for order, base in (("<", 0), (">", 1000)):
        kind, _, _, imaginary, length = struct.unpack_from(order + "5I", data, position)
        digits = kind - base
        if not 0 <= digits <= 52 or digits // 10 > 5 or digits % 10 > 2 or imaginary > 1 or not 2 <= length <= 65:
            continue
        name = data[position + 20 : position + 20 + length]
        text = name.removesuffix(b"\0").decode("latin-1")
        if text.isascii() and text.isidentifier() and (name.endswith(b"\0") or len(name) < length):
            return order
    return None
