"""The text half of WFDB: header lines in, typed lines out. Grammar: https://www.physionet.org/physiotools/wag/header-5.htm."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers._texts import clean_text, parse_age, parse_sex
from ecg_core.recording import Sex, Subject

NULL_FILE = "~"
"""Stands for "no file": a signal or a segment in which nothing was recorded."""
_MOST_FACTS = 100
_MOST_SIGNALS, _MOST_SEGMENTS = 4_096, 50_000
_LONGEST_LINE = 4096
_LARGEST_HEADER = 16 * 1024**2

_RECORD = re.compile(r"(?P<name>[\w.+\-]+)(?:/(?P<segments>\d{1,9}))?")
_RATE = re.compile(
    r"(?P<fs>(?:\d{1,15}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)(?:/[-\d.eE+]+(?:\([-\d.eE+]*\))?)?"
)
_TIME = re.compile(r"\[?\d{1,2}(?::\d{1,2}){0,2}(?:\.\d*)?\]?")
_DATE = re.compile(r"\[?\d{1,2}[/\-](?:\d{1,2}|[A-Za-z]{3})[/\-]\d{4}\]?")
_SIGNAL = re.compile(
    r"(?P<file>\S+)\s+(?P<format>\d{1,4})(?:x(?P<frame>\d{1,9}))?(?::(?P<skew>\d{1,15}))?(?:\+(?P<offset>\d{1,18}))?"
    r"(?:\s+(?P<rest>.*))?"
)
_GAIN = re.compile(
    r"(?P<gain>[-+]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][-+]?\d{1,3})?)(?:\((?P<baseline>[-+]?\d{1,15}(?:\.\d{0,15})?)\))?"
    r"(?:/(?P<unit>\S+))?"
)
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_SEGMENT = re.compile(r"(?P<name>[\w.+\-/]+|~)\s+(?P<length>\d{1,18})")
_BRACKETED = re.compile(r"<([^<>]{1,60})>\s*:?\s*([^<]*)")
_KEYED = re.compile(r"([A-Za-z][\w /()\-]{0,60}?)\s*[:=]\s*(.*)")
_MIT_BIH = re.compile(r"(\d{1,3}|-1)\s+([MF])\s+\d+\s+\d+\s+x\d.*")
_ID_KEYS = {"id", "subject", "subject_id", "patient", "patient_id"}


@dataclass(frozen=True)
class SignalLine:
    """One signal as the header describes it."""

    file: str
    format: int
    samples_per_frame: int
    skew: int
    """Frames by which the stored signal lags."""
    byte_offset: int
    gain: float | None
    """ADC units per physical unit; None where the header states none (or 0, which means the same)."""
    baseline: float
    """ADC value of 0 physical units."""
    unit: str | None
    first_value: int
    checksum: int | None
    name: str | None


@dataclass(frozen=True)
class Header:
    """A record, or the list of segments that make up one."""

    record: str
    n_signals: int
    fs: float | None
    """Frames per second."""
    n_frames: int | None
    """None where the header leaves it to the size of the signal file."""
    start: datetime | None
    signals: tuple[SignalLine, ...]
    segments: tuple[tuple[str, int], ...]
    """(record name, frames); empty in a record that stands for itself."""
    comments: tuple[str, ...]
    notes: tuple[str, ...]


def _first_lines(data: bytes) -> list[str]:
    head = data[:65536]
    if b"\0" in head:
        return []
    lines = (line[:_LONGEST_LINE].strip() for line in _text(head).splitlines()[:2000])
    return [line for line in lines if line and not line.startswith("#")]


def looks_like_header(data: bytes) -> bool:
    """Return whether ``data`` starts with a record line and a line that has to follow it."""
    lines = _first_lines(data)
    if len(lines) < 2 or (record := _record_fields(lines[0])) is None:
        return False
    if record["segments"]:
        return _SEGMENT.fullmatch(lines[1]) is not None
    signal = _signal_line(lines[1])
    return signal is not None and (signal.file == NULL_FILE or any(ch.isalpha() for ch in signal.file))


def looks_like_damaged_header(data: bytes) -> bool:
    """Return whether ``data`` is a whole record line alone, or has a line that describes a signal among its first."""
    lines = _first_lines(data)
    if len(lines) == 1:
        record = _record_fields(lines[0])
        return record is not None and record["frames"] is not None
    for line in lines[:20]:
        signal = _signal_line(line)
        if signal and signal.gain and signal.checksum is not None and any(ch.isalpha() for ch in signal.file):
            return True
    return False


def parse_header(data: bytes, file: str) -> Header:
    """Parse a header file; `UnreadableFile` names the line that is none."""
    if len(data) > _LARGEST_HEADER:
        raise LimitExceeded(
            "the header is too large", file=file, found=f"{len(data)} bytes", expected=f"at most {_LARGEST_HEADER}"
        )
    lines, comments = [], []
    for number, line in enumerate(_text(data).splitlines(), 1):
        text = line[:_LONGEST_LINE].strip()
        if text.startswith("#"):
            comments.append(text.lstrip("#").strip())
        elif text:
            lines.append((number, text))
    if not lines or (record := _record_fields(lines[0][1])) is None:
        raise UnreadableFile(
            "not a WFDB record line",
            file=file,
            found=repr(lines[0][1][:80]) if lines else "no lines",
            expected="name, number of signals, rate, number of samples",
        )
    segmented = record["segments"] is not None
    announced = int(record["segments"] or 0) if segmented else int(record["signals"] or 0)
    body = lines[1 : announced + 1]
    what = "segment" if segmented else "signal"
    if announced > (_MOST_SEGMENTS if segmented else _MOST_SIGNALS):
        most = _MOST_SEGMENTS if segmented else _MOST_SIGNALS
        raise LimitExceeded(f"too many {what}s", file=file, found=announced, expected=f"at most {most}")
    if announced == 0 or len(body) < announced:
        raise UnreadableFile(
            f"the header lists no {what}s"
            if announced == 0
            else f"the header announces more {what}s than it describes",
            file=file,
            found=f"{announced} announced, {len(body)} described",
            expected=f"one line a {what}",
        )
    signals, segments = [], []
    for number, text in body:
        match = _SEGMENT.fullmatch(text)
        signal = _signal_line(text)
        if (match if segmented else signal) is None:
            raise UnreadableFile(f"not a WFDB {what} line", file=file, field=f"line {number}", found=repr(text[:80]))
        if segmented and match:
            segments.append((match["name"], int(match["length"])))
        elif signal:
            signals.append(signal)
    notes = []
    if extra := len(lines) - 1 - announced:
        notes.append(f"header: {extra} lines after the {announced} announced {what}s are ignored")
    start, note = _start(record["time"], record["date"])
    return Header(
        record=record["name"] or "",
        n_signals=int(record["signals"] or 0),
        fs=float(record["fs"]) if record["fs"] else None,
        n_frames=int(record["frames"] or 0) or None,
        start=start,
        signals=tuple(signals),
        segments=tuple(segments),
        comments=tuple(text for text in comments if text),
        notes=(*notes, *note),
    )


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _record_fields(line: str) -> dict[str, str | None] | None:
    """Split a record line; the time and the date are accepted in either order, as some collections have them."""
    tokens = line.split()
    if not 2 <= len(tokens) <= 6 or (name := _RECORD.fullmatch(tokens[0])) is None or not _is_count(tokens[1]):
        return None
    fields: dict[str, str | None] = {"name": name["name"], "segments": name["segments"], "signals": tokens[1]}
    fields |= dict.fromkeys(("fs", "frames", "time", "date"))
    if len(tokens) > 2:
        if (rate := _RATE.fullmatch(tokens[2])) is None:
            return None
        fields["fs"] = rate["fs"]
    if len(tokens) > 3:
        if not _is_count(tokens[3]):
            return None
        fields["frames"] = tokens[3]
    for token in tokens[4:]:
        kind = "time" if _TIME.fullmatch(token) else "date" if _DATE.fullmatch(token) else None
        if kind is None or fields[kind]:
            return None
        fields[kind] = token.strip("[]")
    return fields


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _signal_line(line: str) -> SignalLine | None:
    match = _SIGNAL.fullmatch(line.strip())
    if match is None:
        return None
    rest = (match["rest"] or "").strip()
    gain, baseline, unit = None, None, None
    numbers: list[int] = []
    first, *after = rest.split(maxsplit=1) or [""]
    if calibration := _GAIN.fullmatch(first):
        gain = float(calibration["gain"]) or None
        baseline = float(calibration["baseline"]) if calibration["baseline"] else None
        unit = calibration["unit"]
        rest = after[0] if after else ""
        while len(numbers) < 5 and rest and _WHOLE.fullmatch(token := rest.split(maxsplit=1)[0]):
            numbers.append(int(token))
            rest = rest[len(token) :].strip()
    padded: list[int | None] = [*numbers, *[None] * (5 - len(numbers))]
    _resolution, zero, first_value, checksum, _block = padded
    return SignalLine(
        file=match["file"],
        format=int(match["format"]),
        samples_per_frame=int(match["frame"] or 1) or 1,
        skew=int(match["skew"] or 0),
        byte_offset=int(match["offset"] or 0),
        gain=gain,
        baseline=float(zero or 0) if baseline is None else baseline,
        unit=unit,
        first_value=(zero or 0) if first_value is None else first_value,
        checksum=checksum,
        name=clean_text(rest),
    )


def _start(time: str | None, date: str | None) -> tuple[datetime | None, tuple[str, ...]]:
    if date is None:
        return None, (f"start: the header gives {time} without a date; left out",) if time else ()
    day = date.replace("-", "/")
    clock = time or "0:0:0"
    clock = "0:" * (2 - clock.count(":")) + clock
    whole, _, fraction = clock.partition(".")
    text = f"{day} {whole}.{(fraction or '0')[:6]}"
    for form in ("%d/%m/%Y %H:%M:%S.%f", "%d/%b/%Y %H:%M:%S.%f"):
        try:
            return datetime.strptime(text, form), ()
        except ValueError:
            continue
    return None, (f"start: {date} {time or ''} in the header is no date and time; left out",)


def read_comments(comments: tuple[str, ...]) -> tuple[Subject, tuple[str, ...]]:
    """Return what a header's comments say about the person, and the leads they call derived."""
    age: float | None = None
    sex: Sex | None = None
    ident: str | None = None
    derived: tuple[str, ...] = ()
    facts: dict[str, str] = {}
    free = []
    for comment in comments:
        pairs = _BRACKETED.findall(comment) or [m.groups() for m in [_KEYED.fullmatch(comment)] if m]
        if match := _MIT_BIH.fullmatch(comment):
            age = parse_age(match[1]) if age is None else age
            sex = sex or parse_sex(match[2])
        if not pairs:
            free.append(comment)
        for label, value in pairs:
            key = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
            text = clean_text(value)
            if not text:
                continue
            if key == "age" and age is None and (age := parse_age(text)) is not None:
                continue
            if key in ("sex", "gender") and sex is None and (sex := parse_sex(text)) is not None:
                continue
            if key in _ID_KEYS and ident is None:
                ident = text
            elif key == "derived_leads":
                derived = tuple(lead.strip() for lead in text.split(","))
            elif len(facts) < _MOST_FACTS:
                facts[key] = f"{facts[key]}; {text}"[:2000] if key in facts else text
    told: dict[str, object] = dict(facts)
    if free:
        told["comments"] = [text for line in free[:_MOST_FACTS] if (text := clean_text(line))]
    return Subject(id=ident, age=age, sex=sex, facts=told), derived
