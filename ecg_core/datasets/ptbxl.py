"""PTB-XL: 21,799 clinical 12-lead ECGs of 10 s, at 100 and 500 Hz, with 71 SCP-ECG statements.

Published at https://physionet.org/content/ptb-xl/1.0.3/ (Wagner 2020). Either rate is enough; columns that a copy of
``ptbxl_database.csv`` lacks (patient_id, height, recording_date ...) are done without, and records whose files are not
in the folder are left out and listed in `Listing.missing`.

Splits: the publisher's ten folds keep a patient's records together, and those of folds 9 and 10 had at least one human
look at them. ``train`` / ``validation`` / ``test`` (1-7 / 8 / 9) leave fold 10 alone; ``published-...`` are the usual
1-8 / 9 / 10.
"""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ecg_core.datasets.base import (
    DATASETS,
    DataSet,
    Entry,
    Item,
    Listing,
    Split,
    file_names,
    number,
    read_text,
    read_wfdb,
)
from ecg_core.datasets.fetch import Origin
from ecg_core.datasets.plain import read_plain
from ecg_core.errors import DataSetError, InvalidValue
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording, Sex, Subject

DURATION_S = 10.0
OVER_89 = 300
"""What the table has as the age of people over 89."""

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")

_TABLE = "ptbxl_database.csv"
_STATEMENTS = "scp_statements.csv"
_COLUMN_OF_RATE = {100.0: "filename_lr", 500.0: "filename_hr"}


@dataclass(frozen=True)
class Statement:
    """One of the 71 SCP-ECG statements."""

    code: str
    description: str
    diagnostic: bool
    form: bool
    rhythm: bool
    superclass: str | None
    subclass: str | None


@dataclass(frozen=True)
class PtbXlTruth:
    """What the table says about a record."""

    ecg_id: int
    age: float | None
    """Years; None where unknown or over 89."""
    over_89: bool
    sex: Sex | None
    statements: Mapping[str, float]
    """SCP code to likelihood in percent; 0 means that the likelihood was not stated, not that it is none."""
    superclasses: frozenset[str]
    """Of the diagnostic statements, whatever their likelihood; empty without scp_statements.csv."""
    subclasses: frozenset[str]
    fold: int
    patient_id: str | None
    af_elsewhere: bool | None
    """Whether the patient has AF in another record, from ``af_elsewhere.csv`` where the folder has one."""
    device: str | None = None
    site: str | None = None
    """The maker's name of the device and the number of the place, where the table has them."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Many records in one array."""

    names: tuple[str, ...]
    signal: np.ndarray
    """Millivolts, float32, shape (n_records, 12, n_samples), leads in the order of `STANDARD_12`; NaN: not recorded."""
    fs: float
    truths: tuple[PtbXlTruth, ...]


def superclasses(
    codes: Iterable[str], statements: Mapping[str, Statement], level: str = "superclass"
) -> frozenset[str]:
    """Return the diagnostic superclasses (or, with ``level="subclass"``, subclasses) that SCP codes belong to."""
    found = (getattr(statements[code], level) for code in codes if code in statements and statements[code].diagnostic)
    return frozenset(name for name in found if name)


def _folds(about: str, *folds: int) -> Split:
    return Split(about, lambda entry: entry.fold in folds)


class PtbXl(DataSet[PtbXlTruth]):
    """PTB-XL 1.0.3."""

    name = "ptbxl"
    title = "PTB-XL 1.0.3"
    about = "12 leads, 10 s, 100 and 500 Hz; 71 SCP statements, age, sex"
    page = "https://physionet.org/content/ptb-xl/1.0.3/"
    licence = "CC BY 4.0"
    citation = "Wagner et al. 2020, Sci Data 7:154, doi:10.1038/s41597-020-0495-6"
    origin = Origin(
        "https://physionet.org/files/ptb-xl/1.0.3/",
        slug="ptb-xl",
        wanted=(_TABLE, _STATEMENTS, "records100/*", "records500/*"),
        tables=(_TABLE, _STATEMENTS),
    )
    folders = ("ptb-xl-*",)
    splits: ClassVar[Mapping[str, Split]] = {
        "train": _folds("folds 1-7: fit", *range(1, 8)),
        "validation": _folds("fold 8: choose", 8),
        "test": _folds("fold 9: report", 9),
        "refit": _folds("folds 1-8: the weights that ship, once fold 9 has been reported on", *range(1, 9)),
        "published-train": _folds("folds 1-8, as the publisher proposes", *range(1, 9)),
        "published-validation": _folds("fold 9, as the publisher proposes", 9),
        "published-test": _folds("fold 10, as the publisher proposes", 10),
        **{str(fold): _folds(f"fold {fold} alone", fold) for fold in range(1, 11)},
    }

    def is_here(self, folder: Path) -> bool:
        """Return whether the table is in ``folder``."""
        return (folder / _TABLE).is_file()

    def statements(self, root: str | Path | None = None) -> dict[str, Statement]:
        """Return the 71 statements by SCP code."""
        return _read_statements(self.locate(root))

    def listing(self, root: str | Path | None = None, *, fs: float | None = None) -> Listing[PtbXlTruth]:
        """List the records at ``fs`` (100 or 500 Hz; without it, the rate that more of them are there at)."""
        return self._look(root, fs)[0]

    def _look(self, root: str | Path | None, fs: float | None) -> tuple[Listing[PtbXlTruth], float, dict[str, Path]]:
        """Return the listing, its rate and the path (without suffix) of each entry."""
        folder = self.locate(root)
        if fs is not None and fs not in _COLUMN_OF_RATE:
            raise InvalidValue("PTB-XL has no such rate", field="fs", found=fs, options=("100", "500"))
        rows = list(csv.DictReader(io.StringIO(read_text(folder / _TABLE))))
        present = {rate: _present(folder, rows, column) for rate, column in _COLUMN_OF_RATE.items()}
        rate = fs or max(present, key=lambda rate: len(present[rate]))
        column, here = _COLUMN_OF_RATE[rate], present[rate]
        statements = _read_statements(folder) if (folder / _STATEMENTS).is_file() else {}
        elsewhere = _read_af_elsewhere(folder)
        entries = []
        missing = []
        stems = {}
        for row in rows:
            try:
                truth = _truth(row, statements, elsewhere)
                stem = row[column]
            except (KeyError, ValueError, SyntaxError, TypeError, AttributeError) as error:
                raise DataSetError(
                    "a row cannot be understood",
                    file=str(folder / _TABLE),
                    field=f"ecg_id {row.get('ecg_id')}",
                    found=f"{type(error).__name__}: {error}",
                    expected=f"columns ecg_id, age, sex, scp_codes, strat_fold, {column}",
                ) from error
            if stem not in here:
                missing.append(stem)
                continue
            group = f"ptbxl:{truth.patient_id}" if truth.patient_id else f"ptbxl:record {truth.ecg_id}"
            path = folder / stem
            stems[path.name] = path
            load = partial(_load, path, truth, row)
            entries.append(Entry(path.name, load, partial(_same, truth), group, truth.fold))
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing)), rate, stems

    def iterate(
        self,
        root: str | Path | None = None,
        split: str | None = None,
        limit: int | None = None,
        *,
        fs: float | None = None,
    ) -> Iterator[Item[PtbXlTruth]]:
        """Read the records one by one, each with its truth; ``fs`` as in `listing`."""
        return self.read_entries(self.listing(root, fs=fs), split, limit)

    def stack(self, root: str | Path | None = None, split: str | None = None, *, fs: float | None = None) -> Stack:
        """Read all records of a split into one array.

        It gives the same millivolts as `iterate`, several times as fast: for records in the form that PTB-XL is
        published in, it leaves out the recognition, checks and warnings of the reader, through which any other goes.
        """
        listing, rate, stems = self._look(root, fs)
        entries = self.choose(listing.entries, split)
        signal = np.empty((len(entries), len(STANDARD_12), int(DURATION_S * rate)), np.float32)
        for row, entry in zip(signal, entries, strict=True):
            found = read_plain(stems[entry.name], rate)
            found = entry.load().select(STANDARD_12).signal if found is None else found
            if found.shape != row.shape:
                raise DataSetError(
                    "a record of another length", file=entry.name, found=found.shape, expected=str(row.shape)
                )
            row[:] = found
        names, truths = tuple(entry.name for entry in entries), tuple(entry.truth() for entry in entries)
        return Stack(names, signal, rate, truths)


def _same(truth: PtbXlTruth) -> PtbXlTruth:
    return truth


def _load(stem: Path, truth: PtbXlTruth, row: Mapping[str, str]) -> Recording:
    """Read a record, with the person as the table describes them."""
    facts: dict[str, Any] = {
        name: value for name in ("height", "weight") if (value := number(row.get(name))) is not None
    }
    facts |= {name: value for name in ("device", "site") if (value := getattr(truth, name)) is not None}
    if truth.over_89:
        facts["age"] = "over 89"
    return replace(read_wfdb(stem), subject=Subject(truth.patient_id, truth.age, truth.sex, facts))


def _truth(row: Mapping[str, str], statements: Mapping[str, Statement], elsewhere: Mapping[int, bool]) -> PtbXlTruth:
    ecg_id = int(float(row["ecg_id"]))
    age = number(row["age"])
    over_89 = age is not None and age >= OVER_89
    codes = {str(code): float(likelihood) for code, likelihood in ast.literal_eval(row["scp_codes"]).items()}
    sex: dict[float | None, Sex] = {0.0: "male", 1.0: "female"}
    patient, site = number(row.get("patient_id")), number(row.get("site"))
    return PtbXlTruth(
        ecg_id=ecg_id,
        age=None if over_89 else age,
        over_89=over_89,
        sex=sex.get(number(row["sex"])),
        statements=codes,
        superclasses=superclasses(codes, statements),
        subclasses=superclasses(codes, statements, "subclass"),
        fold=int(float(row["strat_fold"])),
        patient_id=None if patient is None else str(int(patient)),
        af_elsewhere=elsewhere.get(ecg_id),
        device=" ".join((row.get("device") or "").split()) or None,
        site=None if site is None else f"{site:g}",
    )


def _present(folder: Path, rows: Sequence[Mapping[str, str]], column: str) -> set[str]:
    """Return the stems of the table whose header and signal are there, by one look into each folder."""
    stems = {row.get(column) or "" for row in rows}
    names = {parent: file_names(folder / parent) for parent in {stem.rpartition("/")[0] for stem in stems if stem}}
    found = set()
    for stem in stems:
        parent, _, name = stem.rpartition("/")
        if stem and f"{name}.hea" in names[parent] and f"{name}.dat" in names[parent]:
            found.add(stem)
    return found


def _read_statements(folder: Path) -> dict[str, Statement]:
    path = folder / _STATEMENTS
    found = {}
    for row in csv.DictReader(io.StringIO(read_text(path))):
        code = row.get("") or row.get("Unnamed: 0") or ""
        if not code or "diagnostic_class" not in row:
            raise DataSetError(
                "not the table of statements",
                file=str(path),
                found=", ".join(name or "(unnamed)" for name in row),
                expected="an unnamed column of codes, diagnostic, form, rhythm, diagnostic_class, diagnostic_subclass",
            )
        found[code] = Statement(
            code,
            row.get("description") or "",
            diagnostic=number(row.get("diagnostic")) == 1,
            form=number(row.get("form")) == 1,
            rhythm=number(row.get("rhythm")) == 1,
            superclass=row["diagnostic_class"] or None,
            subclass=row.get("diagnostic_subclass") or None,
        )
    return found


def _read_af_elsewhere(folder: Path) -> dict[int, bool]:
    path = folder / "af_elsewhere.csv"
    if not path.is_file():
        return {}
    rows = csv.DictReader(io.StringIO(read_text(path)))
    return {int(row["ecg_id"]): row["af_elsewhere"].strip() == "1" for row in rows}


DATASETS.register(PtbXl.name, PtbXl())
