"""How a text file of numbers is laid out: encoding, separator, decimal mark, header, units, where the numbers begin."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ecg_core.leads import canonical_lead
from ecg_core.readers._csv_names import SECONDS, is_metadata, time_unit
from ecg_core.readers._units import unit_to_mv

DELIMITERS = (";", "\t", "|", ",", " ", "")
"""Candidates; a space stands for any run of white space, and nothing for a file of one column."""
MISSING = frozenset({"", "nan", "na", "n/a", "-", "--", "null", "none", "missing", "nil", "#n/a"})
_CLOCK_UNITS = {"hh:mm:ss.mmm", "hh:mm:ss", "mm:ss.mmm", "mm:ss", "h:mm:ss.mmm"}
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+|\d*,\d+)(?:e[-+]?\d+)?|[-+]?inf(?:inity)?", re.I)
_MOMENT = re.compile(r"\d+:\d\d(?::\d\d)?(?:[.,]\d+)?|\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:[.,]\d+)?)?\S*)?")
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r")
_HEAD_LINES = 200
_SAMPLED_ROWS = 20
_SAMPLED_CELLS = 64
_TRANSPOSED_ROWS = 600
_LONGEST_NAME = 200
_LONGEST_LINE = 65_536


@dataclass
class Layout:
    """What was found out about a text."""

    delimiter: str
    n_columns: int
    start: int
    """Where in the text the numbers begin."""
    line: int
    """Number of the line there, from 1."""
    names: list[str] | None
    units: list[str | None]
    decimal_comma: bool
    kinds: list[str]
    """``number``, ``time`` or ``text``, a column."""
    head: list[str] = field(default_factory=list)
    """Lines of comment and metadata above, without their comment marks."""
    transposed: bool = False
    """One line a lead, its name first."""
    trailing: bool = False
    """Rows end with a delimiter."""
    notes: list[str] = field(default_factory=list)


def decode(data: bytes) -> str | None:
    """Return the text in UTF-8, UTF-16 or Latin-1 with line ends as newlines, or None where it is no text."""
    wide = _utf_16(data)
    if wide is not None:
        text = data[: len(data) & ~1].decode(wide, "replace")
        if re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return None
    elif len(data.translate(None, _CONTROLS)) != len(data):
        return None
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _utf_16(data: bytes) -> str | None:
    """Return the kind of UTF-16 by its mark, or by the zeros between Latin characters; None of other text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    start = data[:200]
    if b"\0" not in start:
        return None
    if not start[1::2].strip(b"\0"):
        return "utf-16-le"
    return None if start[::2].strip(b"\0") else "utf-16-be"


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line, without their quotes."""
    if delimiter == "":
        cells = [line]
    elif delimiter == " ":
        cells = line.split()
    elif '"' in line:
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    else:
        cells = line.split(delimiter)
    return [cell.strip().strip("\"'").strip() for cell in cells]


def find_layout(text: str) -> Layout | None:
    """Return how ``text`` is laid out, or None where it is no table of numbers."""
    lines = list(_head_lines(text))
    filled = [(n, line) for n, (_, line) in enumerate(lines) if line.strip() and not _is_comment(line)]
    if not filled:
        return None
    # The last line may be cut short, and the first ones may be a header: what lies between is the best witness.
    sample = [line for _, line in (filled[:-1] if len(filled) > 2 else filled)][-_SAMPLED_ROWS:]
    delimiter = _delimiter(sample)
    if delimiter is None:
        return None
    n_columns = len(split_line(sample[-1], delimiter))
    rows = [(n, split_line(line, delimiter)) for n, line in filled]
    first = next((n for n, cells in rows if len(cells) == n_columns and _is_data(cells)), None)
    if first is None:
        return None
    body = [cells for n, cells in rows if n >= first and len(cells) == n_columns][: _SAMPLED_ROWS + 1]
    layout = Layout(
        delimiter,
        n_columns,
        start=lines[first][0],
        line=first + 1,
        names=None,
        units=[None] * n_columns,
        decimal_comma=_decimal_comma(body, delimiter),
        kinds=[_kind([cells[k] for cells in body]) for k in range(n_columns)] if n_columns <= 4096 else [],
        trailing=all(cells[-1] == "" for cells in body),
    )
    above = [line for _, line in lines[:first]]
    n_lines = text.count("\n") + 1 - first
    few = n_lines <= _TRANSPOSED_ROWS and n_columns > n_lines
    labelled = few and all(not _is_number(cells[0]) for cells in body) and _is_text(body[0][0])
    _read_header(layout, above)
    if few and layout.names is None and (labelled or (n_columns > 3 * n_lines and n_lines >= 1)):
        layout.transposed = True
        layout.kinds = ["text" if labelled else "number"]
        return layout
    if not layout.kinds or "number" not in layout.kinds:
        return None
    _skip_column_numbers(layout, body, text)
    named = any(canonical_lead(name) or time_unit(name) for name in layout.names or ())
    return None if "text" in layout.kinds and not named else layout


def _head_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield (position, line) of the first lines."""
    position = 0
    for _ in range(_HEAD_LINES):
        end = text.find("\n", position)
        if end < 0:
            if position < len(text):
                yield position, text[position:]
            return
        yield position, text[position:end]
        position = end + 1


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in ("#", "%")


def _is_number(cell: str) -> bool:
    return cell.lower() in MISSING or _NUMBER.fullmatch(cell) is not None


def _is_text(cell: str) -> bool:
    return not _is_number(cell) and _MOMENT.fullmatch(cell) is None


def _is_data(cells: list[str]) -> bool:
    """Return whether a row is mostly numbers."""
    some = cells[:_SAMPLED_CELLS]
    numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in some)
    return numbers >= 1 and sum(_is_text(cell) for cell in some) <= max(1, len(some) // 3)


def _delimiter(sample: list[str]) -> str | None:
    """Return the delimiter that splits the sampled lines alike and into numbers; of several, into the most cells."""
    best: tuple[float, int] | None = None
    chosen = None
    for delimiter in DELIMITERS:
        rows = [split_line(line, delimiter) for line in sample]
        n = len(rows[-1])
        if n == 1 and delimiter:
            continue
        alike = [cells for cells in rows if len(cells) == n and _is_data(cells)]
        if not alike:
            continue
        some = [cell for cells in alike for cell in cells[:_SAMPLED_CELLS]]
        wrong = sum(_is_text(cell) for cell in some) / len(some) + 1 - len(alike) / len(rows)
        if best is None or (wrong, -n) < best:
            best, chosen = (wrong, -n), delimiter
    return chosen


def _decimal_comma(rows: list[list[str]], delimiter: str) -> bool:
    cells = [cell for row in rows for cell in row[:_SAMPLED_CELLS]]
    commas = any("," in cell for cell in cells if _NUMBER.fullmatch(cell))
    return commas and (delimiter != "," or not any("." in cell for cell in cells if _NUMBER.fullmatch(cell)))


def _kind(cells: list[str]) -> str:
    present = [cell for cell in cells if cell.lower() not in MISSING]
    if present and all(_MOMENT.fullmatch(cell) for cell in present):
        return "time"
    return "text" if present and all(_is_text(cell) for cell in present) else "number"


def _read_header(layout: Layout, above: list[str]) -> None:
    """Take the names and units from the lines above the numbers; what is neither is metadata."""
    plain_lines = [(n, line) for n, line in enumerate(above) if line.strip() and not _is_comment(line)]
    used = set()
    if plain_lines and (units := _unit_row(_fit(plain_lines[-1][1], layout))):
        layout.units = units
        used.add(plain_lines.pop()[0])
    if plain_lines:
        n, line = plain_lines[-1]
        cells = _fit(line, layout)
        if cells is not None and not (layout.n_columns <= 2 and is_metadata(line)):
            layout.names = cells
            used.add(n)
    layout.head = [_bare(line) for n, line in enumerate(above) if line.strip() and n not in used]
    comments = [_bare(line) for line in above if line.strip() and _is_comment(line)]
    if layout.names is None and comments and layout.n_columns > 1:
        cells = _fit(comments[-1], layout)
        if cells is not None and not any(_NUMBER.fullmatch(cell) for cell in cells):
            layout.names = cells
            layout.head.remove(comments[-1])


def _bare(line: str) -> str:
    return line[:_LONGEST_LINE].strip().lstrip("#% ").strip()


def _fit(line: str, layout: Layout) -> list[str] | None:
    """Return the cells of a header line, one a column, or None where it does not have as many."""
    n = layout.n_columns
    cells = [cell[:_LONGEST_NAME] for cell in split_line(line, layout.delimiter)]
    if layout.delimiter == " " and len(cells) != n:
        # Names of several words stand apart by more than one space.
        apart = [cell.strip(" '\"")[:_LONGEST_NAME] for cell in re.split(r"\t+|\s{2,}", line.strip())]
        cells = apart if len(apart) == n else cells
    if len(cells) == n - 1 and n > 2:
        # R leaves the header of the row names out; others leave out the one behind a trailing delimiter.
        return [*cells, ""] if layout.trailing else ["", *cells]
    return cells if len(cells) == n and (n > 1 or len(line) <= 40) else None


def _unit_row(cells: list[str] | None) -> list[str | None] | None:
    """Return the units in a row that holds nothing else, or None."""
    if cells is None:
        return None
    units = [cell.strip("()[]{} ") for cell in cells]
    known = [unit_to_mv(u) is not None or u.lower() in SECONDS or u.lower() in _CLOCK_UNITS for u in units]
    other = [u.lower() in ("", "adu", "nu", "-", "counts", "raw", "sample", "samples", "#") for u in units]
    if not any(known) and not any(u.lower() == "adu" for u in units):
        return None
    return [u or None for u in units] if all(k or o for k, o in zip(known, other, strict=True)) else None


def _skip_column_numbers(layout: Layout, body: list[list[str]], text: str) -> None:
    """Pass over a first row that only numbers the columns, as table libraries write it."""
    cells = body[0]
    numbers = cells[1:] if cells[0] == "" else cells
    counted = any(numbers == [str(k + base) for k in range(len(numbers))] for base in (0, 1))
    if layout.names is not None or len(numbers) < 3 or len(body) < 2 or not counted:
        return
    end = text.find("\n", layout.start)
    layout.start, layout.line = end + 1, layout.line + 1
    layout.notes.append("header: the first row only numbers the columns; it was not read as samples")
