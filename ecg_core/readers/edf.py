"""EDF, EDF+ and BDF: one binary file of a text header and data records. https://www.edfplus.info/specs/edfplus.html.

`edfio` decodes the signals; sizes are checked before it sees the file. It reads every file as if its data records
followed each other; here the records of a discontinuous file stand where their time stamps put them, with NaN between.

EDF cannot say that a sample is missing. `write` adds an annotation ``not recorded: <label>`` with onset and duration
for each gap, and ``Recording ends`` (a standard text of EDF+) where the last data record is longer than the recording;
`read` honours both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.errors import UnreadableFile
from ecg_core.leads import canonical_lead
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._edf_layout import MAGIC, Layout, Mark, read_layout, read_marks
from ecg_core.readers._edf_write import DERIVED, MONTHS, NOT_RECORDED, RECORDING_ENDS, write
from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.readers._units import require_fs
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff, check_size
from ecg_core.recording import Annotations, Recording, Subject

if TYPE_CHECKING:
    from edfio import Bdf, BdfSignal, Edf, EdfSignal

_DATE = re.compile(rb"[ \d]\d[.\-/:' ][ \d]\d[.\-/:' ](?:\d\d|[yY]{2})")
_TIME = re.compile(rb"[ \d]\d[.\-/:' ][ \d]\d[.\-/:' ][ \d]\d")
_ANONYMOUS = date(1985, 1, 1)
_AGE = re.compile(r"age[=:](\S+)", re.I)


def sniff(data: bytes) -> Sniff:
    """Look for the version, the date and time, and a header size that fits the number of signals."""
    if data[:8] not in MAGIC or not _DATE.fullmatch(data[168:176]) or not _TIME.fullmatch(data[176:184]):
        return Sniff.NO
    size, count = data[184:192].strip(), data[252:256].strip()
    fits = size.isdigit() and count.isdigit() and int(size) == 256 * (int(count) + 1)
    return Sniff.SURE if fits else Sniff.MAYBE


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read an EDF, EDF+, BDF or BDF+ file."""
    from edfio import read_bdf, read_edf

    data = files[name]
    layout = read_layout(data, name, options.limits)
    notes: list[str] = []
    widest = max(layout.widths[i] for i in layout.ordinary)
    stated = widest / layout.duration if layout.duration else None
    fs = require_fs(stated, options, name, where="samples in a data record over its duration")
    duration = layout.duration or widest / fs
    onsets, marks, damaged = read_marks(data, layout)
    if damaged:
        notes.append(f"annotations: {damaged} are damaged; left out")
    if len(data) >= layout.header_bytes + (layout.n_records + 1) * layout.record_bytes:
        notes.append(f"length: the file goes on after the {layout.n_records} data records that its header states")
    first = 0.0 if math.isnan(onsets[0]) else float(onsets[0])
    at = _record_times(layout, onsets - first, duration, fs, name, notes)
    check_size(len(layout.ordinary), (at[-1] / duration + 1) * widest, options.limits, name)
    edf: Edf | Bdf
    if layout.kind == "EDF":
        edf = read_edf(layout.whole(data), header_encoding="latin-1")
    else:
        edf = read_bdf(layout.whole(data), header_encoding="latin-1")
    channels = []
    derived = set()
    signals: Sequence[EdfSignal | BdfSignal] = edf.signals
    for index, signal in zip(layout.ordinary, signals, strict=True):
        values, unit = _physical(signal, notes)
        width = layout.widths[index]
        values = _placed(values, width, at, duration)
        channels.append(Channel(signal.label, values, unit, width / duration))
        if signal.transducer_type == DERIVED:
            derived.add(canonical_lead(signal.label) or signal.label)
    marks = [Mark(mark.onset - first, mark.duration, mark.text) for mark in marks]
    marks = _apply_marks(marks, channels, duration, at[-1] + duration, notes)
    start = _start(data, first, notes)
    recording = assemble(
        channels,
        format_name="edf",
        file=name,
        files=files,
        options=options,
        subject=_subject(data, start, notes),
        start=start,
        annotations=_annotations(marks),
        warnings=notes,
        header_text=data[:256].decode("latin-1"),
    )
    return replace(recording, derived=tuple(lead for lead in recording.leads if lead in derived))


def _record_times(
    layout: Layout, onsets: np.ndarray, duration: float, fs: float, file: str, notes: list[str]
) -> np.ndarray:
    """Return the seconds from the first data record to each, float64 of shape (n_records,)."""
    contiguous = np.arange(layout.n_records) * duration
    stated = not np.isnan(onsets).any()
    if not stated and layout.discontinuous:
        raise UnreadableFile(
            "a discontinuous file does not say when its data records start",
            file=file,
            found=f"{int(np.isnan(onsets).sum())} of {layout.n_records} without a time stamp",
            expected=f"a time stamp in each ({layout.kind}+D)",
        )
    if not stated:
        return contiguous
    gaps = np.diff(onsets) - duration
    # What claims to be continuous may round its time stamps; half a sample is a gap only where gaps are announced.
    gapped = gaps > (0.5 if layout.discontinuous else 2.0) / fs
    if not gapped.any():
        return contiguous
    if (gaps < -0.5 / fs).any():
        raise UnreadableFile(
            "data records overlap or run backwards",
            file=file,
            found=f"record {int(np.argmin(gaps)) + 2} starts {-gaps.min():g} s before the one before it ends",
            expected="each after the one before it",
        )
    says = "" if layout.discontinuous else ", although the file calls itself continuous"
    found = f"{int(gapped.sum())} gaps of {gaps[gapped].sum():g} s in all"
    notes.append(f"gaps: {found} between data records{says}; marked as not recorded")
    return onsets


def _placed(values: np.ndarray, width: int, at: np.ndarray, duration: float) -> np.ndarray:
    """Put each data record of ``width`` samples where it starts; NaN between them."""
    starts = np.rint(at / duration * width).astype(np.int64)
    if starts[-1] == (len(starts) - 1) * width:
        return values
    placed = np.full(starts[-1] + width, np.nan)
    breaks = np.flatnonzero(np.diff(starts) != width) + 1
    for first, last in zip([0, *breaks], [*breaks, len(starts)], strict=True):
        placed[starts[first] : starts[first] + (last - first) * width] = values[first * width : last * width]
    return placed


def _physical(signal: EdfSignal | BdfSignal, notes: list[str]) -> tuple[np.ndarray, str | None]:
    """Return one signal in physical units, and its unit; counts and None where its header states no calibration."""
    values: np.ndarray = signal.digital.astype(np.float64)
    try:
        (low, high), (bottom, top) = signal.digital_range, signal.physical_range
        gain = (top - bottom) / (high - low)
    except (ValueError, ZeroDivisionError):
        gain = 0.0
    if gain == 0 or not math.isfinite(gain):
        notes.append(f"units: {signal.label} has no calibration in the header; its counts are used")
        return values, None
    values -= low
    values *= gain
    values += bottom
    return values, signal.physical_dimension or None


def _apply_marks(
    marks: list[Mark], channels: list[Channel], duration: float, total: float, notes: list[str]
) -> list[Mark]:
    """Blank what ``not recorded`` marks name, cut the signals at ``Recording ends``, and return the other marks."""
    others = []
    blanked: dict[str, float] = {}
    for mark in marks:
        if mark.text.startswith(NOT_RECORDED) and mark.duration is not None:
            label = mark.text.removeprefix(NOT_RECORDED)
            for channel in channels:
                if channel.name == label:
                    begin = max(0, round(mark.onset * channel.fs))
                    channel.values[begin : max(0, round((mark.onset + mark.duration) * channel.fs))] = np.nan
                    blanked[label] = blanked.get(label, 0.0) + mark.duration
        elif mark.text == RECORDING_ENDS and total - duration < mark.onset <= total:
            for channel in channels:
                channel.values = channel.values[: round(mark.onset * channel.fs)]
            if mark.onset < total:
                notes.append(
                    f"length: the last data record is cut at {mark.onset:g} s, where the file says that it ends"
                )
        else:
            others.append(mark)
    if blanked:
        said = ", ".join(f"{label} for {seconds:g} s" for label, seconds in blanked.items())
        notes.append(f"not recorded: {said}, as annotations of the file say")
    return others


def _annotations(marks: list[Mark]) -> dict[str, Annotations]:
    if not marks:
        return {}
    marks = sorted(marks, key=lambda mark: mark.onset)
    return {
        "edf": Annotations(
            np.array([mark.onset for mark in marks]),
            tuple(mark.text for mark in marks),
            tuple("" if mark.duration is None else f"duration {mark.duration!r} s" for mark in marks),
        )
    }


def _start(data: bytes, first: float, notes: list[str]) -> datetime | None:
    """Return when the first data record starts; None where the date is the placeholder of anonymous files."""
    identification = data[88:168].decode("latin-1").split()
    day, clock = _numbers(data[168:176]), _numbers(data[176:184])
    plus = _edf_date(identification[1]) if identification[:1] == ["Startdate"] and len(identification) > 1 else None
    try:
        if plus is None:
            plus = date(day[2] + (1900 if day[2] >= 85 else 2000), day[1], day[0])
            if plus == _ANONYMOUS:
                return None
        hour, minute, second = clock
        return datetime.combine(plus, time(hour, minute, second)) + timedelta(seconds=first)
    except (ValueError, OverflowError, IndexError):
        notes.append(f"start: {data[168:184].decode('latin-1')!r} in the header is no date and time; left out")
        return None


def _numbers(field: bytes) -> list[int]:
    return [int(part) for part in re.findall(rb"\d+", field)]


def _edf_date(text: str) -> date | None:
    """Parse ``02-MAR-1951``; None where it is no such date."""
    match = re.fullmatch(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})", text)
    if match is None or match[2].upper() not in MONTHS:
        return None
    try:
        return date(int(match[3]), MONTHS.index(match[2].upper()) + 1, int(match[1]))
    except ValueError:
        return None


def _subject(data: bytes, start: datetime | None, notes: list[str]) -> Subject:
    """Read the patient field: code, sex, date of birth and name where it follows EDF+, else one text."""
    text = data[8:88].decode("latin-1")
    words = text.split()
    if len(words) < 4 or words[1] not in ("F", "M", "X"):
        whole = clean_text(text)
        return Subject(id=None if whole in ("X", None) or set(words) == {"X"} else whole)
    code, sex, birth, name, *additional = (None if word == "X" else word for word in words)
    facts = {"name": name.replace("_", " ")} if name else {}
    ages = [
        age
        for word in additional
        if word and (match := _AGE.fullmatch(word)) and (age := parse_age(match[1])) is not None
    ]
    born = _edf_date(birth) if birth else None
    age = ages[0] if ages else None
    if born is not None:
        facts["birth_date"] = born.isoformat()
        if age is None and start is not None:
            years = start.year - born.year - ((start.month, start.day) < (born.month, born.day))
            age = float(years) if 0 <= years <= 130 else None
            notes.append(f"age: {years} years, from the date of birth in the file")
    recording = [*data[88:168].decode("latin-1").split(), *["X"] * 5]
    for label, word in zip(("administration_code", "technician", "equipment"), recording[2:5], strict=True):
        if word != "X" and recording[0] == "Startdate":
            facts[label] = word.replace("_", " ")
    return Subject(id=code, age=age, sex=parse_sex(sex), facts=facts)


READERS.register("edf", Reader("edf", "EDF, EDF+, BDF", (".edf", ".bdf"), sniff=sniff, read=read, write=write))
