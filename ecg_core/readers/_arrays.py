"""From the chosen array (or arrays) of a container to a recording: orientation, rate, units, gains, subject."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ecg_core.errors import UnreadableFile
from ecg_core.leads import canonical_lead
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._container import (
    BASELINE_NAMES,
    FS_NAMES,
    GAIN_NAMES,
    LEAD_NAMES,
    SCALE_NAMES,
    START_NAMES,
    STEP_NAMES,
    UNIT_NAMES,
    Container,
    Stored,
    choose,
    is_named_lead,
    orient,
)  # fmt: skip
from ecg_core.readers._facts import as_number, as_numbers, as_texts, parse_start, subject_of
from ecg_core.readers._units import is_unitless, median_peak_to_peak, require_fs, unit_to_mv
from ecg_core.readers.base import Files, ReadOptions, check_size
from ecg_core.recording import Recording

_PLAUSIBLE_MV = (0.1, 20.0)
"""Peak-to-peak range that tells whether a gain is counts a unit or units a count."""
_MV_ALREADY = 20.0


def read_container(box: Container, *, format_name: str, files: Files, options: ReadOptions) -> Recording:
    """Choose the ECG in ``box``, load it and assemble the recording."""
    chosen = choose(box)
    if len(chosen) > 1 or is_named_lead(chosen[0]):
        names: list[str | None] = [stored.path[-1] for stored in chosen]
        rows = load_vectors(box, chosen, options)
    else:
        names, rows = _split(box, chosen[0], options)
    rates = per_lead(box, chosen, FS_NAMES, len(rows))
    where = f"fs (or sampling_rate, frequency, ...) stated beside {chosen[0].name}"
    fs = [require_fs(rate, options, box.file, where=where) for rate in ([None] if rates is None else rates)]
    rates_hz = fs if len(fs) == len(rows) else fs * len(rows)
    return assemble_rows(box, chosen, names, rows, rates_hz, format_name=format_name, files=files, options=options)


def load_vectors(box: Container, chosen: Sequence[Stored], options: ReadOptions) -> list[np.ndarray]:
    """Return arrays of one lead each, every one of shape (n_samples,)."""
    for stored in chosen:
        check_size(len(chosen), math.prod(stored.shape), options.limits, box.file)
    return [stored.load().reshape(-1) for stored in chosen]


def per_lead(box: Container, chosen: Sequence[Stored], names: Sequence[str], n_rows: int) -> np.ndarray | None:
    """Return the figure that the file states for each row (shape (n_rows,)), or None where it states none."""
    if len(chosen) == 1:
        value = box.find(chosen[0], names)
        figures = as_numbers(value)
        if figures is None or not figures.size:
            if value is not None and as_texts(value) is not None:
                raise UnreadableFile("not a number", file=box.file, field=names[0], found=as_texts(value))
            return None
        if figures.size not in (1, n_rows):
            raise UnreadableFile(
                "one number, or one a lead",
                file=box.file,
                field=names[0],
                found=f"{figures.size}",
                expected=f"1 or {n_rows}",
            )
        return np.broadcast_to(figures, (n_rows,))
    each = [as_number(box.find(stored, names)) for stored in chosen]
    stated = [number for number in each if number is not None]
    if stated and len(stated) < len(each):
        missing = ", ".join(s.path[-1] for s, number in zip(chosen, each, strict=True) if number is None)
        raise UnreadableFile("stated for some leads only", file=box.file, field=names[0], found=f"none for {missing}")
    return np.array(stated) if stated else None


def assemble_rows(
    box: Container,
    chosen: Sequence[Stored],
    names: Sequence[str | None],
    rows: Sequence[np.ndarray],
    fs: Sequence[float],
    *,
    format_name: str,
    files: Files,
    options: ReadOptions,
    counts: str | None = None,
) -> Recording:
    """Assemble ``rows`` (each of shape (n_samples,)) with the facts beside the arrays they came from.

    ``counts`` is the unit of one count where the layout says that the values are counts, whatever their dtype, and the
    file states neither unit nor gain.
    """
    units = _units(box, chosen, len(rows))
    rows, units, rule = _apply_gain(box, chosen, list(rows), units, options, counts=counts)
    start, note = parse_start(box.find(chosen[0], START_NAMES))
    if note:
        box.notes.append(note)
    derived = [canonical_lead(name) or name for name in as_texts(box.find(chosen[0], ("derived",))) or ()]
    known = {canonical_lead(name) or name for name in (options.leads or names) if name}
    return assemble(
        [Channel(name, row, unit, rate, rule) for name, row, unit, rate in zip(names, rows, units, fs, strict=True)],
        format_name=format_name,
        file=box.file,
        files=files,
        options=options,
        subject=subject_of(lambda *keys: box.find(chosen[0], keys)),
        start=start,
        warnings=box.notes,
        derived=[name for name in derived if name in known],
    )


def _split(box: Container, stored: Stored, options: ReadOptions) -> tuple[list[str | None], list[np.ndarray]]:
    """Return the lead names and the rows of one array, whichever way round it lies."""
    shape = stored.shape
    while len(shape) > 2:
        shape = _without_one(shape)
    names = as_texts(box.find(stored, LEAD_NAMES))
    counted = names if names is not None else options.leads
    if not shape:
        shape = (1,)
    axis = orient(shape, None if counted is None else len(counted), file=box.file, name=stored.name, notes=box.notes)
    n_leads = 1 if axis is None else shape[axis]
    check_size(n_leads, math.prod(shape) // max(n_leads, 1), options.limits, box.file)
    values = stored.load().reshape(shape)
    if axis is None:
        values = values[None, :]
    elif axis == 1:
        values = values.T
    return list(names) if names is not None else [None] * n_leads, list(values)


def _without_one(shape: tuple[int, ...]) -> tuple[int, ...]:
    at = shape.index(1)
    return shape[:at] + shape[at + 1 :]


def _units(box: Container, chosen: Sequence[Stored], n_rows: int) -> list[str | None]:
    """Return the unit that the file states for each row."""
    if len(chosen) > 1:
        return [unit for stored in chosen for unit in _units(box, [stored], 1)]
    value = box.find(chosen[0], UNIT_NAMES)
    texts = as_texts(value)
    if texts is None:
        number = as_number(value)
        return [None if number is None else f"{number:g}"] * n_rows
    if len(texts) not in (1, n_rows):
        raise UnreadableFile(
            "one unit, or one a lead", file=box.file, field="units", found=", ".join(texts), expected=f"1 or {n_rows}"
        )
    return [*texts] if len(texts) == n_rows else [texts[0]] * n_rows


def _apply_gain(
    box: Container,
    chosen: Sequence[Stored],
    rows: list[np.ndarray],
    units: list[str | None],
    options: ReadOptions,
    *,
    counts: str | None,
) -> tuple[list[np.ndarray], list[str | None], str | None]:
    """Turn counts into physical values where a gain, a scale or a step is stated; return also their units and rule.

    A *scale* is physical units a count, a *step* states its unit in its name, a *gain* is counts a unit (as in WFDB);
    since many files call a scale a gain, the other meaning is taken where it alone gives a plausible amplitude.
    """
    meanings = [("step", (name,)) for name in STEP_NAMES] + [("scale", SCALE_NAMES), ("gain", GAIN_NAMES)]
    found = ((word, keys[0], per_lead(box, chosen, keys, len(rows))) for word, keys in meanings)
    meaning, key, figures = next((item for item in found if item[2] is not None), ("", "", None))
    stated = [unit if unit and not is_unitless(unit) else None for unit in units]
    if figures is None:
        return (rows, units, None) if counts is None or any(stated) else _by_layout(rows, counts, options)
    if not (np.isfinite(figures) & (figures > 0)).all():
        raise UnreadableFile(f"not a {meaning}", file=box.file, field=key, found=figures, expected="numbers above 0")
    if counts is None and not all(_whole(row) for row in rows):
        box.notes.append(f"{meaning}: not applied, since the values are not whole numbers")
        return rows, units, None
    zeros = per_lead(box, chosen, BASELINE_NAMES, len(rows))
    offsets = per_lead(box, chosen, ("addoffset",), len(rows))
    raw = [
        row.astype(np.float64) - zero
        for row, zero in zip(rows, np.zeros(len(rows)) if zeros is None else zeros, strict=True)
    ]
    rule = None
    if meaning == "step":
        stated = [STEP_NAMES[key]] * len(rows)
    elif meaning == "gain" and not all(stated) and options.units is None:
        stated = [unit or "mV" for unit in stated]
        rule = "the file states a gain without a unit; taken as of millivolts"
    multiply = meaning != "gain"
    if meaning == "gain":
        to_mv = [unit_to_mv(unit or options.units or "mV") or 1.0 for unit in stated]
        divided = median_peak_to_peak([r / g * mv for r, g, mv in zip(raw, figures, to_mv, strict=True)])
        multiplied = median_peak_to_peak([r * g * mv for r, g, mv in zip(raw, figures, to_mv, strict=True)])
        multiply = _plausible(multiplied) and not _plausible(divided)
        box.notes.append(
            f"gain: {', '.join(f'{g:g}' for g in sorted(set(figures)))} taken as "
            + ("units a count (as counts a unit, the amplitude would be implausible)" if multiply else "counts a unit")
        )
    scaled = [r * g if multiply else r / g for r, g in zip(raw, figures, strict=True)]
    if offsets is not None:
        scaled = [row + offset for row, offset in zip(scaled, offsets, strict=True)]
    return scaled, list(stated), rule


def _by_layout(
    rows: list[np.ndarray], counts: str, options: ReadOptions
) -> tuple[list[np.ndarray], list[str | None], str | None]:
    """Settle the unit of a layout of raw counts that states neither unit nor gain."""
    if options.units is not None:
        return rows, [None] * len(rows), None
    if median_peak_to_peak(rows) < _MV_ALREADY:
        return rows, ["mV"] * len(rows), f"mV by size (median peak-to-peak under {_MV_ALREADY:g}); the file states none"
    return rows, [counts] * len(rows), f"counts of {counts}, by the layout; the file states no unit"


def _plausible(span: float) -> bool:
    return _PLAUSIBLE_MV[0] <= span <= _PLAUSIBLE_MV[1]


def _whole(row: np.ndarray) -> bool:
    if row.dtype.kind in "iu":
        return True
    finite = row[np.isfinite(row)]
    return bool((finite == np.rint(finite)).all())
