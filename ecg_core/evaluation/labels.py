"""Tables of labels: which recording shows what."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecg_core.errors import InvalidValue

FIELD = "labels"
_EXPECTED = "a row a recording: its name, then its labels (`A0001,N` or `00001,MI;LVH`), or a 0/1 column a label"
_NAMES = frozenset(("record", "recording", "name", "file", "filename", "record_name", "id", "ecg_id"))
_LABELS = frozenset(("label", "labels", "class", "diagnosis", "rhythm", "statements", "scp_codes"))
_SPLIT = re.compile(r"[;|\s]+")
_FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "": False, "true": True, "false": False}
MOST_ROWS = 100_000
MOST_LABELS = 500


@dataclass(frozen=True)
class Labels:
    """What a table says."""

    of: Mapping[str, frozenset[str]]
    """Name of a recording, as the table has it, to its labels."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every label that occurs, in order."""
        return tuple(sorted(frozenset().union(*self.of.values())))

    def find(self, name: str) -> frozenset[str] | None:
        """Return the labels of a recording, by its file's name with or without folders and ending; None for none."""
        base = name.rpartition("/")[2]
        spellings = (name, name.rpartition(".")[0], base, base.rpartition(".")[0])
        return next((self.of[spelling] for spelling in spellings if spelling in self.of), None)


def parse_labels(table: bytes, file: str = FIELD) -> Labels:
    """Read a table of labels: CSV with or without a header, commas, semicolons or tabs between the columns.

    Raises
    ------
    InvalidValue
        It is no such table.
    """
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidValue("not a table of text", file=file, field=FIELD, expected=_EXPECTED) from error
    first = text.partition("\n")[0]
    comma = next((mark for mark in ("\t", ",", ";") if mark in first), ",")
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=comma) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InvalidValue("not a table", file=file, field=FIELD, found=error, expected=_EXPECTED) from error
    if not rows or len(rows) > MOST_ROWS or any(len(row) < 2 for row in rows):
        short = next((row for row in rows if len(row) < 2), None)
        found = f"{len(rows)} rows" if short is None else f"the row {','.join(short)!r}"
        raise InvalidValue("not a table of labels", file=file, field=FIELD, found=found, expected=_EXPECTED)
    header = [cell.strip() for cell in rows[0]]
    has_header = header[0].lower() in _NAMES
    if not has_header or header[1].lower() in _LABELS:
        body = rows[1:] if has_header else rows
        column = [(row[0].strip(), _listed(row[1], file)) for row in body]
    else:
        column = [(row[0].strip(), _flagged(header, row, file)) for row in rows[1:]]
    if not column:
        raise InvalidValue("a table without rows", file=file, field=FIELD, expected=_EXPECTED)
    labels = Labels(_united(column, file))
    if len(labels.names) > MOST_LABELS:
        raise InvalidValue(
            "too many labels", file=file, field=FIELD, found=len(labels.names), expected=f"at most {MOST_LABELS}"
        )
    return labels


def _listed(cell: str, _file: str) -> frozenset[str]:
    return frozenset(label for label in _SPLIT.split(cell.strip()) if label)


def _flagged(header: Sequence[str], row: Sequence[str], file: str) -> frozenset[str]:
    found = set()
    for label, cell in zip(header[1:], row[1:], strict=False):
        flag = _FLAGS.get(cell.strip().lower())
        if flag is None:
            raise InvalidValue(
                "neither 0 nor 1", file=file, field=f"{FIELD} column {label}", found=repr(cell), expected=_EXPECTED
            )
        if flag:
            found.add(label)
    return frozenset(found)


def _united(column: Sequence[tuple[str, frozenset[str]]], file: str) -> dict[str, frozenset[str]]:
    of: dict[str, frozenset[str]] = {}
    for name, labels in column:
        if of.get(name, labels) != labels:
            raise InvalidValue("two rows for one recording", file=file, field=FIELD, found=name, expected="one")
        of[name] = labels
    return of
