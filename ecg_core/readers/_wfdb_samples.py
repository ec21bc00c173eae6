"""The binary half of WFDB: signal files to ADC values. Formats: https://www.physionet.org/physiotools/wag/signal-5.htm."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._wfdb_header import SignalLine
from ecg_core.readers.base import Limits

FLAC = {508: 8, 516: 16, 524: 24}
"""Formats that are FLAC streams, and their bits a sample."""
INVALID = {
    16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15), 212: -(2**11),
    310: -(2**9), 311: -(2**9), 508: -(2**7), 516: -(2**15), 524: -(2**23),
}  # fmt: skip
"""The ADC value that marks a missing sample; format 8 has none."""
_PACKING = {
    8: (1, 1), 16: (1, 2), 24: (1, 3), 32: (1, 4), 61: (1, 2), 80: (1, 1), 160: (1, 2),
    212: (2, 3), 310: (3, 4), 311: (3, 4),
}  # fmt: skip
"""(samples, bytes) of the smallest whole group."""


def read_signal_file(
    lines: Sequence[SignalLine], data: bytes, n_frames: int | None, file: str, limits: Limits
) -> list[np.ndarray]:
    """Decode the signals that share one file.

    Parameters
    ----------
    lines
        Their header lines, in order.
    data
        The file.
    n_frames
        Frames to read; None reads all there are.

    Returns
    -------
    ADC values, one integer array of shape (n_frames * samples per frame,) a signal, not yet shifted by its skew.
    """
    form, offset = lines[0].format, lines[0].byte_offset
    if any(line.format != form or (line.byte_offset or offset) != offset for line in lines):
        raise UnreadableFile(
            "signals of one file differ in format or byte offset",
            file=file,
            found=", ".join(sorted({f"{line.format}+{line.byte_offset}" for line in lines})),
            expected="the same for all of them",
        )
    if form not in _PACKING and form not in FLAC:
        raise UnreadableFile(
            "unknown WFDB signal format",
            file=file,
            found=form,
            options=[str(number) for number in sorted([*_PACKING, *FLAC])],
        )
    widths = [line.samples_per_frame for line in lines]
    if form in FLAC:
        return _read_flac(widths, data, n_frames, file, limits, offset, FLAC[form])
    width = sum(widths)
    held = _capacity(form, max(0, len(data) - offset)) // width
    wanted = _frames(held, n_frames, file)
    edges = [0, *np.cumsum(widths).tolist()]
    flat = _decode(form, data, offset, wanted * width).reshape(wanted, width)
    parts = [flat[:, a:b].reshape(-1) for a, b in pairwise(edges)]
    if form == 8:
        parts = [line.first_value + np.cumsum(part, dtype=np.int64) for line, part in zip(lines, parts, strict=True)]
    return parts


def _frames(held: int, stated: int | None, file: str) -> int:
    """Settle the number of frames between what the file holds and what the header states."""
    wanted = held if stated is None else stated
    if held < wanted or wanted == 0:
        raise UnreadableFile(
            "the signal file is cut short" if wanted else "the signal file holds no samples",
            file=file,
            found=f"{held} whole samples a signal",
            expected=f"{wanted}, as its header says" if wanted else "at least one",
        )
    return wanted


def _capacity(form: int, n_bytes: int) -> int:
    """Return how many whole samples fit into ``n_bytes``."""
    samples, size = _PACKING[form]
    # The second sample of a 310 group ends in the group's last byte.
    partial = 1 if form == 310 and n_bytes % size == 3 else n_bytes % size * samples // size
    return n_bytes // size * samples + partial


def _decode(form: int, data: bytes, offset: int, count: int) -> np.ndarray:
    """Return the first ``count`` ADC values after ``offset`` in file order, as integers that hold them."""
    plain = {8: "<i1", 16: "<i2", 32: "<i4", 61: ">i2", 80: "<u1", 160: "<u2"}
    if form in plain:
        stored = np.frombuffer(data, plain[form], count, offset)
        if form == 80:
            return stored.astype(np.int16) - np.int16(128)
        return stored.astype(np.int32) - np.int32(32768) if form == 160 else stored
    samples, size = _PACKING[form]
    n_groups = -(-count // samples)
    chunk = data[offset : offset + n_groups * size].ljust(n_groups * size, b"\0")
    return _UNPACK[form](chunk)[:count]


def _unpack_24(chunk: bytes) -> np.ndarray:
    wide = np.zeros((len(chunk) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(chunk, np.uint8).reshape(-1, 3)
    values: np.ndarray = wide.view("<i4")[:, 0] >> 8
    return values


def _unpack_212(chunk: bytes) -> np.ndarray:
    low, middle, high = np.frombuffer(chunk, np.uint8).reshape(-1, 3).T.astype(np.int16)
    # Shifting up to the sign bit and back down extends the sign of the 12-bit values.
    return np.stack([(middle << 12) >> 4 | low, (middle << 8) >> 12 << 8 | high], axis=1).reshape(-1)


def _unpack_310(chunk: bytes) -> np.ndarray:
    first, second = np.frombuffer(chunk, "<u2").reshape(-1, 2).T
    third = (first >> 11) | (second >> 11 << 5)
    return _ten_bits([first >> 1, second >> 1, third])


def _unpack_311(chunk: bytes) -> np.ndarray:
    word = np.frombuffer(chunk, "<u4")
    return _ten_bits([word, word >> 10, word >> 20])


def _ten_bits(parts: list[np.ndarray]) -> np.ndarray:
    values = np.stack(parts, axis=1).astype(np.uint16).reshape(-1)
    signed: np.ndarray = (values << 6).view(np.int16) >> 6
    return signed


_UNPACK: dict[int, Callable[[bytes], np.ndarray]] = {
    24: _unpack_24,
    212: _unpack_212,
    310: _unpack_310,
    311: _unpack_311,
}


def _read_flac(
    widths: list[int], data: bytes, n_frames: int | None, file: str, limits: Limits, offset: int, bits: int
) -> list[np.ndarray]:
    import soundfile

    if data[:4] != b"fLaC":
        raise UnreadableFile("not a FLAC stream", file=file, found=repr(data[:4]), expected="fLaC")
    width = widths[0]
    with soundfile.SoundFile(io.BytesIO(data)) as stream:
        depth = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}.get(stream.subtype, 99)
        if stream.channels != len(widths) or set(widths) != {width} or depth > bits:
            raise UnreadableFile(
                "the FLAC stream is not what its header says",
                file=file,
                found=f"{stream.channels} channels of {stream.subtype}",
                expected=f"{len(widths)} channels of at most {bits} bits, the same samples per frame in all",
            )
        wanted = _frames(max(0, stream.frames - offset) // width, n_frames, file) * width
        if wanted * len(widths) > limits.max_values:
            raise LimitExceeded(
                "the recording is too large",
                file=file,
                found=f"{len(widths)} channels x {wanted} samples",
                expected=f"at most {limits.max_values} values",
            )
        stream.seek(offset)
        blocks = []
        while wanted > 0 and len(block := stream.read(min(wanted, 1 << 20), dtype="int32", always_2d=True)):
            blocks.append(block >> (32 - depth))
            wanted -= len(block)
    if wanted > 0:
        raise UnreadableFile("the FLAC stream is cut short", file=file, found=f"{wanted} samples missing")
    return list(np.concatenate(blocks).T)
