"""LUDB: 200 12-lead ECGs of 10 s, 500 Hz, with P, QRS and T marked by hand in every lead.

Published at https://physionet.org/content/ludb/1.0.1/ (Kalyakulina 2020). One person a record: cross-validate
record-wise with `folds`, stratified by whether the record has P waves (some rhythms have none).

No wave is marked near the edges of a record: mask the training loss there, or a network learns to miss edge beats.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ecg_core.datasets.base import (
    DATASETS,
    DataSet,
    Entry,
    Listing,
    by_number,
    number,
    read_text,
    read_wfdb,
    wfdb_stems,
)
from ecg_core.datasets.fetch import Origin
from ecg_core.datasets.marks import read_marks, waves_from_marks
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording, Sex, Subject

FS = 500.0


@dataclass(frozen=True, eq=False)
class LudbTruth:
    """The waves of each lead, and what the table says."""

    waves: Mapping[str, Mapping[str, np.ndarray]]
    """Lead, then ``"p" | "qrs" | "t" | "u"``, to onset, peak and end: int64 sample numbers of shape (n_waves, 3)."""
    age: float | None
    """Years; None where unknown or over 89."""
    over_89: bool
    sex: Sex | None
    rhythm: str
    facts: Mapping[str, tuple[str, ...]]
    """The other columns of ludb.csv (axis, conduction, ischaemia ...), one entry a line of the cell."""


class Ludb(DataSet[LudbTruth]):
    """Lobachevsky University Database 1.0.1."""

    name = "ludb"
    title = "Lobachevsky University Database (LUDB)"
    about = "12 leads, 10 s, 500 Hz; P, QRS and T onset, peak and end per lead"
    page = "https://physionet.org/content/ludb/1.0.1/"
    licence = "ODC-By 1.0"
    citation = "Kalyakulina et al. 2020, IEEE Access 8:186181, doi:10.1109/ACCESS.2020.3029211"
    origin = Origin(
        "https://physionet.org/files/ludb/1.0.1/", slug="ludb", wanted=("ludb.csv", "data/*"), tables=("ludb.csv",)
    )
    folders = ("lobachevsky-university-electrocardiography-database-*",)

    def is_here(self, folder: Path) -> bool:
        """Return whether annotated records stand in ``folder``/data."""
        return next((folder / "data").glob("*.avf"), None) is not None

    def listing(self, root: str | Path | None = None) -> Listing[LudbTruth]:
        """List the records."""
        folder = self.locate(root)
        table = _read_table(folder / "ludb.csv")
        here = wfdb_stems(folder / "data")
        entries = tuple(
            Entry(
                name,
                partial(_load, folder / "data" / name, table.get(name, {})),
                partial(_truth, folder / "data" / name, table.get(name, {})),
                f"ludb:{name}",
            )
            for name in here
        )
        missing = tuple(sorted(set(table) - set(here), key=by_number))
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, entries, missing)


def _read_table(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    rows = csv.DictReader(io.StringIO(read_text(path)))
    return {row["ID"].strip(): {name: (cell or "").strip() for name, cell in row.items() if name} for row in rows}


def _person(row: Mapping[str, str]) -> tuple[float | None, bool, Sex | None]:
    """Return age, over 89, sex."""
    over_89 = row.get("Age", "").startswith(">")
    sexes: dict[str, Sex] = {"F": "female", "M": "male"}
    return (None if over_89 else number(row.get("Age"))), over_89, sexes.get(row.get("Sex", ""))


def _load(stem: Path, row: Mapping[str, str]) -> Recording:
    recording = read_wfdb(stem)
    if not row:
        return recording
    age, over_89, sex = _person(row)
    facts = {**recording.subject.facts, **({"age": "over 89"} if over_89 else {})}
    return replace(recording, subject=Subject(recording.subject.id, age, sex, facts))


def _truth(stem: Path, row: Mapping[str, str]) -> LudbTruth:
    waves = {}
    for lead in STANDARD_12:
        marks = read_marks(stem, lead.lower(), FS)
        waves[lead] = waves_from_marks(marks.sample, marks.symbol)
    age, over_89, sex = _person(row)
    facts = {
        name: tuple(line.strip() for line in cell.splitlines() if line.strip())
        for name, cell in row.items()
        if name not in ("ID", "Sex", "Age", "Rhythms")
    }
    return LudbTruth(waves, age, over_89, sex, row.get("Rhythms", ""), facts)


DATASETS.register(Ludb.name, Ludb())
