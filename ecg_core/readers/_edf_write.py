"""Writing EDF+: data records that divide the recording, round steps, and annotations for what EDF cannot say.

Written by hand: `edfio` refuses long recordings whose data records do not last a whole number of seconds, and dates
outside 1985 to 2084.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np

from ecg_core.errors import WriteError
from ecg_core.leads import canonical_lead
from ecg_core.readers._texts import clean_text
from ecg_core.recording import Recording

NOT_RECORDED = "not recorded: "
RECORDING_ENDS = "Recording ends"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DURATION = re.compile(r"duration (\d+(?:\.\d+)?) s")
"""Note of a mark that lasts."""
DERIVED = "derived from other leads"
"""Transducer of a lead that was computed."""
_RECORD_SAMPLES = 30_720
"""Of all leads together in a data record: the 61440 bytes that EDF recommends as the most."""
_SHORTEST_RECORD_S = 0.1
_STEPS = [Decimal(m).scaleb(e) for e in range(-4, 4) for m in (10, 20, 25, 50)]
"""Steps of the converter: round ones, so that values that were round stay so."""
_PER_MV = {"uV": 1e3, "mV": 1.0, "V": 1e-3}
_LOW, _HIGH = -32768, 32767
_ANNOTATIONS = "EDF Annotations"


@dataclass(frozen=True)
class _Signal:
    """One signal as it goes into the file; the texts are header fields."""

    label: str
    transducer: str
    unit: str
    low: str
    high: str
    records: np.ndarray
    """16-bit values, shape (n_records, samples of a data record)."""


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write EDF+ (16 bits). Each lead gets the finest round step that holds its values, around 0 or its own middle."""
    width, seconds = record_layout(recording.n_samples, recording.fs, recording.n_leads)
    n_records = -(-recording.n_samples // width)
    signals = [_signal(recording, i, n_records, width) for i in range(recording.n_leads)]
    marks = _annotations(recording, [signal.label for signal in signals], n_records * width)
    signals.append(_annotation_signal(marks, recording.start, n_records, seconds))
    columns = (
        ([signal.label for signal in signals], 16),
        ([signal.transducer for signal in signals], 80),
        ([signal.unit for signal in signals], 8),
        ([signal.low for signal in signals], 8),
        ([signal.high for signal in signals], 8),
        ([str(_LOW)] * len(signals), 8),
        ([str(_HIGH)] * len(signals), 8),
        ([""] * len(signals), 80),
        ([str(signal.records.shape[1]) for signal in signals], 8),
        ([""] * len(signals), 32),
    )
    start = recording.start
    fields = (
        ("0", 8),
        (_patient(recording), 80),
        _start_fields(start),
        (f"{start:%H.%M.%S}" if start else "00.00.00", 8),
        (str(256 * (len(signals) + 1)), 8),
        ("EDF+C", 44),
        (str(n_records), 8),
        (np.format_float_positional(seconds, trim="-"), 8),
        (str(len(signals)), 4),
        *((text, size) for texts, size in columns for text in texts),
    )
    header = b"".join(text.encode("ascii").ljust(size) for text, size in fields)
    return {f"{stem}.edf": header + np.concatenate([signal.records for signal in signals], axis=1).tobytes()}


def record_layout(n_samples: int, fs: float, n_leads: int) -> tuple[int, float]:
    """Return (samples of a lead, seconds) of one data record.

    The seconds must fit 8 characters and give back ``fs`` exactly. Among those that do, one that divides the recording
    is preferred, then one near a second. A rate for which there is none gets the nearest that 8 characters can say.
    """
    most = max(1, _RECORD_SAMPLES // n_leads)
    rate = Fraction(fs).limit_denominator(10_000)
    step = rate.numerator
    for prime in (2, 5):
        while step % prime == 0:
            step //= prime
    if 0 < step <= most and rate.numerator < 10**9:
        widths = np.arange(step, most + 1, step, dtype=np.int64)
        seconds = widths * rate.denominator / rate.numerator
        decimals = np.full(len(widths), 99)
        for places in range(6, -1, -1):
            decimals[(widths * rate.denominator * 10**places) % rate.numerator == 0] = places
        whole_digits = np.floor(np.log10(np.maximum(seconds, 1))).astype(int) + 1
        fits = whole_digits + np.where(decimals > 0, decimals + 1, 0) <= 8
        seconds = np.round(seconds, 6)
        fits &= (seconds > 0) & (widths / np.maximum(seconds, 1e-6) == fs)
        if fits.any():
            widths, seconds = widths[fits], seconds[fits]
            divides = (n_samples % widths == 0) & ((seconds >= _SHORTEST_RECORD_S) | (widths == n_samples))
            best = np.lexsort((np.abs(np.log(seconds)), ~divides))[0]
            return int(widths[best]), float(seconds[best])
    return _nearest_layout(fs, most)


def _nearest_layout(fs: float, most: int) -> tuple[int, float]:
    widths = np.arange(most // 2 + 1, most + 1)
    exact = widths / fs
    places = 6 - np.floor(np.log10(np.maximum(exact, 1))).astype(int)
    rounded = np.array(
        [round(value, max(0, count)) for value, count in zip(exact.tolist(), places.tolist(), strict=True)]
    )
    error = np.abs(rounded - exact) / exact
    nearest = int(np.argmin(error))
    if error[nearest] > 1e-6 or exact[nearest] >= 1e8:
        raise WriteError("EDF cannot state this rate", field="fs", found=f"{fs:g} Hz", expected="up to about 30 000 Hz")
    return int(widths[nearest]), float(rounded[nearest])


def _signal(recording: Recording, index: int, n_records: int, width: int) -> _Signal:
    name, row = recording.leads[index], recording.signal[index]
    label = f"ECG {name}" if canonical_lead(name) else name
    if len(label) > 16 or not label.isascii() or label != clean_text(label) or label == _ANNOTATIONS:
        raise WriteError(
            "does not fit an EDF label", field="leads", found=repr(name), expected="up to 16 ASCII characters"
        )
    held = np.pad(_held(row.astype(np.float64)), (0, n_records * width - len(row)), mode="edge")
    unit, step, middle, low, high = _calibration(held, name)
    digital = np.rint((held * _PER_MV[unit] - middle) / step).astype("<i2")
    transducer = DERIVED if name in recording.derived else ""
    return _Signal(label, transducer, unit, low, high, digital.reshape(n_records, width))


def _calibration(held: np.ndarray, name: str) -> tuple[str, float, float, str, str]:
    """Return (unit, step, middle, physical minimum, maximum) for the finest round step that holds one lead."""
    least, most = float(held.min()), float(held.max())
    for unit, per_mv in _PER_MV.items():
        largest, span = max(abs(least), abs(most)) * per_mv, (most - least) * per_mv
        for step in _STEPS:
            top = float(step) * (_HIGH - 1)
            middle = Decimal(0)
            if largest > top:
                if span > 2 * top or largest < 4 * span:
                    continue
                middle = step * round((least + most) / 2 * per_mv / float(step))
            low, high = (f"{(step * end + middle).normalize():f}" for end in (_LOW, _HIGH))
            if max(len(low), len(high)) <= 8:
                return unit, float(step), float(middle), low, high
    raise WriteError("too large for EDF", field=name, found=f"{max(-least, most):g} mV", expected="at most 8 MV")


def _held(row: np.ndarray) -> np.ndarray:
    """Return ``row`` with what was not recorded held at the value before it (at the first value, before that)."""
    known = np.flatnonzero(~np.isnan(row))
    if not known.size:
        return np.zeros_like(row)
    source = np.searchsorted(known, np.arange(len(row)), side="right") - 1
    held: np.ndarray = row[known[np.maximum(source, 0)]]
    return held


def _annotations(recording: Recording, labels: Sequence[str], n_padded: int) -> list[tuple[float, float | None, str]]:
    """Return (seconds from the first sample, duration, text) of gaps, the end where records overrun it, and marks."""
    fs = recording.fs
    found: list[tuple[float, float | None, str]] = []
    for row, label in zip(recording.signal, labels, strict=True):
        edges = np.flatnonzero(np.diff(np.isnan(row), prepend=False, append=False))
        found += [
            (start / fs, (stop - start) / fs, NOT_RECORDED + label) for start, stop in edges.reshape(-1, 2).tolist()
        ]
    if n_padded > recording.n_samples:
        found.append((recording.n_samples / fs, None, RECORDING_ENDS))
    several = len(recording.annotations) > 1
    for annotator, marks in recording.annotations.items():
        for time, symbol, note in zip(marks.time_s.tolist(), marks.symbol, marks.note, strict=True):
            lasts = DURATION.fullmatch(note)
            text = clean_text(f"{annotator + ': ' if several else ''}{symbol} {'' if lasts else note}", 500)
            found.append((time, float(lasts[1]) if lasts else None, text or "mark"))
    return found


def _annotation_signal(
    marks: list[tuple[float, float | None, str]], start: datetime | None, n_records: int, seconds: float
) -> _Signal:
    """Return the annotations, each in the data record of its time, behind the time stamp of the record."""
    offset = start.microsecond / 1e6 if start else 0.0
    step = Decimal(np.format_float_positional(seconds, trim="-"))
    first = Decimal(str(offset))
    records = [[f"+{(first + step * number).normalize():f}\x14\x14"] for number in range(n_records)]
    for time, duration, text in sorted(marks, key=lambda mark: mark[0]):
        onset = np.format_float_positional(time + offset, trim="-", sign=True)
        lasts = "" if duration is None else "\x15" + np.format_float_positional(duration, trim="-")
        records[min(max(int(time / seconds), 0), n_records - 1)].append(f"{onset}{lasts}\x14{text}\x14")
    blocks = ["\0".join(record).encode() + b"\0" for record in records]
    width = -(-max(map(len, blocks)) // 2)
    stored = np.frombuffer(b"".join(block.ljust(2 * width, b"\0") for block in blocks), "<i2")
    return _Signal(_ANNOTATIONS, "", "", str(-1), str(1), stored.reshape(n_records, width))


def _patient(recording: Recording) -> str:
    """Return id, sex and age; EDF+ has a place for a date of birth only, and one is never made up from an age."""
    subject = recording.subject
    words = [subject.id or "X", {"female": "F", "male": "M"}.get(subject.sex or "", "X"), "X"]
    born, name = subject.facts.get("birth_date"), subject.facts.get("name")
    if isinstance(born, str):
        with suppress(ValueError):
            words[2] = _edf_date(date.fromisoformat(born))
    words.append(str(name)[:30].encode("ascii", "replace").decode() if name else "X")
    if subject.age is not None:
        words.append(f"age={np.format_float_positional(subject.age, trim='-')}")
    text = " ".join("_".join(word.split()) for word in words)
    if len(text) > 80 or not text.isascii() or not text.isprintable():
        raise WriteError(
            "does not fit the patient field of EDF+",
            field="subject",
            found=repr(text),
            expected="ASCII, at most 80 characters in all",
        )
    return text


def _edf_date(day: date) -> str:
    return f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year:04d}"


def _start_fields(start: datetime | None) -> tuple[str, int]:
    """Return the recording identification and the start date; EDF+ says ``yy`` for years that two digits cannot."""
    if start is None:
        return "Startdate X X X X".ljust(80) + "01.01.85", 88
    year = f"{start.year % 100:02d}" if 1985 <= start.year <= 2084 else "yy"
    return f"Startdate {_edf_date(start)} X X X".ljust(80) + f"{start.day:02d}.{start.month:02d}.{year}", 88
