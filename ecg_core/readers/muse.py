"""GE MUSE XML: ``<RestingECG>`` with base64 samples, usually eight leads, the median beat beside the rhythm.

The rhythm is chosen by its ``WaveformType``, never by position. Measurements and statements are the file's own and go
into ``subject.facts`` unchanged.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import NeedsOption, UnreadableFile, WriteError
from ecg_core.leads import INDEPENDENT_8, LIMB, STANDARD_12, derive_limb
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._interchange import age_at, complete_limb_leads, parse_date, parse_xml, root_name, to_steps
from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.readers._units import require_fs
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff, check_size
from ecg_core.recording import Annotations, Recording, Subject

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TITLE = "GE MUSE XML"
_INVALID = -32_768
_FACTS = {"HeightCM": "height_cm", "WeightKG": "weight_kg"}


def sniff(data: bytes) -> Sniff:
    """Recognise a document whose root element is ``RestingECG``."""
    return Sniff.SURE if root_name(data) == "RestingECG" else Sniff.NO


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the rhythm waveform; eight leads get their limb leads derived."""
    root = parse_xml(files[name], name, TITLE)
    if root.tag != "RestingECG":
        raise UnreadableFile("not a MUSE document", file=name, found=f"<{root.tag}>", expected="<RestingECG>")
    notes: list[str] = []
    waveform = _rhythm(root, name, notes)
    fs = require_fs(_rate(waveform), options, name, where="SampleBase, SampleExponent")
    leads = waveform.findall("LeadData")
    if not leads:
        raise UnreadableFile("the waveform holds no leads", file=name, expected="LeadData elements")
    check_size(len(leads), len(files[name]) * 3 / 8 / len(leads), options.limits, name)
    channels = [_channel(lead, fs, name, options, notes) for lead in leads]
    start = _start(root, notes)
    marks = _beats(root, fs, max(len(channel.values) for channel in channels), notes)
    recording = assemble(
        channels,
        format_name="muse",
        file=name,
        files=files,
        options=options,
        subject=_subject(root, start),
        start=start,
        annotations={"muse": marks} if marks else {},
        warnings=notes,
    )
    return complete_limb_leads(recording)


def _text(parent: Element | None, path: str) -> str | None:
    return None if parent is None else clean_text(parent.findtext(path))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _rhythm(root: Element, file: str, notes: list[str]) -> Element:
    """Return the longest waveform of type Rhythm, noting what is left out."""
    waveforms = root.findall("Waveform")
    kinds = [(_text(waveform, "WaveformType") or "without a type") for waveform in waveforms]
    rhythms = [w for w, kind in zip(waveforms, kinds, strict=True) if kind.lower() == "rhythm"]
    if not rhythms and len(waveforms) == 1 and kinds == ["without a type"]:
        notes.append("waveforms: the only one states no type; taken as the rhythm")
        return waveforms[0]
    if not rhythms:
        raise UnreadableFile(
            "holds no rhythm waveform",
            file=file,
            found="waveforms " + ", ".join(kinds) if kinds else "no waveform",
            expected="a Waveform whose WaveformType is Rhythm",
        )
    chosen = max(rhythms, key=lambda waveform: sum(len(data.text or "") for data in waveform.iter("WaveFormData")))
    if others := [kind for waveform, kind in zip(waveforms, kinds, strict=True) if waveform is not chosen]:
        notes.append(f"waveforms: the {'longest ' * (len(rhythms) > 1)}Rhythm is read, not {', '.join(others)}")
    return chosen


def _rate(waveform: Element) -> float | None:
    """Return samples per second: ``SampleBase * 10 ** SampleExponent``."""
    base = _text(waveform, "SampleBase")
    if base is None:
        return None
    try:
        return float(f"{Decimal(base)}e{int(_text(waveform, 'SampleExponent') or 0)}")
    except (ValueError, ArithmeticError):
        return math.nan


def _channel(lead: Element, fs: float, file: str, options: ReadOptions, notes: list[str]) -> Channel:
    """Decode one ``LeadData``: base64 of little-endian 16-bit steps."""
    name = _text(lead, "LeadID")
    where = f"lead {name or '?'}"
    size = _text(lead, "LeadSampleSize")
    if size not in (None, "2"):
        raise UnreadableFile("unknown sample size", file=file, field=where, found=f"{size} bytes", expected="2 bytes")
    try:
        packed = base64.b64decode("".join((lead.findtext("WaveFormData") or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableFile(
            "damaged WaveFormData", file=file, field=where, found=error, expected="base64 of 16-bit samples"
        ) from error
    if len(packed) % 2:
        raise UnreadableFile(
            "damaged WaveFormData", file=file, field=where, found=f"{len(packed)} bytes", expected="2 bytes a sample"
        )
    raw = np.frombuffer(packed, "<i2")
    stated = _text(lead, "LeadSampleCountTotal")
    if stated is not None and stated != str(len(raw)):
        notes.append(f"length: {where} holds {len(raw)} samples where its header says {stated}")
    if (_text(lead, "LeadOff") or "").upper() == "TRUE":
        notes.append(f"{where}: the device marked it as off (LeadOff)")
    values = raw.astype(np.float64)
    values[raw == _INVALID] = np.nan
    stated = _text(lead, "LeadAmplitudeUnitsPerBit")
    if stated is None:
        if options.units is None:
            raise NeedsOption(
                "the file does not say how large a step is",
                file=file,
                field=where,
                expected="LeadAmplitudeUnitsPerBit",
                options=("say it: units=<millivolts of one step>",),
            )
        return Channel(name, values, None, fs)
    step = _number(stated)
    if not step:
        raise UnreadableFile(
            "not the size of a step", file=file, field=f"{where}: LeadAmplitudeUnitsPerBit", found=stated
        )
    return Channel(name, values * step, _text(lead, "LeadAmplitudeUnits"), fs)


def _start(root: Element, notes: list[str]) -> datetime | None:
    """Return the moment of acquisition; MUSE writes dates as MM-DD-YYYY."""
    day = _text(root, "TestDemographics/AcquisitionDate")
    clock = _text(root, "TestDemographics/AcquisitionTime")
    if day is None or clock is None:
        return None
    iso = _iso_day(day)
    when = re.fullmatch(r"(\d{1,2}):(\d\d)(?::(\d\d)(\.\d{1,6})?)?", clock)
    try:
        if iso and when:
            hour, minute, second = (int(part or 0) for part in when.groups()[:3])
            microsecond = round(float(when.group(4) or 0) * 1e6)
            return datetime.fromisoformat(iso).replace(hour=hour, minute=minute, second=second, microsecond=microsecond)
    except ValueError:
        pass
    notes.append(f"start: {day} {clock} is not a time (expected MM-DD-YYYY HH:MM:SS)")
    return None


def _iso_day(day: str | None) -> str | None:
    """Return ``MM-DD-YYYY`` (or an ISO date) as ``YYYY-MM-DD``, else None."""
    if match := re.fullmatch(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})", day or ""):
        return f"{match.group(3)}-{match.group(1):0>2}-{match.group(2):0>2}"
    return day if re.fullmatch(r"\d{4}-\d\d-\d\d", day or "") else None


def _subject(root: Element, start: datetime | None) -> Subject:
    person = root.find("PatientDemographics")
    stated, unit = _text(person, "PatientAge"), (_text(person, "AgeUnits") or "YEARS").upper()
    if unit == "HOURS" and (hours := _number(stated)) is not None:
        age = parse_age(hours / 24 / 365.25)
    else:
        age = parse_age(f"{stated} {unit}") if stated else None
    if age is None:
        age = age_at(parse_date((_iso_day(_text(person, "DateofBirth")) or "").replace("-", "")), start)
    facts: dict[str, Any] = {}
    for tag, fact in _FACTS.items():
        if value := _number(_text(person, tag)):
            facts[fact] = value
    if statements := _statements(root):
        facts["diagnosis"] = statements
    measurements = {}
    for child in root.findall("RestingECGMeasurements/*"):
        if (text := clean_text(child.text)) is not None:
            number = _number(text)
            measurements[child.tag] = text if number is None else number
    if measurements:
        facts["measurements"] = measurements
    return Subject(_text(person, "PatientID"), age, parse_sex(_text(person, "Gender")), facts)


def _statements(root: Element) -> str:
    """Return the diagnosis, one line a statement; ``ENDSLINE`` closes a line."""
    lines = [""]
    for statement in root.findall("Diagnosis/DiagnosisStatement"):
        lines[-1] = f"{lines[-1]} {_text(statement, 'StmtText') or ''}".strip()
        if any((flag.text or "").strip() == "ENDSLINE" for flag in statement.findall("StmtFlag")):
            lines.append("")
    return "\n".join(line for line in lines if line)[:4000]


def _beats(root: Element, fs: float, n_samples: int, notes: list[str]) -> Annotations | None:
    """Return the beats of ``QRSTimesTypes``.

    Their times come without a unit: whichever of milliseconds and samples fits the file's own RR interval
    (``GlobalRR``, else ``VentricularRate``) better is taken, with a warning; without either they are left out.
    """
    times, kinds = [], []
    for beat in root.findall("QRSTimesTypes/QRS"):
        time = _number(_text(beat, "Time"))
        if time is not None and time >= 0:
            times.append(time)
            kinds.append(_text(beat, "Type") or "")
    if not times:
        return None
    order = np.argsort(times, kind="stable")
    sorted_times = np.array(times)[order]
    rate = _number(_text(root, "RestingECGMeasurements/VentricularRate"))
    rr_ms = _number(_text(root, "QRSTimesTypes/GlobalRR")) or (60_000 / rate if rate else None)
    spacing = float(np.median(np.diff(sorted_times))) if len(times) > 1 else 0.0
    sample_ms = 1e3 / fs
    if not (rr_ms and rr_ms > 0 and spacing > 0):
        notes.append("annotations: QRSTimesTypes left out: its times have no unit and no RR interval settles it")
        return None
    in_ms = abs(math.log(spacing / rr_ms)) <= abs(math.log(spacing * sample_ms / rr_ms))
    time_s = sorted_times * ((1e-3) if in_ms else 1 / fs)
    if time_s[-1] > n_samples / fs:
        notes.append("annotations: QRSTimesTypes left out: its times lie outside the recording")
        return None
    notes.append(f"annotations: times of QRSTimesTypes taken as {'milliseconds' if in_ms else 'samples'}: fits the RR")
    return Annotations(time_s, tuple(kinds[i] for i in order))


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write one Rhythm waveform; eight leads where the others follow from I and II, as MUSE does, else all.

    Each lead has the finest ``LeadAmplitudeUnitsPerBit`` that holds it; -32768 marks what was not recorded.
    """
    from xml.etree.ElementTree import Element, SubElement, tostring

    def add(parent: Element, tag: str, text: object = None) -> Element:
        child = SubElement(parent, tag)
        child.text = None if text is None else str(text)
        return child

    if any(lead != clean_text(lead) for lead in recording.leads):
        raise WriteError("a lead's name does not fit into XML", field="leads", found=", ".join(recording.leads))
    root = Element("RestingECG")
    person = add(root, "PatientDemographics")
    subject = recording.subject
    add(person, "PatientID", clean_text(subject.id))
    if subject.age is not None:
        add(person, "PatientAge", f"{Decimal(repr(subject.age)).normalize():f}")
        add(person, "AgeUnits", "YEARS")
    if subject.sex is not None:
        add(person, "Gender", subject.sex.upper())
    for tag, fact in _FACTS.items():
        if fact in subject.facts:
            add(person, tag, subject.facts[fact])
    if recording.start is not None:
        test = add(root, "TestDemographics")
        fraction = f".{recording.start.microsecond:06d}" if recording.start.microsecond else ""
        add(test, "AcquisitionTime", f"{recording.start:%H:%M:%S}{fraction}")
        add(test, "AcquisitionDate", f"{recording.start:%m-%d}-{recording.start.year:04d}")
    waveform = add(root, "Waveform")
    add(waveform, "WaveformType", "Rhythm")
    exponent = min(int(Decimal(repr(recording.fs)).normalize().as_tuple().exponent), 0)
    add(waveform, "SampleBase", f"{Decimal(repr(recording.fs)).scaleb(-exponent):.0f}")
    add(waveform, "SampleExponent", exponent)
    leads = INDEPENDENT_8 if _carries_eight(recording) else recording.leads
    for lead in leads:
        step, steps = to_steps(recording.lead(lead))
        data = add(waveform, "LeadData")
        add(data, "LeadByteCountTotal", 2 * len(steps))
        add(data, "LeadSampleCountTotal", len(steps))
        add(data, "LeadAmplitudeUnitsPerBit", step)
        add(data, "LeadAmplitudeUnits", "MICROVOLTS")
        add(data, "LeadID", lead)
        add(data, "LeadSampleSize", 2)
        add(data, "WaveFormData", base64.b64encode(steps.astype("<i2").tobytes()).decode("ascii"))
    return {f"{stem}.xml": tostring(root, encoding="UTF-8", xml_declaration=True)}


def _carries_eight(recording: Recording) -> bool:
    """Return whether I, II and V1-V6 alone give the recording back.

    Limb leads marked as derived have to follow within a step of I and one of II, recorded ones within their own step.
    """
    if recording.leads != STANDARD_12:
        return False
    stored, steps_mv = [], []
    for row in recording.signal[:6]:
        step, steps = to_steps(row)
        steps_mv.append(float(step) / 1e3)
        stored.append(np.where(steps == _INVALID, np.nan, steps * steps_mv[-1]))
    derived = derive_limb(np.stack(stored[:2]), ("I", "II"), LIMB[2:])
    marked = set(LIMB[2:]) <= set(recording.derived)
    allowed = [sum(steps_mv[:2])] * 4 if marked else steps_mv[2:]
    return all(
        np.allclose(found, row, rtol=1e-6, atol=most, equal_nan=True)
        for found, row, most in zip(derived, recording.signal[2:6], allowed, strict=True)
    )


READERS.register("muse", Reader("muse", TITLE, (".xml",), sniff=sniff, read=read, write=write))
