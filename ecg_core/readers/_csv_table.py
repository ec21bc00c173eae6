"""The numbers of a text file, once its layout is known: fast where the cells are numbers, exact in its complaints."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import numpy as np

from ecg_core.errors import UnreadableFile
from ecg_core.readers._csv_layout import MISSING, Layout, split_line
from ecg_core.readers._csv_time import moments
from ecg_core.readers.base import Limits, check_size

_CHUNK = 1 << 22
"""Characters parsed at a time: a cell as a Python string takes some fifty bytes more."""


@dataclass
class Table:
    """Columns of numbers."""

    columns: dict[int, np.ndarray]
    """Float64, shape (n_rows,), by number of the column; NaN where a cell is missing. Columns of text are left out."""
    starts: dict[int, datetime] = field(default_factory=dict)
    """First timestamp of the columns that hold them."""
    notes: list[str] = field(default_factory=list)


def parse(text: str, layout: Layout, file: str, limits: Limits) -> Table:
    """Return the columns of ``text``."""
    if layout.transposed:
        return _parse_transposed(text, layout, file, limits)
    check_size(layout.n_columns, text.count("\n", layout.start) + 1, limits, file)
    numbers = [k for k, kind in enumerate(layout.kinds) if kind == "number"]
    blocks: list[np.ndarray] = []
    times: dict[int, list[str]] = {k: [] for k, kind in enumerate(layout.kinds) if kind == "time"}
    notes: list[str] = []
    position, line = layout.start, layout.line
    while position < len(text):
        end = len(text)
        if end - position > _CHUNK:
            end = text.rfind("\n", position, position + _CHUNK)
            if end < 0:
                end = text.find("\n", position + _CHUNK)
                end = len(text) if end < 0 else end
        chunk = text[position:end]
        if not times and len(numbers) == layout.n_columns and (block := _plain_block(chunk, layout)) is not None:
            blocks.append(block)
            position, line = end + 1, line + chunk.count("\n") + 1
            continue
        cells = _cells(chunk, layout, line, file, notes, last=end == len(text))
        n_rows = len(cells) // layout.n_columns
        for k in range(layout.n_columns - 1, -1, -1):
            if layout.kinds[k] == "number":
                continue
            width = len(cells) // n_rows if n_rows else 1
            if layout.kinds[k] == "time":
                times[k].extend(cells[k::width])
            del cells[k::width]
        blocks.append(_floats(cells, chunk, layout, line, file).reshape(n_rows, len(numbers)))
        position, line = end + 1, line + chunk.count("\n") + 1
    values = np.concatenate(blocks).T if blocks else np.empty((len(numbers), 0))
    table = Table(dict(zip(numbers, np.ascontiguousarray(values), strict=True)), notes=notes)
    for k, moment in times.items():
        if moment:
            name = layout.names[k] if layout.names else str(k + 1)
            table.columns[k], first = moments(moment, file, name, layout.line)
            if first is not None:
                table.starts[k] = first
    return table


def _plain_block(chunk: str, layout: Layout) -> np.ndarray | None:
    """Return a chunk's numbers (float64, shape (n_rows, n_columns)) by NumPy's parser, None where it is not plain."""
    if '"' in chunk or not chunk.isascii() or not chunk.strip():
        return None
    if layout.decimal_comma:
        if layout.delimiter == ",":
            return None
        chunk = chunk.replace(",", ".")
    delimiter = layout.delimiter if layout.delimiter.strip() or layout.delimiter == "\t" else None
    try:
        block = np.loadtxt(io.StringIO(chunk), np.float64, comments=None, delimiter=delimiter, ndmin=2)
    except ValueError:
        return None
    return block if block.shape[1] == layout.n_columns else None


def _cells(chunk: str, layout: Layout, line: int, file: str, notes: list[str], *, last: bool) -> list[str]:
    """Return the cells of whole lines, row after row, having made sure that every row has one a column."""
    n, delimiter = layout.n_columns, layout.delimiter
    if layout.decimal_comma and delimiter != ",":
        chunk = chunk.replace(",", ".")
    lines = [row for row in chunk.split("\n") if row and not row.isspace() and row[0] not in "#%"]
    if delimiter == "":
        return lines
    if delimiter == " " or '"' in chunk:
        try:
            rows = (
                [row.replace('"', "").split() for row in lines]
                if delimiter == " "
                else list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
            )
        except csv.Error as error:
            raise UnreadableFile(
                "the quotes do not match", file=file, field=f"from line {line}", found=error
            ) from error
        widths = [len(row) for row in rows]
    else:
        rows = None
        widths = [row.count(delimiter) + 1 for row in lines]
    if widths.count(n) != len(widths):
        wrong = next(k for k, width in enumerate(widths) if width != n)
        if wrong != len(widths) - 1 or not last or widths[wrong] > n or wrong == 0:
            _complain(chunk, layout, line, file)
        notes.append("length: the last line is cut short; it was left out")
        del lines[-1]
        if rows is not None:
            del rows[-1]
    if rows is None:
        return delimiter.join(lines).split(delimiter) if lines else []
    cells = list(chain.from_iterable(rows))
    return [cell.replace(",", ".") for cell in cells] if layout.decimal_comma and delimiter == "," else cells


def _floats(cells: list[str], chunk: str, layout: Layout, line: int, file: str) -> np.ndarray:
    """Return the numbers in ``cells`` (float64, shape (n,)), NaN for missing ones."""
    # Python takes 1_000 and other scripts' digits for numbers; a file that has them is looked at cell by cell.
    if chunk.isascii() and "_" not in chunk:
        try:
            return np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            pass
        try:
            return np.array([float(cell) if cell else np.nan for cell in cells], np.float64)
        except ValueError:
            pass
    values = [_number(cell) for cell in cells]
    if None in values:
        _complain(chunk, layout, line, file)
    return np.array(values, np.float64)


def _number(cell: str) -> float | None:
    """Return the number in a cell, NaN where it says that there is none, or None where it is neither."""
    bare = cell.strip().strip("\"'").strip().replace("\u2212", "-")
    if bare.lower() in MISSING:
        return float("nan")
    if "_" in bare or not bare.isascii():
        return None
    try:
        return float(bare)
    except ValueError:
        return None


def _complain(chunk: str, layout: Layout, line: int, file: str) -> None:
    """Raise the error of the first wrong cell or row, by line and column."""
    for n, row in enumerate(chunk.split("\n")):
        if not row.strip() or row[0] in "#%":
            continue
        cells = split_line(row, layout.delimiter)
        if len(cells) != layout.n_columns:
            raise UnreadableFile(
                "a row has another number of cells",
                file=file,
                field=f"line {line + n}",
                found=f"{len(cells)} cells",
                expected=f"{layout.n_columns}, as in the other rows",
            )
        for k, cell in enumerate(cells):
            decimal = cell.replace(",", ".") if layout.decimal_comma else cell
            if layout.kinds[k] == "number" and _number(decimal) is None:
                name = f"column {k + 1}" + (f" ({layout.names[k]})" if layout.names and layout.names[k] else "")
                raise UnreadableFile(
                    "not a number",
                    file=file,
                    field=f"line {line + n}, {name}",
                    found=repr(cell[:40]),
                    expected="a number, or an empty cell or NaN where nothing was recorded",
                )
    raise UnreadableFile(
        "the rows cannot be told apart", file=file, field=f"from line {line}", expected="one row a line"
    )


def _parse_transposed(text: str, layout: Layout, file: str, limits: Limits) -> Table:
    """Return the lines of a text with one line a lead, as columns; the names they begin with go into the layout."""
    lines = [row for row in text[layout.start :].split("\n") if row.strip() and row[0] not in "#%"]
    labelled = layout.kinds == ["text"]
    check_size(len(lines), layout.n_columns, limits, file)
    names, columns = [], {}
    layout.kinds = ["text"] * labelled + ["number"] * (layout.n_columns - labelled)
    for k, row in enumerate(lines):
        cells = _cells(row, layout, layout.line + k, file, [], last=False)
        if labelled:
            names.append(cells.pop(0).strip().strip("\"'")[:200])
        columns[k] = _floats(cells, row, layout, layout.line + k, file)
    layout.names = names if labelled else None
    layout.units = [None] * len(lines)
    what = "the names first" if labelled else "the shorter axis"
    return Table(columns, notes=[f"orientation: one line a lead ({what})"])
