"""WFDB, the format of PhysioNet: a text header, signal files and annotation files.

The `wfdb` package is the reference that the tests compare with, not what decodes here: it opens paths, its import takes
0.7 s, it does not expand multi-segment records of several rates, and a crafted annotation file keeps it busy for ever.
FLAC streams go through `soundfile`.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ecg_core.errors import EcgError, WriteError
from ecg_core.leads import canonical_lead
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._texts import clean_text
from ecg_core.readers._units import require_fs
from ecg_core.readers._wfdb_annotations import read_annotations, write_annotations
from ecg_core.readers._wfdb_header import (
    NULL_FILE,
    Header,
    looks_like_damaged_header,
    looks_like_header,
    parse_header,
    read_comments,
)
from ecg_core.readers._wfdb_record import DEFAULT_FS, Labels, RecordFiles, folder_of
from ecg_core.readers._wfdb_samples import INVALID
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff
from ecg_core.recording import Annotations, Recording

_ANNOTATORS = re.compile(
    r"atr|ann|ari|man|apn|ecg|pu\d?|qt\d|q\d?c|[a-z]{0,2}qrs|pwave|twave|st[a-z\-]?|i{1,3}|av[rlf]|v[1-9]", re.I
)
"""Annotators in use; a file of theirs that does not parse is damaged, one of another name may be anything."""
_EXTENSION = re.compile(r"[\w\-]{1,20}")
_NEVER_ANNOTATIONS = frozenset(
    "hea dat mat edf bdf csv tsv txt json xml h5 hd5 hdf5 npy npz dcm zip gz md pdf png jpg".split()
)
_STEPS_UV = sorted(m * 10.0**e for m in (1, 2, 2.5, 5) for e in range(-3, 10))
"""ADC steps that a written file may have: round ones, so that values that were round stay so."""
_WRITTEN = {16: "<i2", 24: "<i4", 32: "<i4"}


def sniff(data: bytes) -> Sniff:
    """Look for a record line followed by a signal or segment line; a whole signal line further down may be damage."""
    if looks_like_header(data):
        return Sniff.SURE
    return Sniff.MAYBE if looks_like_damaged_header(data) else Sniff.NO


def wanted(name: str, data: bytes) -> tuple[str, ...]:
    """Return the signal files and segment headers that a header names, and the pattern of its annotation files."""
    header = _header_or_none(name, data) if looks_like_header(data) else None
    if header is None:
        return ()
    return (*_named_by(header), f"{_stem(name)}.*")


def companions(name: str, files: Files) -> tuple[str, ...]:
    """Return the signal files, segments and annotation files that belong to the header ``name``."""
    folder, labels = folder_of(name), Labels(files)
    found: dict[str, None] = {}
    queue = [name]
    while queue:
        header = _header_or_none(queue[0], files[queue.pop(0)])
        # What a damaged header would have named is its own signal file, most likely.
        for asked in _named_by(header) if header else (f"{_stem(name)}.dat", f"{_stem(name)}.mat"):
            label = labels.locate(folder + asked)
            if label is not None and label != name and label not in found:
                found[label] = None
                if header is not None and header.segments and asked.endswith(".hea"):
                    queue.append(label)
    prefix = f"{folder}{_stem(name)}."
    for label in files:
        if label.startswith(prefix) and label not in found and label != name:
            extension = label[len(prefix) :]
            if _ANNOTATORS.fullmatch(extension) or _is_annotation(extension, files[label]):
                found[label] = None
    return tuple(found)


def _is_annotation(extension: str, data: bytes) -> bool:
    if not _EXTENSION.fullmatch(extension) or extension.lower() in _NEVER_ANNOTATIONS:
        return False
    marks = read_annotations(data, 1.0)
    return marks is not None and len(marks) > 0


def _header_or_none(name: str, data: bytes) -> Header | None:
    try:
        return parse_header(data, name)
    except EcgError:
        return None


def _named_by(header: Header) -> tuple[str, ...]:
    signal_files = (line.file for line in header.signals)
    segments = (f"{segment}.hea" for segment, _ in header.segments if segment != NULL_FILE)
    return tuple(dict.fromkeys(label for label in (*signal_files, *segments) if label != NULL_FILE))


def _stem(name: str) -> str:
    base = name[len(folder_of(name)) :]
    return base[:-4] if base.lower().endswith(".hea") else base


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the record whose header is ``name``."""
    header = parse_header(files[name], name)
    notes = list(header.notes)
    record = RecordFiles(name, files, options, notes)
    signals = record.joined(header) if header.segments else record.signals(header, name)
    widest = max(signal.width for signal in signals)
    if header.fs is None and options.fs is None:
        notes.append(f"rate: not in the header; {DEFAULT_FS:g} Hz, the default of WFDB")
    stated = header.fs if header.fs is not None or options.fs is not None else DEFAULT_FS
    fs = require_fs(None if stated is None else stated * widest, options, name, where="the header's record line")
    frame_fs = fs / widest
    subject, derived = read_comments(header.comments)
    recording = assemble(
        [
            Channel(signal.name, signal.values, signal.unit, frame_fs * signal.width, signal.unit_rule)
            for signal in signals
        ],
        format_name="wfdb",
        file=name,
        files=files,
        options=options,
        subject=subject,
        start=header.start,
        annotations=_annotations(name, header, files, frame_fs, len(signals[0].values) / signals[0].width, notes),
        warnings=notes,
        header_text="\n".join(header.comments),
    )
    said = {canonical_lead(lead) or lead for lead in derived}
    return replace(recording, derived=tuple(lead for lead in recording.leads if lead in said))


def _annotations(
    name: str, header: Header, files: Files, frame_fs: float, n_frames: float, notes: list[str]
) -> dict[str, Annotations]:
    prefix = f"{folder_of(name)}{_stem(name)}."
    labels = Labels(files)
    signal_files = {labels.locate(folder_of(name) + asked) for asked in _named_by(header)}
    found = {}
    for label in sorted(files):
        if label == name or not label.startswith(prefix) or label in signal_files:
            continue
        extension = label[len(prefix) :]
        if extension.lower() in _NEVER_ANNOTATIONS or not _EXTENSION.fullmatch(extension):
            continue
        marks = read_annotations(files[label], frame_fs)
        if marks is None:
            notes.append(f"annotations: {label} is damaged or no MIT annotation file; left out")
            continue
        found[extension] = marks
        if late := int((marks.time_s > n_frames / frame_fs).sum()):
            notes.append(f"annotations: {late} marks of {label} lie after the end of the signal")
    return found


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write a header, one signal file of format 16 (24 or 32 where a microvolt needs more bits), and the annotations.

    Each lead gets the finest round step that holds its values, and a baseline where it is far from 0.
    """
    record = re.sub(r"[^A-Za-z0-9_\-]", "_", stem) or "record"
    form, calibrations = _calibrate(recording)
    rows = []
    lines = [_record_line(record, recording)]
    for name, row, (gain, baseline) in zip(recording.leads, recording.signal, calibrations, strict=True):
        scaled = np.rint(row.astype(np.float64) * gain) + baseline
        stored = np.where(np.isnan(row), INVALID[form], scaled).astype(np.int64)
        rows.append(stored.astype(_WRITTEN[form]))
        label = clean_text(name, 80)
        if label != name:
            raise WriteError("a lead's name does not fit a WFDB header", field="leads", found=repr(name))
        total = (int(stored.sum()) + 32768) % 65536 - 32768
        calibration = f"{np.format_float_positional(gain, trim='-')}({baseline})/mV"
        lines.append(f"{record}.dat {form} {calibration} {form} 0 {stored[0]} {total} 0 {label}")
    lines += [f"# {comment}" for comment in _comments(recording)]
    frames = np.ascontiguousarray(np.stack(rows, axis=1))
    data = frames.view(np.uint8).reshape(-1, 4)[:, :3].tobytes() if form == 24 else frames.tobytes()
    files = {f"{record}.hea": ("\n".join(lines) + "\n").encode(), f"{record}.dat": data}
    for annotator, marks in recording.annotations.items():
        extension = re.sub(r"[^A-Za-z0-9_]", "_", annotator)[:20] or "ann"
        if extension.lower() in _NEVER_ANNOTATIONS:
            extension += "_ann"
        files[f"{record}.{extension}"] = write_annotations(marks, recording.fs)
    return files


def _record_line(record: str, recording: Recording) -> str:
    fs = np.format_float_positional(recording.fs, trim="-")
    line = f"{record} {recording.n_leads} {fs} {recording.n_samples}"
    if start := recording.start:
        fraction = f".{start.microsecond:06d}" if start.microsecond else ""
        line += f" {start:%H:%M:%S}{fraction} {start.day:02d}/{start.month:02d}/{start.year:04d}"
    return line


def _comments(recording: Recording) -> list[str]:
    """Return the comment lines that `read_comments` turns back into the subject and the derived leads."""
    subject = recording.subject
    pairs: list[tuple[str, object]] = [("Subject", subject.id)]
    if subject.age is not None:
        pairs.append(("Age", np.format_float_positional(subject.age, trim="-")))
    pairs += [("Sex", subject.sex), ("Derived leads", ", ".join(recording.derived))]
    pairs += [
        (key, value)
        for key, value in subject.facts.items()
        if isinstance(value, str | int | float) and re.fullmatch(r"[A-Za-z][\w ]{0,60}", key)
    ]
    lines = [f"{key}: {text}" for key, value in pairs if (text := clean_text(value, 2000))]
    free = subject.facts.get("comments")
    return lines + [text for line in (free if isinstance(free, list) else []) if (text := clean_text(line))]


def _calibrate(recording: Recording) -> tuple[int, list[tuple[float, int]]]:
    """Return the narrowest format that has steps of at most 1 uV in every lead, and a (gain, baseline) for each."""
    for form in (16, 24, 32):
        top = 2 ** (form - 1) - 1
        steps = [_finest_step(row, top, form) for row in recording.signal]
        if all(step is not None and (step[0] <= 1.0 or form == 32) for step in steps):
            return form, [(1000.0 / step[0], step[1]) for step in steps if step is not None]
    raise WriteError(
        "the values are too large for WFDB",
        field="signal",
        found=f"{np.nanmax(np.abs(recording.signal)):g} mV",
        expected="less than 10 000 000 V",
    )


def _finest_step(row: np.ndarray, top: int, form: int) -> tuple[float, int] | None:
    """Return (microvolts a step, baseline) of one lead, or None where nothing fits; near 0 the baseline is 0."""
    known = row[~np.isnan(row)].astype(np.float64) * 1000.0
    if not known.size:
        return 1.0, 0
    low, high = float(known.min()), float(known.max())
    largest, span = max(abs(low), abs(high)), high - low
    # Steps far under float32's own resolution would only add digits.
    for step in _STEPS_UV:
        if largest <= step * (top - 1):
            return step, 0
        if span <= step * 2 * (top - 1) and largest > 4 * span and form == 16:
            return step, -round((low + high) / 2 / step)
    return None


READERS.register(
    "wfdb",
    Reader(
        "wfdb",
        "WFDB (PhysioNet)",
        (".hea",),
        sniff=sniff,
        read=read,
        write=write,
        companions=companions,
        wanted=wanted,
    ),
)
