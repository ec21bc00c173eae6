"""MIT annotation files, both ways. Format: https://www.physionet.org/physiotools/wag/annot-5.htm."""

from __future__ import annotations

import math
import re
import struct

import numpy as np

from ecg_core.recording import Annotations

_SYMBOLS = {
    1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/", 13: "Q", 14: "~",
    16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=", 24: "p", 25: "B", 26: "^", 27: "t", 28: "+", 29: "u",
    30: "?", 31: "!", 32: "[", 33: "]", 34: "e", 35: "n", 36: "@", 37: "x", 38: "f", 39: "(", 40: ")", 41: "r",
}  # fmt: skip
_CODES = {symbol: code for code, symbol in _SYMBOLS.items()}
_NOTE, _LAST = 22, 49
_SKIP, _NUM, _SUB, _CHN, _AUX = 59, 60, 61, 62, 63
_RESOLUTION = re.compile(r"## time resolution: ([\d.]{1,20}(?:[eE][-+]?\d{1,2})?)")
_DEFINITION = re.compile(r"(\d{1,2}) (\S+) ?.*")
_MICROSECONDS = 1_000_000


def read_annotations(data: bytes, fs: float) -> Annotations | None:
    """Decode an annotation file, or return None where ``data`` is none.

    Parameters
    ----------
    data
        The file. It is taken for one only where it holds whole words, known codes, no negative times, and the end mark.
    fs
        Ticks per second where the file does not state its own time resolution: the record's frame rate.
    """
    if len(data) < 2 or len(data) % 2 or data[-2:] != b"\0\0":
        return None
    words = np.frombuffer(data, "<u2").tolist()
    marks: list[tuple[int, int, str]] = []
    time, at, end = 0, 0, len(words)
    while True:
        if at >= end:
            return None
        word = words[at]
        code, value = word >> 10, word & 1023
        at += 1
        if word == 0:
            break
        if code == _SKIP:
            if value or at + 2 > end:
                return None
            jump = (words[at] << 16) | words[at + 1]
            time += jump - (1 << 32) if jump >> 31 else jump
            at += 2
        elif code == _AUX:
            size = (value + 1) // 2
            if value > 255 or at + size > end or not marks:
                return None
            text = data[2 * at : 2 * at + value]
            marks[-1] = (*marks[-1][:2], text.decode("utf-8", "replace").strip("\0"))
            at += size
        elif code in (_NUM, _SUB, _CHN):
            if not marks:
                return None
        elif code > _LAST:
            return None
        else:
            time += value
            marks.append((time, code, ""))
    if any(words[at:]) or any(time < 0 for time, _, _ in marks):
        return None
    return _interpret(marks, fs)


def _interpret(marks: list[tuple[int, int, str]], fs: float) -> Annotations:
    """Apply and leave out the marks at time 0 that describe the file itself, and put the others in order."""
    symbols = dict(_SYMBOLS)
    kept: list[tuple[int, int, str]] = []
    defining = False
    for time, code, text in marks:
        about_the_file = code == _NOTE and time == 0
        if about_the_file and text.startswith("## "):
            defining = text == "## annotation type definitions"
            if (match := _RESOLUTION.match(text)) and _is_rate(match[1]):
                fs = float(match[1])
        elif about_the_file and defining:
            if (match := _DEFINITION.fullmatch(text)) and int(match[1]) <= _LAST:
                symbols[int(match[1])] = match[2]
        elif code:
            kept.append((time, code, text))
    kept.sort(key=lambda mark: mark[0])
    return Annotations(
        np.array([time for time, _, _ in kept], np.float64) / fs,
        tuple(symbols.get(code, f"[{code}]") for _, code, _ in kept),
        tuple(text for _, _, text in kept),
    )


def _is_rate(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def write_annotations(annotations: Annotations, fs: float) -> bytes:
    """Encode marks for a record of ``fs`` frames per second.

    Times that lie between the frames get a time resolution of their own, of a microsecond. A symbol that WFDB does not
    know becomes a note (``"``) with the symbol as its text; a text is cut at 255 bytes, the most the format holds.
    Marks before the first sample have no place in the format and are left out.
    """
    annotations = annotations.between(0.0, math.inf)
    ticks = annotations.time_s * fs
    exact = bool(np.all(np.abs(ticks - np.rint(ticks)) <= 1e-6 * fs))
    rate = fs if exact else float(_MICROSECONDS)
    parts = [] if exact else [_mark(0, _NOTE, f"## time resolution: {_MICROSECONDS}")]
    previous = 0
    times = np.rint(annotations.time_s * rate).astype(np.int64).tolist()
    for time, symbol, note in zip(times, annotations.symbol, annotations.note, strict=True):
        code = _CODES.get(symbol, _NOTE)
        text = note if symbol in _CODES else f"{symbol} {note}".strip()
        parts.append(_mark(time - previous, code, text))
        previous = time
    return b"".join(parts) + b"\0\0"


def _mark(interval: int, code: int, text: str) -> bytes:
    coded = b""
    if not 0 <= interval < 1024:
        while interval:
            jump = max(-(1 << 31), min(interval, (1 << 31) - 1))
            coded += struct.pack("<HHH", _SKIP << 10, jump >> 16 & 0xFFFF, jump & 0xFFFF)
            interval -= jump
    coded += struct.pack("<H", code << 10 | interval)
    if text:
        aux = text.encode()[:255].decode("utf-8", "ignore").encode()
        coded += struct.pack("<H", _AUX << 10 | len(aux)) + aux + b"\0" * (len(aux) % 2)
    return coded
