"""What the clinical formats (DICOM, MUSE, aECG) share: XML within limits, timestamps, pieces in time, integer steps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_CEILING, Context, Decimal
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.errors import InvalidValue, LimitExceeded, UnreadableFile
from ecg_core.leads import INDEPENDENT_8, LIMB, derive_leads
from ecg_core.readers._assemble import Channel
from ecg_core.readers.base import Limits, check_size

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ecg_core.recording import Recording

MAX_DEPTH = 256
"""Levels of nested XML elements; MUSE and aECG need under thirty."""
MAX_ELEMENTS = 1_000_000
"""XML elements of one document: a million take a few hundred megabytes of memory."""
LARGEST_STEP = 32_767
"""Largest magnitude of a stored sample; -32768 is left to mark what was not recorded."""
_SNIFFED = 65_536
_TIMESTAMP = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?\s*([+-]\d{4})?")


def root_name(data: bytes) -> str | None:
    """Return the name of an XML document's root element, without its namespace, or None where there is none near."""
    text = _start_of_text(data)
    while text.startswith("<"):
        if text.startswith("<?"):
            end = "?>"
        elif text.startswith("<!--"):
            end = "-->"
        elif text[:9].upper() == "<!DOCTYPE":
            inside, closed = text.find("["), text.find(">")
            end = "]" if -1 < inside < closed else ">"
        else:
            match = re.match(r"<(?:[\w.-]+:)?([\w.-]+)(?=[\s/>])", text)
            return match.group(1) if match else None
        _, found, text = text.partition(end)
        if not found:
            return None
        if end == "]":
            text = text.partition(">")[2]
        text = text.lstrip()
    return None


def _start_of_text(data: bytes) -> str:
    head = data[:_SNIFFED]
    if head.startswith((b"\xff\xfe", b"<\0")):
        return head.decode("utf-16-le", "replace").lstrip("\ufeff \t\r\n")
    if head.startswith((b"\xfe\xff", b"\0<")):
        return head.decode("utf-16-be", "replace").lstrip("\ufeff \t\r\n")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.decode("latin-1") if start.startswith(b"<") else ""


def parse_xml(data: bytes, file: str, title: str) -> Element:
    """Return the root element of an XML document, all names without their namespaces.

    A document type is accepted, as MUSE files carry one; entity declarations and external entities are refused, and
    so is what exceeds `MAX_DEPTH` or `MAX_ELEMENTS`. Nothing outside ``data`` is ever opened.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(
        target=_bounded_builder(file),
        encoding=_true_encoding(data),
        forbid_dtd=False,
        forbid_entities=True,
        forbid_external=True,
    )
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UnreadableFile(
            "declares XML entities, which are refused", file=file, found=error, expected=f"{title} without entities"
        ) from error
    except ParseError as error:
        raise UnreadableFile(
            "the XML is damaged or cut short", file=file, found=error, expected=f"a whole {title} document"
        ) from error
    except (LookupError, ValueError) as error:
        raise UnreadableFile(
            "an encoding that XML cannot be read in", file=file, found=error, expected="UTF-8, UTF-16 or an 8-bit one"
        ) from error
    return root


def _true_encoding(data: bytes) -> str | None:
    """Return UTF-8 for 8-bit text that declares UTF-16, as exports copied through a text field do."""
    declaration = data[:200].split(b"?>")[0].lower()
    wrong = declaration.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<?xml") and re.search(
        rb"encoding\s*=\s*[\"']utf-?16", declaration
    )
    return "utf-8" if wrong else None


def _bounded_builder(file: str) -> object:
    """Return a parser target that builds a tree without namespaces and refuses one that is too deep or too large."""
    from xml.etree.ElementTree import TreeBuilder

    class Builder:
        def __init__(self) -> None:
            self.tree = TreeBuilder()
            self.depth = 0
            self.count = 0
            self.data = self.tree.data
            self.close = self.tree.close

        def start(self, tag: str, attributes: dict[str, str]) -> None:
            self.depth += 1
            self.count += 1
            if self.depth > MAX_DEPTH:
                raise LimitExceeded(
                    "XML elements within elements",
                    file=file,
                    found=f"over {MAX_DEPTH} levels",
                    expected=f"at most {MAX_DEPTH}",
                )
            if self.count > MAX_ELEMENTS:
                raise LimitExceeded(
                    "too many XML elements",
                    file=file,
                    found=f"over {MAX_ELEMENTS}",
                    expected=f"at most {MAX_ELEMENTS}",
                )
            self.tree.start(_local(tag), {_local(key): value for key, value in attributes.items()})

        def end(self, tag: str) -> None:
            self.depth -= 1
            self.tree.end(_local(tag))

    return Builder()


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def parse_timestamp(text: str | None) -> datetime | None:
    """Return a DICOM DT or HL7 TS (``YYYYMMDDHHMM[SS[.FFFFFF]][+ZZZZ]``), or None where it stops short of minutes."""
    match = _TIMESTAMP.fullmatch((text or "").strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match.group(7) or "0")[:6].ljust(6, "0"))
    zone = match.group(8)
    try:
        tz = None
        if zone:
            shift = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
            tz = timezone(-shift if zone[0] == "-" else shift)
        return datetime(year, month, day, hour, minute, second, microsecond, tz)
    except ValueError:
        return None


def format_timestamp(when: datetime) -> str:
    """Return ``when`` as `parse_timestamp` reads it, to the microsecond."""
    return f"{when.year:04d}{when:%m%d%H%M%S}.{when.microsecond:06d}{when:%z}"[:26]


def seconds_between(first: datetime, second: datetime) -> float:
    """Return the seconds from ``first`` to ``second``, by wall clock where only one of them names its time zone."""
    if (first.tzinfo is None) != (second.tzinfo is None):
        first, second = first.replace(tzinfo=None), second.replace(tzinfo=None)
    return (second - first).total_seconds()


def parse_date(text: str | None) -> date | None:
    """Return the date that a text starting with ``YYYYMMDD`` names, else None."""
    match = re.match(r"(\d{4})(\d\d)(\d\d)", (text or "").strip())
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def age_at(birth: date | None, when: datetime | None) -> float | None:
    """Return completed years between birth and recording (parts of a year under two), or None where not known."""
    if birth is None or when is None:
        return None
    years = when.year - birth.year - ((when.month, when.day) < (birth.month, birth.day))
    age = float(years) if years >= 2 else (when.date() - birth).days / 365.25
    return age if 0 <= age <= 130 else None


@dataclass
class Piece:
    """A stretch of one lead."""

    name: str | None
    unit: str | None
    fs: float
    offset_s: float
    """Seconds of the first sample from a moment that all pieces share."""
    values: np.ndarray
    """In ``unit``, float64, shape (n_samples,)."""


def join_pieces(pieces: Sequence[Piece], limits: Limits, file: str) -> list[Channel]:
    """Return one channel a lead, its pieces in place from the earliest first sample on, NaN between them.

    Pieces of one lead that overlap in time stay channels of their own.
    """
    first = min((piece.offset_s for piece in pieces), default=0.0)
    placed = [(round((piece.offset_s - first) * piece.fs), order, piece) for order, piece in enumerate(pieces)]
    lanes: dict[tuple[str | None, str | None, float], list[_Lane]] = {}
    count, longest = 0, 0
    for begin, order, piece in sorted(placed, key=lambda entry: entry[:2]):
        same = lanes.setdefault((piece.name, piece.unit, piece.fs), [])
        lane = next((lane for lane in same if lane.end <= begin), None)
        if lane is None:
            lane = _Lane(order)
            same.append(lane)
            count += 1
        lane.pieces.append((begin, piece.values))
        lane.first = min(lane.first, order)
        lane.end = begin + len(piece.values)
        longest = max(longest, lane.end)
        check_size(count, longest, limits, file)
    found = [
        (lane.first, Channel(name, lane.values(), unit, fs))
        for (name, unit, fs), same in lanes.items()
        for lane in same
    ]
    return [channel for _, channel in sorted(found, key=lambda entry: entry[0])]


@dataclass
class _Lane:
    """One channel in the making: pieces that do not overlap, in order of time."""

    first: int
    """Place, in the file, of its first piece."""
    end: int = 0
    pieces: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def values(self) -> np.ndarray:
        """Return the samples of all pieces, float64 of shape (end,), NaN between."""
        if len(self.pieces) == 1 and self.pieces[0][0] == 0:
            return self.pieces[0][1]
        row = np.full(self.end, np.nan)
        for begin, values in self.pieces:
            row[begin : begin + len(values)] = values
        return row


def complete_limb_leads(recording: Recording) -> Recording:
    """Return an eight-lead recording (I, II, V1-V6) of a format that stores no more with its limb leads derived."""
    missing = LIMB[2:]
    if not set(INDEPENDENT_8) <= set(recording.leads) or set(missing) & set(recording.leads):
        return recording
    note = f"leads: {', '.join(missing)} are derived from I and II: the file carries eight leads"
    return derive_leads(recording).with_warnings(note)


def to_steps(values_mv: np.ndarray) -> tuple[str, np.ndarray]:
    """Return the finest step that holds a lead in 16 bits, and the lead in such steps.

    Parameters
    ----------
    values_mv
        Millivolts, shape (n_samples,); NaN where nothing was recorded.

    Returns
    -------
    The step in microvolts, as a decimal number of at most 16 characters, and int16 of shape (n_samples,):
    -32768 where nothing was recorded, else -32767 to 32767.
    """
    missing = np.isnan(values_mv)
    microvolts = np.where(missing, 0.0, values_mv.astype(np.float64)) * 1e3
    peak = float(np.abs(microvolts).max(initial=0.0))
    step = Context(prec=9, rounding=ROUND_CEILING).create_decimal(Decimal(peak) / LARGEST_STEP) if peak else Decimal(1)
    if not float(step) > 0:
        raise InvalidValue("too small to be written", field="signal", found=f"{peak / 1e3:g} mV")
    steps = np.rint(microvolts / float(step)).astype(np.int16)
    steps[missing] = -LARGEST_STEP - 1
    return f"{step:.9g}", steps
