"""DICOM waveforms: 12-lead, General and Ambulatory ECG, and other waveform objects that hold ECG leads.

Of several multiplex groups the original rhythm is read; groups recorded in turn (a 3 x 4 strip) are put in their
places, with NaN between. Representative beats are left out, with a warning. Images and documents are refused by name.
"""

from __future__ import annotations

import math
import warnings
import zlib
from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._assemble import assemble
from ecg_core.readers._dicom_groups import (
    Group,
    channel_lead,
    choose_groups,
    code_of,
    items,
    optional,
    pieces_of,
    read_groups,
)
from ecg_core.readers._dicom_write import write
from ecg_core.readers._interchange import age_at, join_pieces, parse_date, parse_timestamp
from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff
from ecg_core.recording import Annotations, Recording, Subject

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TITLE = "DICOM waveform"
_IMPLICIT = "1.2.840.10008.1.2"
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_EXEMPT = 1 << 20
"""Bytes that a deflated object may unpack to whatever its ratio."""


def sniff(data: bytes) -> Sniff:
    """Recognise the DICM prefix, or a data set without it that starts with file meta or two elements of group 8."""
    if data[128:132] == b"DICM" or data[:8] == b"\x02\x00\x00\x00UL\x04\x00":
        return Sniff.SURE
    return Sniff.MAYBE if _starts_group_8(data) else Sniff.NO


def _starts_group_8(data: bytes) -> bool:
    """Return whether ``data`` starts with two elements of group 0008, little endian, in order."""
    if data[:2] != b"\x08\x00":
        return False
    explicit = data[4:6] in (b"UL", b"CS", b"DA", b"TM", b"UI", b"LO", b"SH")
    length = int.from_bytes(data[6:8] if explicit else data[4:8], "little")
    following = data[8 + length : 12 + length] if length <= 256 else b""
    return len(following) == 4 and following[:2] == b"\x08\x00" and data[2:4][::-1] < following[2:4][::-1]


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the rhythm of a waveform object."""
    notes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's remarks on odd values; what matters is checked here
        dataset, order = _open(name, files[name], options)
        _require_ecg(dataset, name)
        groups = choose_groups(read_groups(dataset, order, name, options), name, notes)
        pieces = [piece for group in groups for piece in pieces_of(group, name, notes)]
        first_s = min(piece.offset_s for piece in pieces)
        start = _start(dataset, first_s, notes)
        marks, facts = _annotations(dataset, groups, first_s)
        subject = _subject(dataset, start, facts)
    names = [piece.name for piece in pieces]
    derived = [lead for group in groups for lead in group.derived if names.count(lead) == 1]
    return assemble(
        join_pieces(pieces, options.limits, name),
        format_name="dicom",
        file=name,
        files=files,
        options=options,
        subject=subject,
        start=start,
        annotations={"dicom": marks} if marks is not None else {},
        warnings=notes,
        derived=derived if options.leads is None else (),
    )


def _open(name: str, data: bytes, options: ReadOptions) -> tuple[Dataset, str]:
    """Return the data set and its byte order (``"<"`` or ``">"``).

    This is pydicom's ``dcmread`` except that what is deflated is inflated within limits, and that a file without
    preamble, or without file meta, is read as well.
    """
    from pydicom.errors import BytesLengthException
    from pydicom.filereader import read_dataset

    stream = BytesIO(data)
    stream.seek(132 if data[128:132] == b"DICM" else 0)
    syntax = ""
    try:
        if data[stream.tell() : stream.tell() + 2] == b"\x02\x00":
            meta = read_dataset(stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
            syntax = str(optional(meta, "TransferSyntaxUID") or "").strip(" \0")
        if syntax == _DEFLATED:
            stream = BytesIO(_inflate(stream.read(), name, options))
        place = stream.tell()
        head = stream.read(6)
        stream.seek(place)
        implicit = syntax == _IMPLICIT or (not syntax and not head[4:].isalpha())
        big = syntax == _BIG_ENDIAN or (not syntax and not implicit and head[0] == 0)
        return read_dataset(stream, implicit, not big), ">" if big else "<"
    except BytesLengthException as error:
        raise UnreadableFile(
            "the DICOM header is damaged", file=name, found=error, expected="a whole DICOM file"
        ) from error


def _inflate(packed: bytes, name: str, options: ReadOptions) -> bytes:
    limits = options.limits
    most = min(limits.max_total_bytes, max(_EXEMPT, int(limits.max_ratio * len(packed))))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = inflater.decompress(packed, most + 1)
    except zlib.error as error:
        raise UnreadableFile(
            "the deflated data set is damaged", file=name, found=error, expected="a whole DICOM file"
        ) from error
    if len(data) > most:
        raise LimitExceeded(
            "the deflated data set unpacks to too much",
            file=name,
            found=f"over {most} bytes from {len(packed)}",
            expected=f"at most {limits.max_ratio:g} x and {limits.max_total_bytes} bytes",
        )
    if not inflater.eof:
        raise UnreadableFile("the deflated data set is cut short", file=name, expected="a whole DICOM file")
    return data


def _require_ecg(dataset: Dataset, file: str) -> None:
    """Refuse what is no waveform, or a waveform that is plainly not an ECG, naming what it is."""
    from pydicom.uid import UID

    uid = clean_text(optional(dataset, "SOPClassUID"))
    kind = UID(uid).name if uid else "object of unknown class"
    modality = clean_text(optional(dataset, "Modality")) or "unstated"
    expected = "12-lead ECG, General ECG, Ambulatory ECG, or another waveform with ECG leads"
    if "WaveformSequence" not in dataset:
        content = clean_text(optional(dataset, "MIMETypeOfEncapsulatedDocument"))
        if "PixelData" in dataset or "Rows" in dataset:
            problem = "a DICOM image, not a waveform"
        elif content is not None or "EncapsulatedDocument" in dataset:
            problem = f"a document inside DICOM ({content or 'unstated type'}), not a waveform"
        else:
            problem = "no DICOM waveform"
        raise UnreadableFile(problem, file=file, found=f"{kind}, modality {modality}", expected=expected)
    if "ECG" in kind or modality == "ECG":
        return
    for group in items(dataset, "WaveformSequence"):
        if any(channel_lead(channel)[0] for channel in items(group, "ChannelDefinitionSequence")):
            return
    raise UnreadableFile(
        "a DICOM waveform without an ECG lead", file=file, found=f"{kind}, modality {modality}", expected=expected
    )


def _start(dataset: Dataset, first_s: float, notes: list[str]) -> datetime | None:
    """Return the first sample's time: acquisition, else content; group offsets count from the acquisition."""
    zone = clean_text(optional(dataset, "TimezoneOffsetFromUTC")) or ""
    for keywords in (("AcquisitionDateTime",), ("AcquisitionDate", "AcquisitionTime"), ("ContentDate", "ContentTime")):
        text = "".join(clean_text(optional(dataset, keyword)) or "" for keyword in keywords)
        when = parse_timestamp(text + zone) or parse_timestamp(text)
        if when is not None:
            if keywords[0] == "ContentDate":
                notes.append("start: taken from ContentDate and ContentTime; there is no acquisition time")
            return when + timedelta(seconds=first_s)
    return None


def _subject(dataset: Dataset, start: datetime | None, facts: dict[str, Any]) -> Subject:
    age = parse_age(optional(dataset, "PatientAge"))
    if age is None:
        age = age_at(parse_date(clean_text(optional(dataset, "PatientBirthDate"))), start)
    for keyword, fact, scale in (("PatientSize", "height_cm", 100.0), ("PatientWeight", "weight_kg", 1.0)):
        value = optional(dataset, keyword)
        if isinstance(value, float | int) and math.isfinite(value) and value > 0:
            facts[fact] = round(float(value) * scale, 3)
    sex = parse_sex(optional(dataset, "PatientSex"))
    return Subject(clean_text(optional(dataset, "PatientID")), age, sex, facts)


def _annotations(dataset: Dataset, groups: list[Group], first_s: float) -> tuple[Annotations | None, dict[str, Any]]:
    """Return the marks at sample positions of ``groups``; statements and measurements without one are facts."""
    used = {group.index: group for group in groups}
    marks: list[tuple[float, str, str]] = []
    statements: list[str] = []
    measurements: dict[str, Any] = {}
    for item in items(dataset, "WaveformAnnotationSequence"):
        code, _, meaning = code_of(item, "ConceptNameCodeSequence")
        text = clean_text(optional(item, "UnformattedTextValue"))
        values = _numbers(optional(item, "NumericValue"))
        unit = code_of(item, "MeasurementUnitsCodeSequence")[0] or None
        positions = _numbers(optional(item, "ReferencedSamplePositions"))
        channels = _numbers(optional(item, "ReferencedWaveformChannels"))
        if positions:
            group = used.get(int(channels[0])) if channels else groups[0]
            if group is None:
                continue
            shift = (group.offset_s or 0.0) - first_s
            paired = "SEGMENT" in (clean_text(optional(item, "TemporalRangeType")) or "")
            content = text or " ".join([*(f"{value:g}" for value in values), *([unit] if values and unit else [])])
            for place, position in enumerate(positions):
                edge = ("onset", "offset")[place % 2] if paired else ""
                note = ": ".join(part for part in (edge, content) if part)
                marks.append(((position - 1) / group.fs + shift, meaning or code or "text", note))
        elif text:
            statements.append(text)
        elif len(values) == 1 and (meaning or code):
            measurements.setdefault(meaning or code, {"value": values[0], "unit": unit})
    facts: dict[str, Any] = {}
    if statements:
        facts["diagnosis"] = "\n".join(statements)[:4000]
    if measurements:
        facts["measurements"] = measurements
    if not marks:
        return None, facts
    times, symbols, remarks = zip(*sorted(marks, key=lambda mark: mark[0]), strict=True)
    return Annotations(np.array(times), symbols, remarks), facts


def _numbers(value: Any) -> list[float]:
    """Return an element's numbers, however many it has; none where it is damaged."""
    if value is None:
        return []
    try:
        return [float(part) for part in ([value] if isinstance(value, int | float) else value)]
    except (TypeError, ValueError):
        return []


READERS.register("dicom", Reader("dicom", TITLE, (".dcm", ".dicom"), sniff=sniff, read=read, write=write))
