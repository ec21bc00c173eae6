"""From a WFDB header and its files to physical values: one record, or many segments joined into one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._units import unit_to_mv
from ecg_core.readers._wfdb_header import NULL_FILE, Header, SignalLine, parse_header
from ecg_core.readers._wfdb_samples import INVALID, read_signal_file
from ecg_core.readers.base import Files, ReadOptions, check_size

DEFAULT_FS = 250.0
_DEFAULT_GAIN = 200.0


def folder_of(name: str) -> str:
    """Return the part of a label up to its last slash: header and files that it names share it."""
    return name[: name.rfind("/") + 1]


class Labels:
    """The names of the files at hand, found exactly or, where only one fits, regardless of case."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lower: dict[str, list[str]] | None = None

    def locate(self, label: str) -> str | None:
        """Return the label under which a file is there."""
        if label in self._files:
            return label
        if self._lower is None:
            self._lower = {}
            for other in self._files:
                self._lower.setdefault(other.lower(), []).append(other)
        same = self._lower.get(label.lower(), [])
        return same[0] if len(same) == 1 else None


@dataclass
class RecordSignal:
    """One signal in physical units."""

    name: str | None
    unit: str | None
    width: int
    """Samples per frame."""
    values: np.ndarray
    unit_rule: str | None = None
    """How the unit was settled where the header does not state it."""


class RecordFiles:
    """The files of one record, and what was noted while reading them."""

    def __init__(self, name: str, files: Files, options: ReadOptions, notes: list[str]) -> None:
        self.name = name
        self.files = files
        self.options = options
        self.notes = notes
        self.labels = Labels(files)

    def data(self, asked: str) -> tuple[str, bytes]:
        label = self.labels.locate(folder_of(self.name) + asked)
        if label is None:
            there = [other for other in self.files if other != self.name]
            raise UnreadableFile(
                "a file that the record names is not there",
                file=self.name,
                found=", ".join(there[:8]) + (", ..." if len(there) > 8 else "") or "the header alone",
                expected=folder_of(self.name) + asked,
            )
        return label, self.files[label]

    def signals(self, header: Header, file: str, n_frames: int | None = None) -> list[RecordSignal]:
        """Return the signals of one record that stands for itself; ``n_frames`` is what it must hold, where known."""
        lines = header.signals
        n_frames = header.n_frames if n_frames is None else n_frames
        widest = max(line.samples_per_frame for line in lines)
        check_size(len(lines), (n_frames or 1) * widest, self.options.limits, file)
        groups: dict[str, list[int]] = {}
        for index, line in enumerate(lines):
            groups.setdefault(line.file, []).append(index)
        stored: dict[int, np.ndarray] = {}
        for asked, members in groups.items():
            if asked != NULL_FILE:
                label, data = self.data(asked)
                group = [lines[index] for index in members]
                arrays = read_signal_file(group, data, n_frames, label, self.options.limits)
                stored |= dict(zip(members, arrays, strict=True))
        lengths = {len(values) // lines[index].samples_per_frame for index, values in stored.items()}
        if len(lengths) > 1:
            self.notes.append(f"length: the signal files hold {min(lengths)} to {max(lengths)} samples a signal")
        frames = max(lengths, default=n_frames or 0)
        check_size(len(lines), frames * widest, self.options.limits, file)
        return [self._physical(line, stored.get(index), frames) for index, line in enumerate(lines)]

    def _physical(self, line: SignalLine, stored: np.ndarray | None, n_frames: int) -> RecordSignal:
        """Turn ADC values into physical ones: baseline, gain, missing samples, skew; and check their sum."""
        width, shown = line.samples_per_frame, line.name or "(unnamed)"
        if stored is None:
            return RecordSignal(line.name, line.unit or "mV", width, np.full(n_frames * width, np.nan))
        # Many writers put 0 for "not computed".
        if line.checksum and (int(stored.sum(dtype=np.int64)) - line.checksum) & 0xFFFF:
            self.notes.append(f"checksum: the samples of {shown} are not those that the header was written for")
        values = stored.astype(np.float64)
        gain, unit, rule = line.gain, line.unit, None
        if gain is None and self.options.units is None:
            gain, unit = _DEFAULT_GAIN, unit or "mV"
            rule = f"{_DEFAULT_GAIN:g} ADC units per {unit}, the default of WFDB: the header states no gain"
        elif gain is None:
            gain, unit = 1.0, None
        elif unit is None:
            unit, rule = "mV", "mV, the default of WFDB: the header states none"
        if line.baseline:
            values -= line.baseline
        values /= gain
        if (invalid := INVALID.get(line.format)) is not None:
            values[stored == invalid] = np.nan
        if shift := min(line.skew * width, len(values)):
            values = np.concatenate([values[shift:], np.full(shift, np.nan)])
            self.notes.append(f"skew: {shown} is brought forward by {line.skew} samples, as the header asks")
        return RecordSignal(line.name, unit, width, values, rule)

    def joined(self, master: Header) -> list[RecordSignal]:
        """Return the signals of a multi-segment record over its whole length; NaN where a segment lacks one."""
        limits = self.options.limits
        if len(master.segments) > limits.max_entries:
            raise LimitExceeded(
                "too many segments",
                file=self.name,
                found=len(master.segments),
                expected=f"at most {limits.max_entries}",
            )
        first, first_length = master.segments[0]
        layout = None
        segments = list(master.segments)
        if first_length == 0 and first != NULL_FILE:
            layout = self._segment_header(first, master)
            segments = segments[1:]
        total = sum(length for _, length in segments)
        check_size(master.n_signals, total, limits, self.name)
        if master.n_frames is not None and master.n_frames != total:
            self.notes.append(
                f"length: the header states {master.n_frames} samples a signal, its segments have {total}"
            )
        result = self._blanks(layout, total) if layout else []
        at = 0
        for segment, length in segments:
            if segment != NULL_FILE and length:
                header = self._segment_header(segment, master)
                if header.n_frames is not None and header.n_frames != length:
                    raise UnreadableFile(
                        "a segment is not as long as its record says",
                        file=self.name,
                        found=f"{header.n_frames} samples a signal in {segment}.hea",
                        expected=str(length),
                    )
                if not result:
                    result = self._blanks(header, total)
                self._place(result, header, segment, at, length, by_name=layout is not None)
            at += length
        if not result:
            raise UnreadableFile("every segment is empty", file=self.name, expected="at least one recorded segment")
        return result

    def _segment_header(self, segment: str, master: Header) -> Header:
        label, data = self.data(f"{segment}.hea")
        header = parse_header(data, label)
        if header.segments:
            raise UnreadableFile(
                "a segment has segments of its own", file=label, expected="a record with signals of its own"
            )
        if (header.fs or DEFAULT_FS) != (master.fs or DEFAULT_FS):
            raise UnreadableFile(
                "a segment has a rate of its own",
                file=label,
                found=f"{header.fs} Hz",
                expected=f"{master.fs} Hz, as in {self.name}",
            )
        return header

    def _blanks(self, header: Header, n_frames: int) -> list[RecordSignal]:
        widest = max(line.samples_per_frame for line in header.signals)
        check_size(len(header.signals), n_frames * widest, self.options.limits, self.name)
        # Float32 is what a recording keeps, and empty segments cost no bytes in the file.
        return [
            RecordSignal(
                line.name, None, line.samples_per_frame, np.full(n_frames * line.samples_per_frame, np.nan, np.float32)
            )
            for line in header.signals
        ]

    def _place(
        self, result: Sequence[RecordSignal], header: Header, segment: str, at: int, length: int, *, by_name: bool
    ) -> None:
        """Copy one segment's signals to where they belong: by name in a variable layout, by position in a fixed one."""
        parts = self.signals(header, f"{segment}.hea", length)
        named = {signal.name: signal for signal in result}
        for index, part in enumerate(parts):
            target = named.get(part.name) if by_name else result[index] if len(parts) == len(result) else None
            if target is None or target.width != part.width or part.name != target.name:
                raise UnreadableFile(
                    "a segment's signals do not fit the record",
                    file=self.name,
                    found=f"{part.name} with {part.width} samples a frame in {segment}",
                    expected=", ".join(f"{signal.name} with {signal.width}" for signal in result),
                )
            values = part.values
            if target.unit is None:
                target.unit, target.unit_rule = part.unit, part.unit_rule
            elif part.unit != target.unit:
                ratio = (unit_to_mv(part.unit) or math.nan) / (unit_to_mv(target.unit) or math.nan)
                if math.isnan(ratio):
                    raise UnreadableFile(
                        "the unit changes between segments",
                        file=self.name,
                        field=part.name,
                        found=f"{part.unit} in {segment}",
                        expected=target.unit,
                    )
                values = values * ratio
            target.values[at * part.width : (at + length) * part.width] = values
