"""CSV, TSV and other text tables: one column a lead (or one line a lead), whatever the separator.

A time column, or a line such as ``# fs=500`` or ``Sampling Rate: 500 Hz`` above the table, gives the rate; a rate is
never assumed, and the time or index column is never read as a signal. ``write`` makes ``time_s,I,II,...`` in
millivolts, with the facts in comment lines above and the shortest digits that give the same float32 back; NaN is an
empty cell.
"""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ecg_core.errors import InvalidValue, NeedsOption, UnreadableFile
from ecg_core.leads import canonical_lead
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._container import LEAD_NAMES, START_NAMES, UNIT_NAMES
from ecg_core.readers._csv_layout import Layout, decode, find_layout
from ecg_core.readers._csv_names import SECONDS, lead_and_unit, metadata, stated_rate, time_unit
from ecg_core.readers._csv_table import Table, parse
from ecg_core.readers._csv_time import Grid, find_grid, is_clock, seconds_by_size
from ecg_core.readers._facts import as_texts, describe, parse_start, subject_of
from ecg_core.readers._units import require_fs, unit_to_mv
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff, check_size
from ecg_core.recording import Recording

_SNIFFED = 1 << 16
_OTHER_TEXT = re.compile(r"^\S+\.(?:dat|mat|bin|raw|edf)\s+\d+", re.M)
_SAME_RATE = 0.01


def sniff(data: bytes) -> Sniff:
    """Judge by whether the beginning is a table of numbers; never surer than MAYBE: such a table can be anything."""
    head = data[:_SNIFFED]
    if head.lstrip()[:1] in (b"", b"<", b"{", b"["):
        return Sniff.NO
    text = decode(head if len(data) <= _SNIFFED else _whole_lines(head))
    if text is None or _OTHER_TEXT.search(text):
        return Sniff.NO
    try:
        layout = find_layout(text)
        if layout is None:
            return Sniff.NO
        if layout.n_columns > 1:
            return Sniff.MAYBE
        values = np.array([float(row) for row in text[layout.start :].split("\n")[:50] if row.strip()])
    except (ValueError, csv.Error):
        return Sniff.NO
    return Sniff.NO if len(values) < 3 or is_clock(values) else Sniff.MAYBE


def _whole_lines(head: bytes) -> bytes:
    """Return ``head`` up to its last line end; a line longer than that is left cut."""
    end = head.rfind(b"\n")
    return head[: end + 1] if end > 0 else head


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the one table of a text file."""
    text = decode(files[name])
    layout = None if text is None else find_layout(text)
    if text is None or layout is None:
        raise UnreadableFile(
            "no table of numbers",
            file=name,
            found=repr(files[name][:60]),
            expected="rows of numbers, one column a lead, under a header that names them",
        )
    table = parse(text, layout, name, options.limits)
    facts = metadata(layout.head)
    notes = [*layout.notes, *table.notes]
    axis = _time_axis(layout, table, name, notes)
    signals = [k for k in sorted(table.columns) if k not in axis.columns]
    if layout.trailing and len(signals) > 1 and not (layout.names and layout.names[-1]):
        # What stands behind the last delimiter is no column.
        signals = [k for k in signals if k != layout.n_columns - 1 or not np.isnan(table.columns[k]).all()]
    if not signals:
        raise UnreadableFile("the only column rises as time does", file=name, expected="a column of samples beside it")
    names, units = _names_and_units(layout, signals, facts, notes)
    fs = _rate(layout, axis, facts, options, name, names, notes)
    rows = [table.columns[k] for k in signals]
    if axis.grid is not None and axis.grid.n_samples > len(rows[0]):
        rows = _with_gaps(rows, axis.grid, options, name, notes)
    start, note = parse_start(next((facts[key] for key in START_NAMES if key in facts), None))
    derived = [canonical_lead(lead) or lead for lead in as_texts(facts.get("derived")) or ()]
    known = {canonical_lead(lead) or lead for lead in (options.leads or names) if lead}
    return assemble(
        [Channel(lead, row, unit, fs) for lead, row, unit in zip(names, rows, units, strict=True)],
        format_name="csv",
        file=name,
        files=files,
        options=options,
        subject=subject_of(lambda *keys: next((facts[key] for key in keys if key in facts), None)),
        start=start or axis.start,
        warnings=[*notes, *([note] if note else [])],
        header_text="\n".join(layout.head),
        derived=[lead for lead in derived if lead in known],
    )


@dataclass
class _Axis:
    """The column that says when, and others that count along."""

    columns: set[int]
    """Time and index columns, none of which is a signal."""
    label: str = ""
    grid: Grid | None = None
    unit_s: float | None = None
    """Seconds of the column's unit, if the file says."""
    is_index: bool = False
    start: datetime | None = None


def _time_axis(layout: Layout, table: Table, file: str, notes: list[str]) -> _Axis:
    """Find the time column: by its header or content; a column that only counts rows is its stand-in."""
    axis = _Axis(set())
    date: datetime | None = None
    found: list[tuple[int, str, str, float | None]] = []
    for k, values in table.columns.items():
        name = layout.names[k] if layout.names else ""
        by_name = time_unit(name) if name else None
        is_moment = k < len(layout.kinds) and layout.kinds[k] == "time" and not layout.transposed
        row_unit = (layout.units[k] or "").lower()
        if by_name is not None or is_moment:
            kind, unit = by_name or ("time", None)
            unit = SECONDS.get(row_unit, unit)
            if k in table.starts and len(values) > 1 and not values.any():
                axis.columns.add(k)
                date = table.starts[k]
                continue
            if kind == "index" and not is_clock(values) and not is_moment:
                continue
            found.append((k, kind, name or f"column {k + 1}", 1.0 if is_moment else unit))
        elif k == 0 and canonical_lead(name) is None and unit_to_mv(row_unit or lead_and_unit(name)[1]) is None:
            if not is_clock(values):
                continue
            step = float(np.median(np.diff(values)))
            whole = step == round(step)
            found.append((k, "index" if whole else "time", name or "the first column", None))
            notes.append(
                f"time: {name or 'the first column'} rises steadily (by {step:g}): read as "
                + ("time or sample numbers" if whole else "time")
                + ", not as a signal"
            )
    if not found:
        return axis
    axis.columns |= {k for k, *_ in found}
    k, kind, axis.label, axis.unit_s = min(found, key=lambda item: (item[1] == "index", item[3] is None, item[0]))
    axis.is_index = kind == "index"
    axis.start = table.starts.get(k)
    if date is not None and axis.start is None and axis.unit_s == 1.0:
        axis.start = date + timedelta(seconds=float(table.columns[k][0]))
    others = [label for other, _, label, _ in found if other != k]
    if others:
        notes.append(f"time: taken from {axis.label}; not read: {', '.join(others)}")
    if len(table.columns[k]) > 1:
        axis.grid = find_grid(table.columns[k], file, axis.label, layout.line)
    return axis


def _names_and_units(
    layout: Layout, signals: list[int], facts: dict[str, str], notes: list[str]
) -> tuple[list[str], list[str | None]]:
    """Return name and unit of each signal column: from the header, the row of units, or the lines above."""
    stated_unit = next((facts[key] for key in UNIT_NAMES if key in facts), None)
    stated_names = as_texts(next((facts[key] for key in LEAD_NAMES if key in facts), None)) or []
    if layout.names is None:
        names = stated_names if len(stated_names) == len(signals) else [""] * len(signals)
        return names, [layout.units[k] or stated_unit for k in signals]
    left_out = [name for k, name in enumerate(layout.names) if not layout.transposed and layout.kinds[k] == "text"]
    if left_out:
        notes.append(f"channels: left out as text: {', '.join(left_out)}")
    parsed = [lead_and_unit(layout.names[k]) for k in signals]
    units = [unit or layout.units[k] or stated_unit for k, (_, unit) in zip(signals, parsed, strict=True)]
    names = [name for name, _ in parsed]
    return (stated_names if len(names) == len(stated_names) == 1 else names), units


def _rate(
    layout: Layout,
    axis: _Axis,
    facts: dict[str, str],
    options: ReadOptions,
    file: str,
    names: list[str],
    notes: list[str],
) -> float:
    """Settle the rate between the lines above the table, the time column and the caller."""
    stated = stated_rate(layout.head, facts)
    if stated is not None:
        stated = require_fs(stated, options, file, where="the lines above the table")
    if axis.grid is None or axis.is_index:
        where = "a time column, or a line such as '# fs=500' above the table (columns: "
        columns = ", ".join(name or "(unnamed)" for name in names[:20])
        if stated is None and options.fs is None and axis.label:
            where = f"a time column, or a line such as '# fs=500'; {axis.label} only counts (columns: "
        return stated or require_fs(None, options, file, where=where + columns + ")")
    grid = axis.grid
    known = stated or options.fs
    if axis.unit_s is not None:
        from_time = _per_second(grid.rate, axis.unit_s)
        if known is not None and abs(known - from_time) > _SAME_RATE * from_time:
            _contradiction(known, f"{from_time:g} Hz", axis, file, by_file=stated is not None)
        if known is None:
            notes.append(f"rate: {from_time:g} Hz from the steps of {axis.label}")
        return known or from_time
    if known is not None:
        if not any(abs(known * grid.step * unit - 1) <= _SAME_RATE for unit in (1.0, 1e-3, 1e-6, 1 / known)):
            _contradiction(known, f"steps of {grid.step:g}", axis, file, by_file=stated is not None)
        return known
    unit = None if grid.step == 1 else seconds_by_size(grid.step)
    if unit is None:
        raise NeedsOption(
            "the unit of the time column is not stated and cannot be told",
            file=file,
            field=axis.label,
            found=f"steps of {grid.step:g}",
            expected="a header such as time_s or time_ms",
            options=("say the rate: fs=<samples per second> (on the command line --fs)",),
        )
    label = {1.0: "seconds", 1e-3: "milliseconds"}.get(unit, "microseconds")
    fs = _per_second(grid.rate, unit)
    notes.append(f"rate: {fs:g} Hz: {axis.label} does not state its unit, and only {label} give a plausible rate")
    return fs


def _per_second(rate: float, unit_s: float) -> float:
    """Return a rate per unit as a rate per second, without the last digits that the division spoils."""
    return float(f"{rate / unit_s:.12g}")


def _contradiction(known: float, found: str, axis: _Axis, file: str, *, by_file: bool) -> None:
    if by_file:
        raise UnreadableFile(
            "the time column contradicts the rate above the table",
            file=file,
            field=axis.label,
            found=found,
            expected=f"{known:g} Hz",
        )
    raise InvalidValue(
        "contradicts the time column", file=file, field="fs", found=f"{known:g} Hz", expected=f"{found} ({axis.label})"
    )


def _with_gaps(
    rows: list[np.ndarray], grid: Grid, options: ReadOptions, file: str, notes: list[str]
) -> list[np.ndarray]:
    """Return ``rows`` on the regular grid, NaN where no row of the file lies."""
    check_size(len(rows), grid.n_samples, options.limits, file)
    gaps = int((np.diff(grid.positions) > 1).sum())
    notes.append(
        f"gaps: {gaps} in the time column; {grid.n_samples - len(rows[0])} missing samples are marked as not recorded"
    )
    spread = []
    for row in rows:
        full = np.full(grid.n_samples, np.nan)
        full[grid.positions] = row
        spread.append(full)
    return spread


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write one column a lead, in millivolts, after the time in seconds."""
    buffer = io.StringIO()
    facts = {"units": "mV", **describe(recording)}
    buffer.write(f"# einthoven csv\n# fs={recording.fs!r}\n")
    buffer.writelines(f"# {key}: {value}\n" for key, value in facts.items())
    csv.writer(buffer, lineterminator="\n").writerow(["time_s", *recording.leads])
    decimals = max(9, math.ceil(math.log10(recording.fs)) + 6)
    times = np.round(np.arange(recording.n_samples) / recording.fs, decimals)
    columns = [map(repr, times.tolist())]
    columns += [np.where(np.isnan(row), "", row.astype("U16")).tolist() for row in recording.signal]
    buffer.writelines(",".join(cells) + "\n" for cells in zip(*columns, strict=True))
    return {f"{stem}.csv": buffer.getvalue().encode()}


READERS.register(
    "csv", Reader("csv", "CSV, TSV, text table", (".csv", ".tsv", ".txt"), sniff=sniff, read=read, write=write)
)
