"""Where everything lies in an EDF or BDF file, checked against its size; and its time-stamped annotations."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._texts import clean_text
from ecg_core.readers.base import Limits, check_size

MAGIC = {b"0       ": ("EDF", 2), b"\xffBIOSEMI": ("BDF", 3)}
"""Version field -> (name, bytes a sample)."""
_MOST_RECORDS = 10_000_000
_TAL = re.compile(rb"([+-]\d{1,15}(?:\.\d{0,30})?)(?:\x15(\d{1,15}(?:\.\d{0,30})?))?")


@dataclass(frozen=True)
class Layout:
    """The figures of a header that decide where every sample lies."""

    kind: str
    """``"EDF"`` or ``"BDF"``."""
    sample_bytes: int
    reserved: str
    """``"EDF+C"``, ``"EDF+D"``, ... or empty."""
    header_bytes: int
    n_records: int
    duration: float
    """Seconds of one data record; 0 where the file does not say."""
    widths: tuple[int, ...]
    """Samples a data record of every signal, annotation signals included."""
    labels: tuple[str, ...]

    @property
    def record_bytes(self) -> int:
        """Bytes of one data record."""
        return sum(self.widths) * self.sample_bytes

    @property
    def ordinary(self) -> tuple[int, ...]:
        """Indices of the signals that are not annotations."""
        return tuple(i for i, label in enumerate(self.labels) if label != f"{self.kind} Annotations")

    @property
    def discontinuous(self) -> bool:
        """Whether the file says that its data records do not follow each other."""
        return self.reserved.startswith(f"{self.kind}+D")

    def whole(self, data: bytes) -> bytes:
        """Return ``data`` with exactly its data records and a header that says so, in spaces and points."""
        end = self.header_bytes + self.n_records * self.record_bytes
        duration = data[244:252].replace(b",", b".") if self.duration else b"1".ljust(8)
        figures = str(self.n_records).encode().ljust(8) + duration
        header = (data[:236] + figures + data[252 : self.header_bytes]).replace(b"\0", b" ")
        return data if len(data) == end and data.startswith(header) else header + data[self.header_bytes : end]


@dataclass(frozen=True)
class Mark:
    """One annotation."""

    onset: float
    """Seconds after the start time in the header."""
    duration: float | None
    text: str


def read_layout(data: bytes, file: str, limits: Limits) -> Layout:
    """Read the header's figures; refuse what does not fit the file or the limits."""
    if data[:8] not in MAGIC or len(data) < 256:
        raise UnreadableFile(
            "not an EDF or BDF header",
            file=file,
            found=f"{len(data)} bytes starting {data[:8]!r}",
            expected="256 bytes starting with the version",
        )
    kind, sample_bytes = MAGIC[data[:8]]
    n_signals = _whole(data[252:256], file, "number of signals")
    header_bytes = _whole(data[184:192], file, "bytes in header")
    check_size(n_signals, 0, limits, file)
    if n_signals < 1 or header_bytes != 256 * (n_signals + 1) or len(data) < header_bytes:
        raise UnreadableFile(
            "the header is damaged or cut short",
            file=file,
            found=f"{n_signals} signals, {header_bytes} bytes of header in a file of {len(data)}",
            expected="256 bytes for the file and for every signal",
        )
    first = 256 + 216 * n_signals
    fields = [data[first + 8 * i : first + 8 * i + 8] for i in range(n_signals)]
    widths = tuple(_whole(text, file, f"samples in a data record of signal {i + 1}") for i, text in enumerate(fields))
    if min(widths) < 1:
        raise UnreadableFile(
            "a signal without samples", file=file, found=min(widths), expected="1 or more a data record"
        )
    layout = Layout(
        kind=kind,
        sample_bytes=sample_bytes,
        reserved=_text(data[192:236]),
        header_bytes=header_bytes,
        n_records=_n_records(data, header_bytes, sum(widths) * sample_bytes, file),
        duration=_seconds(data[244:252], file),
        widths=widths,
        labels=tuple(
            data[256 + 16 * i : 272 + 16 * i].replace(b"\0", b" ").decode("latin-1").rstrip() for i in range(n_signals)
        ),
    )
    if not layout.ordinary:
        raise UnreadableFile("holds annotations only", file=file, expected="at least one signal")
    check_size(len(layout.ordinary), layout.n_records * max(widths[i] for i in layout.ordinary), limits, file)
    return layout


def _n_records(data: bytes, header_bytes: int, record_bytes: int, file: str) -> int:
    """Settle the number of data records; -1 in the header means that the recording device did not fill it in."""
    stated = _whole(data[236:244], file, "number of data records")
    held = (len(data) - header_bytes) // record_bytes
    n_records = held if stated == -1 else stated
    if n_records < 1 or held < n_records:
        raise UnreadableFile(
            "the file is cut short" if n_records > 0 else "the file holds no data records",
            file=file,
            found=f"{held} whole data records",
            expected=f"{n_records}, as its header says" if n_records > 0 else "at least one",
        )
    if n_records > _MOST_RECORDS:
        raise LimitExceeded("too many data records", file=file, found=n_records, expected=f"at most {_MOST_RECORDS}")
    return n_records


def _text(field: bytes) -> str:
    return field.decode("latin-1").strip(" \0")


def _whole(field: bytes, file: str, what: str) -> int:
    text = _text(field)
    if not re.fullmatch(r"[+-]?\d{1,8}", text):
        raise UnreadableFile(
            "the header is damaged", file=file, field=what, found=repr(text), expected="a whole number"
        )
    return int(text)


def _seconds(field: bytes, file: str) -> float:
    text = _text(field).replace(",", ".")
    value = (
        float(text) if re.fullmatch(r"\+?[\d.]{1,8}(?:[eE][+-]?\d{1,3})?", text) and text.count(".") < 2 else math.nan
    )
    if not math.isfinite(value):
        raise UnreadableFile(
            "the header is damaged", file=file, field="duration of a data record", found=repr(text), expected="seconds"
        )
    return value


def read_marks(data: bytes, layout: Layout) -> tuple[np.ndarray, list[Mark], int]:
    """Read the annotation signals.

    Returns
    -------
    The onset of each data record in seconds, float64 of shape (n_records,), NaN where it is not stated; the
    annotations; and the number of those that could not be read.
    """
    onsets = np.full(layout.n_records, np.nan)
    marks: list[Mark] = []
    damaged = 0
    blocks = np.frombuffer(data, np.uint8, layout.n_records * layout.record_bytes, layout.header_bytes)
    records = blocks.reshape(layout.n_records, layout.record_bytes)
    ends = np.cumsum(layout.widths) * layout.sample_bytes
    annotation_signals = [i for i in range(len(layout.widths)) if i not in layout.ordinary]
    for order, index in enumerate(annotation_signals):
        columns = records[:, ends[index] - layout.widths[index] * layout.sample_bytes : ends[index]]
        for number, row in enumerate(np.ascontiguousarray(columns)):
            for chunk in row.tobytes().split(b"\0"):
                if not chunk:
                    continue
                head, *texts = chunk.split(b"\x14")
                if (match := _TAL.fullmatch(head)) is None or not texts:
                    damaged += 1
                    continue
                onset = float(match[1])
                if order == 0 and not texts[0] and math.isnan(onsets[number]):
                    onsets[number] = onset
                duration = float(match[2]) if match[2] else None
                marks += [Mark(onset, duration, text) for raw in texts if (text := clean_text(raw, 500))]
    return onsets, marks, damaged
