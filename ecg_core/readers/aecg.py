"""HL7 v3 annotated ECG (aECG, the FDA's): sequences of digits with an origin and a scale, on generated time axes.

Sequence sets that start at different moments (leads recorded in turn, or a lead with gaps) are put in their places,
with NaN between.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import UnreadableFile
from ecg_core.readers._aecg_write import REPORTED_AGE, write
from ecg_core.readers._assemble import assemble
from ecg_core.readers._interchange import (
    Piece,
    age_at,
    complete_limb_leads,
    join_pieces,
    parse_date,
    parse_timestamp,
    parse_xml,
    root_name,
    seconds_between,
)
from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.readers._units import require_fs, unit_to_mv
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff, check_size
from ecg_core.recording import Annotations, Recording, Subject

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TITLE = "HL7 aECG"
_SECONDS = {"s": "1", "ms": "1e-3", "us": "1e-6", "µs": "1e-6", "μs": "1e-6", "ns": "1e-9", "min": "60"}
_AGE_CODES = (REPORTED_AGE, "30525-0")
"""LOINC: reported age, age."""
_AGE_UNITS = {"a": "Y", "yr": "Y", "mo": "M", "wk": "W", "d": "D"}
_STATEMENTS = ("MDC_ECG_INTERPRETATION", "MDC_ECG_INTERPRETATION_STATEMENT")


def sniff(data: bytes) -> Sniff:
    """Recognise a document whose root element is ``AnnotatedECG``."""
    return Sniff.SURE if root_name(data) == "AnnotatedECG" else Sniff.NO


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the rhythm series, every sequence set in its place; eight leads get their limb leads derived."""
    root = parse_xml(files[name], name, TITLE)
    if root.tag != "AnnotatedECG":
        raise UnreadableFile("not an aECG document", file=name, found=f"<{root.tag}>", expected="<AnnotatedECG>")
    notes: list[str] = []
    series = _rhythm(root, name, notes)
    axis = _Axis()
    pieces = [
        piece
        for sequences in series.findall("component/sequenceSet")
        for piece in _pieces(sequences, axis, name, options)
    ]
    if not pieces:
        raise UnreadableFile(
            "the rhythm series holds no samples", file=name, expected="sequences with digits, one a lead"
        )
    if len({piece.offset_s for piece in pieces}) > 1:
        notes.append("time: the sequence sets start at different moments; what lies between is marked as not recorded")
    first_s = min(piece.offset_s for piece in pieces)
    start = _start(root, series, axis, first_s, notes)
    marks, facts = _annotations(series, first_s if axis.zero is None else 0.0, start)
    recording = assemble(
        join_pieces(pieces, options.limits, name),
        format_name="aecg",
        file=name,
        files=files,
        options=options,
        subject=_subject(root, start, facts),
        start=start,
        annotations={"aecg": marks} if marks is not None else {},
        warnings=notes,
    )
    return complete_limb_leads(recording)


class _Axis:
    """Where sequence sets begin: seconds from the first absolute time stated, or from the file's own zero."""

    zero: datetime | None = None

    def offset(self, head: Element | None) -> float:
        """Return the seconds at which a ``head`` lies."""
        when = parse_timestamp(None if head is None else head.get("value"))
        if when is None:
            return _quantity(head) or 0.0
        self.zero = self.zero or when
        return seconds_between(self.zero, when)


def _attribute(parent: Element | None, path: str, name: str) -> str | None:
    child = None if parent is None else parent.find(path)
    return None if child is None else clean_text(child.get(name))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _quantity(element: Element | None) -> float | None:
    """Return a physical quantity of time in seconds."""
    if element is None:
        return None
    value, scale = _number(element.get("value")), _SECONDS.get((element.get("unit") or "s").strip())
    return None if value is None or scale is None else value * float(scale)


def _rhythm(root: Element, file: str, notes: list[str]) -> Element:
    """Return the longest series coded RHYTHM (or, where none is coded, the longest), noting what is left out."""
    found = [(series, _attribute(series, "code", "code") or "without a code") for series in root.iter("series")]
    derived = [_attribute(series, "code", "code") or "without a code" for series in root.iter("derivedSeries")]
    rhythms = [series for series, code in found if code.upper() == "RHYTHM"]
    if not rhythms:
        rhythms = [series for series, code in found if code.upper() != "REPRESENTATIVE_BEAT"]
    if not rhythms:
        raise UnreadableFile(
            "holds no rhythm series",
            file=file,
            found=", ".join([code for _, code in found] + derived) or "no series",
            expected="a series coded RHYTHM",
        )
    path = "component/sequenceSet/component/sequence/value/digits"
    chosen = max(rhythms, key=lambda series: sum(len(digits.text or "") for digits in series.iterfind(path)))
    left = [code for series, code in found if series is not chosen] + derived
    if left:
        notes.append(f"series: the {'longest ' * (len(rhythms) > 1)}rhythm series is read, not {', '.join(left[:20])}")
    return chosen


def _pieces(sequences: Element, axis: _Axis, file: str, options: ReadOptions) -> Iterator[Piece]:
    """Yield the leads of one sequence set, all on the time axis that the set states."""
    offset, rate = 0.0, None
    leads = []
    for sequence in sequences.findall("component/sequence"):
        value = sequence.find("value")
        code = _attribute(sequence, "code", "code") or ""
        if value is None:
            continue
        if code.upper().startswith("TIME_"):
            offset = axis.offset(value.find("head"))
            rate = _rate(value.find("increment"))
        elif value.find("digits") is not None:
            leads.append((code, value))
    if not leads:
        return
    fs = require_fs(rate, options, file, where="increment of the time sequence")
    for code, value in leads:
        digits = _parse_digits(value.findtext("digits") or "", file, code)
        check_size(len(leads), len(digits), options.limits, file)
        unit, factor, origin = _scale(value, file, code)
        yield Piece(re.sub(r"^.*_ECG_LEAD_", "", code) or None, unit, fs, offset, digits * factor + origin)


def _rate(increment: Element | None) -> float | None:
    """Return samples per second of an increment; twelve digits, as the increment of 360 Hz is never exact."""
    if increment is None or increment.get("value") is None:
        return None
    unit = _SECONDS.get((increment.get("unit") or "").strip())
    try:
        step = Decimal((increment.get("value") or "").strip()) * Decimal(unit or "NaN")
        return float(f"{1 / step:.12g}")
    except ArithmeticError:
        return math.nan


def _parse_digits(text: str, file: str, lead: str) -> np.ndarray:
    """Return whitespace-separated numbers as float64, shape (n,)."""
    text = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            digits = np.fromstring(text, np.float64, sep=" ") if text else np.empty(0)
    except (ValueError, DeprecationWarning) as error:
        bad = next((word for word in text.split() if _number(word) is None), None)
        raise UnreadableFile(
            "damaged digits", file=file, field=lead, found=bad and repr(bad[:40]), expected="numbers"
        ) from error
    if not np.isfinite(digits).all():
        raise UnreadableFile("damaged digits", file=file, field=lead, found="nan or inf", expected="numbers")
    return digits


def _scale(value: Element, file: str, lead: str) -> tuple[str | None, float, float]:
    """Return (unit, units of one digit, units at digit zero) of a scaled list."""
    unit = _attribute(value, "scale", "unit")
    factor = _attribute(value, "scale", "value")
    step = 1.0 if factor is None else _number(factor)
    if not step:
        raise UnreadableFile("not a scale", file=file, field=f"{lead}: scale", found=factor, expected="a number, not 0")
    stated = _attribute(value, "origin", "value")
    origin = 0.0 if stated is None else _number(stated)
    if origin is None:
        raise UnreadableFile("not an origin", file=file, field=f"{lead}: origin", found=stated, expected="a number")
    own, other = unit_to_mv(unit), unit_to_mv(_attribute(value, "origin", "unit"))
    if origin and own is not None and other is not None:
        origin *= other / own
    return unit, step, origin


def _start(root: Element, series: Element, axis: _Axis, first_s: float, notes: list[str]) -> datetime | None:
    """Return the first sample's time: of the time sequence, else the low end of an effectiveTime."""
    stated = parse_timestamp(_attribute(series, "effectiveTime/low", "value")) or parse_timestamp(
        _attribute(root, "effectiveTime/low", "value")
    )
    if axis.zero is None:
        return stated
    start = axis.zero + timedelta(seconds=first_s)
    if stated is not None and abs(seconds_between(stated, start)) > 1:
        notes.append(f"start: {start.isoformat()} by the time sequence, {stated.isoformat()} by effectiveTime")
    return start


def _annotations(series: Element, zero_s: float, start: datetime | None) -> tuple[Annotations | None, dict[str, Any]]:
    """Return the marks in time, and the statements and measurements as facts.

    Relative times count from ``zero_s`` seconds before the first sample, absolute ones from ``start``.
    """
    marks: list[tuple[float, str, str]] = []
    facts: dict[str, Any] = {}
    statements: list[str] = []
    measurements: dict[str, Any] = {}

    def seconds(element: Element | None) -> float | None:
        when = parse_timestamp(None if element is None else element.get("value"))
        if when is not None:
            return None if start is None else seconds_between(start, when)
        relative = _quantity(element)
        return None if relative is None else relative - zero_s

    for annotation in (item for part in series.findall("subjectOf") for item in part.iter("annotation")):
        code = _attribute(annotation, "code", "code") or ""
        value = annotation.find("value")
        word = _attribute(annotation, "value", "code")
        for boundary in annotation.iterfind("support/supportingROI/component/boundary/value"):
            for path, note in (("low", "onset"), ("high", "offset"), (".", "")):
                time_s = seconds(boundary.find(path) if path != "." else boundary)
                if time_s is not None:
                    marks.append((time_s, word or code, note))
        if value is None or not code:
            continue
        number = _number(value.get("value"))
        if code.upper() in _STATEMENTS and (
            text := clean_text(value.text) or _attribute(annotation, "value", "displayName")
        ):
            statements.append(text)
        elif number is not None:
            measurements.setdefault(code, {"value": number, "unit": clean_text(value.get("unit"))})
    if statements:
        facts["diagnosis"] = "\n".join(statements)[:4000]
    if measurements:
        facts["measurements"] = measurements
    if not marks:
        return None, facts
    marks.sort(key=lambda mark: mark[0])
    times, symbols, remarks = zip(*marks, strict=True)
    return Annotations(np.array(times), symbols, remarks), facts


def _subject(root: Element, start: datetime | None, facts: dict[str, Any]) -> Subject:
    trial = next(root.iter("trialSubject"), None)
    person = None if trial is None else next(trial.iter("subjectDemographicPerson"), None)
    age = None
    for observation in root.iterfind("controlVariable/relatedObservation"):
        if _attribute(observation, "code", "code") in _AGE_CODES:
            unit = _AGE_UNITS.get(_attribute(observation, "value", "unit") or "a", "?")
            age = parse_age(f"{_attribute(observation, 'value', 'value')} {unit}")
    if age is None:
        age = age_at(parse_date(_attribute(person, "birthTime", "value")), start)
    sex = parse_sex(_attribute(person, "administrativeGenderCode", "code"))
    return Subject(_attribute(trial, "id", "extension"), age, sex, facts)


READERS.register("aecg", Reader("aecg", TITLE, (".xml",), sniff=sniff, read=read, write=write))
