"""What passes between a reading process and its parent: a JSON header and raw numbers, nothing that could be executed.

A frame is the length of its header, the length of its payload, the header (JSON) and the payload. The parent takes
nothing in it on trust: every length is bounded before anything is allocated, shapes have to match byte counts, and the
`Recording` is built, and so validated, anew.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np

from ecg_core.errors import EcgError, LimitExceeded
from ecg_core.readers.base import Files, Limits, ReadOptions, check_size
from ecg_core.recording import Annotations, Recording, Source, Step, Subject

MAX_HEADER_BYTES = 16 * 1024**2
MAX_NAME = 200
"""Characters of a lead's name."""
MAX_TEXT = 2000
"""Characters of each part of an error's message."""
OUT_OF_MEMORY = 77
"""Exit status of a worker that could not even take in the files."""
_HEAD = struct.Struct(">IQ")


class ProtocolError(Exception):
    """The other side sent something that is no valid frame."""


class Line:
    """One end of the connection, with a deadline for everything that passes over it."""

    def __init__(self, sock: socket.socket) -> None:
        """Take over ``sock``; without a deadline it blocks for as long as it takes."""
        self.sock = sock
        self.deadline: float | None = None
        """On the clock of `time.monotonic`; passing it raises TimeoutError."""

    def _arm(self) -> None:
        if self.deadline is None:
            return
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def send(self, header: bytes, *buffers: memoryview | bytes) -> None:
        """Send one frame."""
        size = sum(memoryview(buffer).nbytes for buffer in buffers)
        for part in (_HEAD.pack(len(header), size) + header, *buffers):
            self._arm()
            self.sock.sendall(part)

    def receive(self) -> tuple[dict[str, Any], int]:
        """Return the next frame's header and the size of its payload, which is still to be taken."""
        length, size = _HEAD.unpack(self.take(_HEAD.size))
        if length > MAX_HEADER_BYTES:
            raise ProtocolError(f"a header of {length} bytes")
        try:
            header = json.loads(self.take(length))
        except (ValueError, RecursionError) as error:
            raise ProtocolError("a header that is no JSON") from error
        if not isinstance(header, dict):
            raise ProtocolError("a header that is no object")
        return header, size

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        parts = []
        while size:
            self._arm()
            part = self.sock.recv(min(size, 1 << 30), socket.MSG_WAITALL)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def take_array(self, dtype: type[np.generic], shape: tuple[int, ...]) -> np.ndarray:
        """Return the next numbers as a read-only array."""
        array = np.empty(shape, dtype)
        # A memoryview of an array with a zero in its shape cannot be cast.
        view = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        while view:
            self._arm()
            count = self.sock.recv_into(view)
            if not count:
                raise EOFError
            view = view[count:]
        array.setflags(write=False)
        return array


def pack(header: Mapping[str, Any]) -> bytes:
    """Return ``header`` as JSON, within the size that the other side accepts."""
    text = json.dumps(header, default=_plain).encode("ascii")
    if len(text) > MAX_HEADER_BYTES:
        raise LimitExceeded(
            "holds too much beside the signal", found=f"{len(text)} bytes", expected=f"at most {MAX_HEADER_BYTES}"
        )
    return text


def _plain(value: object) -> object:
    """Return a JSON-ready form of what format libraries leave among a subject's facts and a step's parameters."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else str(value)


def encode_options(options: ReadOptions) -> dict[str, Any]:
    """Return ``options`` JSON-ready."""
    return asdict(options)


def decode_options(fields: Mapping[str, Any]) -> ReadOptions:
    """Return the options that `encode_options` described."""
    leads = fields["leads"]
    return ReadOptions(
        **{**fields, "leads": None if leads is None else tuple(leads), "limits": Limits(**fields["limits"])}
    )


def encode_recording(recording: Recording, limits: Limits) -> tuple[dict[str, Any], list[memoryview]]:
    """Return the JSON-ready part of ``recording``, and its samples and the times of its annotations as raw bytes."""
    source = recording.source
    name = source.name if source else "recording"
    check_size(recording.n_leads, recording.n_samples, limits, name)
    if longest := max((lead for lead in recording.leads if len(lead) > MAX_NAME), key=len, default=None):
        raise LimitExceeded(
            "a lead's name is too long", file=name, found=f"{len(longest)} characters", expected=f"at most {MAX_NAME}"
        )
    fields = {
        "leads": recording.leads,
        "fs": recording.fs,
        "n_samples": recording.n_samples,
        "subject": recording.subject.to_dict(),
        "start": recording.start.isoformat() if recording.start else None,
        "source": asdict(source) if source else None,
        "history": [[step.name, dict(step.parameters)] for step in recording.history],
        "warnings": recording.warnings,
        "derived": recording.derived,
        "annotations": [[key, marks.symbol, marks.note] for key, marks in recording.annotations.items()],
    }
    arrays = [recording.signal, *(marks.time_s for marks in recording.annotations.values())]
    return fields, [array.reshape(-1).view(np.uint8).data for array in arrays if array.size]


def decode_recording(fields: Any, size: int, limits: Limits, line: Line) -> Recording:
    """Build the recording that ``fields`` describe, its arrays taken from ``line``.

    Parameters
    ----------
    size
        Bytes of the frame's payload.

    Raises
    ------
    ProtocolError
        The description is inconsistent, exceeds the limits, or is no valid recording.
    """
    try:
        leads = _texts(fields["leads"])
        n_samples = int(fields["n_samples"])
        annotations = [(str(key), _texts(symbol), _texts(note)) for key, symbol, note in fields["annotations"]]
        if len(leads) > limits.max_channels or not 0 < len(leads) * n_samples <= limits.max_values:
            raise ProtocolError(f"{len(leads)} leads of {n_samples} samples")
        if max(map(len, leads)) > MAX_NAME:
            raise ProtocolError("a lead's name that is too long")
        if size != 4 * len(leads) * n_samples + 8 * sum(len(symbol) for _, symbol, _ in annotations):
            raise ProtocolError(f"{size} bytes for {len(leads)} leads of {n_samples} samples and their annotations")
        subject = fields["subject"]
        return Recording(
            signal=line.take_array(np.float32, (len(leads), n_samples)),
            fs=float(fields["fs"]),
            leads=leads,
            subject=Subject(
                id=_maybe_text(subject["id"]),
                age=None if subject["age"] is None else float(subject["age"]),
                sex=subject["sex"],
                facts=dict(subject["facts"]),
            ),
            start=None if fields["start"] is None else datetime.fromisoformat(fields["start"]),
            source=None if fields["source"] is None else Source(**{k: _text(v) for k, v in fields["source"].items()}),
            history=tuple(Step(_text(name), dict(parameters)) for name, parameters in fields["history"]),
            warnings=_texts(fields["warnings"]),
            derived=_texts(fields["derived"]),
            annotations={
                key: Annotations(line.take_array(np.float64, (len(symbol),)), symbol, note)
                for key, symbol, note in annotations
            },
        )
    except (EcgError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ProtocolError(f"no valid recording ({type(error).__name__})") from error


def decode_files(sizes: Any, size: int, sent: Files, limits: Limits, line: Line) -> dict[str, bytes]:
    """Return the files of one recording: those that were unpacked from ``line``, the others as they were sent.

    Parameters
    ----------
    sizes
        Labels with the lengths of their contents, None for those that were sent.
    size
        Bytes of the frame's payload.
    """
    try:
        lengths = {_text(label): None if length is None else int(length) for label, length in sizes}
        new = [length for length in lengths.values() if length is not None]
        if min(new, default=0) < 0 or sum(new) != size or size > limits.max_total_bytes:
            raise ProtocolError(f"files of {size} bytes")
        return {label: sent[label] if length is None else line.take(length) for label, length in lengths.items()}
    except (TypeError, ValueError, KeyError) as error:
        raise ProtocolError(f"no valid files ({type(error).__name__})") from error


def decode_error(fields: Any) -> EcgError:
    """Build the error that ``fields`` describe, its texts cut to a bounded length."""
    try:
        texts = {
            key: None if value is None else _text(value)[:MAX_TEXT] for key, value in fields.items() if key != "options"
        }
        return EcgError.from_dict({**texts, "options": [text[:MAX_TEXT] for text in _texts(fields["options"])[:100]]})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"no valid error ({type(error).__name__})") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _maybe_text(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(_text(value) for value in values)
