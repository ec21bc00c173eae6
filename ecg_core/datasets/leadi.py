"""Lead-I collection: ten recordings of 10 s of each of 562 people, lead I, 125 Hz, with R peaks, sex and age.

Published by Bernal-Romero and Ramirez-Cortes (2024) at https://github.com/juanbernalr/ECG_database, gathered from
ecgiddb, CYBHi, an own set, cebsdb, ecgcipa, staffiii, ptbdb and pttppgdb, and converted to the output of a 10-bit
converter of 0 to 3.3 V, whose gain is not stated. Two layouts are read:

- published: ``data_ECG/subject_N.csv`` (ten rows of volts at the converter) and ``data_Rpeaks/Rpeaks_subject_N.csv``
  (1 at an R peak, else 0). Sex and age are in a spreadsheet there, which is not read: they are None;
- packed: WFDB records ``NNN_MM`` (person, recording) and ``records.json`` with sex, age and ``r_peaks``.

One converter step is taken as 0.01 mV in both: shape and timing are true, amplitude is not, which is in the warnings.

Cross-validate with `folds`, which keeps the ten recordings of a person together.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.datasets.base import (
    DATASETS,
    DataSet,
    Entry,
    Listing,
    load_files,
    number,
    read_text,
    read_wfdb,
    wfdb_stems,
)
from ecg_core.datasets.fetch import Origin
from ecg_core.errors import DataSetError
from ecg_core.recording import Recording, Sex, Source, Subject

FS = 125.0
N_PEOPLE = 562
STEPS_PER_VOLT = 310.0
"""1023 steps of the converter over 3.3 V."""
ZERO = 512
MV_PER_STEP = 0.01
_AMPLITUDE = "units: the gain is not published; one converter step is taken as 0.01 mV, so amplitudes are arbitrary"


@dataclass(frozen=True, eq=False)
class LeadITruth:
    """What the authors marked, and the person."""

    r_peaks: np.ndarray
    """Sample numbers of the R peaks, int64, shape (n_beats,)."""
    age: float | None
    """Years."""
    sex: Sex | None
    person: str


class LeadI(DataSet[LeadITruth]):
    """The lead-I collection."""

    name = "leadi"
    title = "Open-access database of lead-I ECG signals"
    about = "lead I, 10 s, 125 Hz, ten recordings a person; R peaks, sex, age"
    page = "https://github.com/juanbernalr/ECG_database"
    licence = "CC BY 4.0"
    citation = (
        "Bernal-Romero & Ramirez-Cortes 2024, An open-access database of lead-I ECG signals with practical variability"
        " scenarios"
    )
    origin = Origin(
        "https://raw.githubusercontent.com/juanbernalr/ECG_database/main/",
        slug="ECG_database",
        tables=("Database_information.xlsx",),
        files=(
            "Database_information.xlsx",
            *(
                f"{folder}subject_{person}.csv"
                for person in range(1, N_PEOPLE + 1)
                for folder in ("data_ECG/", "data_Rpeaks/Rpeaks_")
            ),
        ),
    )
    folders = ("ECG_database-*",)

    def is_here(self, folder: Path) -> bool:
        """Return whether either layout stands in ``folder``."""
        packed = (folder / "records.json").is_file() and next(folder.glob("*_01.hea"), None) is not None
        return packed or next((folder / "data_ECG").glob("subject_*.csv"), None) is not None

    def listing(self, root: str | Path | None = None) -> Listing[LeadITruth]:
        """List the recordings, person by person."""
        folder = self.locate(root)
        if (folder / "records.json").is_file():
            entries, missing = _packed(folder)
        else:
            entries, missing = list(_published(folder)), []
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing))


def _packed(folder: Path) -> tuple[list[Entry[LeadITruth]], list[str]]:
    path = folder / "records.json"
    try:
        records = json.loads(read_text(path))
        truths = {name: _packed_truth(name, values) for name, values in records.items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise DataSetError(
            "cannot be understood", file=str(path), found=error, expected="{record: {sex, age, r_peaks}}"
        ) from error
    here = set(wfdb_stems(folder))
    entries = [
        Entry(name, partial(_load_packed, folder / name, truth), partial(_same, truth), f"leadi:{truth.person}")
        for name, truth in sorted(truths.items())
        if name in here
    ]
    return entries, sorted(set(truths) - here)


def _packed_truth(name: str, values: Mapping[str, Any]) -> LeadITruth:
    sexes: dict[str, Sex] = {"F": "female", "M": "male"}
    peaks = np.array(values["r_peaks"], np.int64)
    return LeadITruth(peaks, number(str(values["age"])), sexes.get(str(values["sex"])), name.partition("_")[0])


def _same(truth: LeadITruth) -> LeadITruth:
    return truth


def _load_packed(stem: Path, truth: LeadITruth) -> Recording:
    recording = replace(read_wfdb(stem), subject=Subject(truth.person, truth.age, truth.sex))
    return recording.with_warnings(_AMPLITUDE)


def _published(folder: Path) -> Iterator[Entry[LeadITruth]]:
    """Yield the entries of the published layout; a person without R peaks has no truth and is left out."""
    found = {}
    for path in (folder / "data_ECG").glob("subject_*.csv"):
        match = re.fullmatch(r"subject_(\d+)\.csv", path.name)
        peaks = folder / "data_Rpeaks" / f"Rpeaks_{path.name}"
        if match and peaks.is_file():
            found[int(match.group(1))] = (path, peaks)
    for person, (path, peaks) in sorted(found.items()):
        n_rows = sum(1 for line in read_text(path).splitlines() if line.strip())
        for row in range(n_rows):
            name = f"{person:03d}_{row + 1:02d}"
            yield Entry(
                name,
                partial(_load_row, path, row, f"{person:03d}"),
                partial(_truth_of_row, peaks, row, f"{person:03d}"),
                f"leadi:{person:03d}",
            )


def _row(path: Path, row: int) -> tuple[np.ndarray, str]:
    """Return one line of a table of numbers, and the sha256 of the file."""
    (data,) = load_files(path).values()
    lines = [line for line in data.decode("ascii", "replace").splitlines() if line.strip()]
    try:
        return np.array(lines[row].split(","), np.float64), hashlib.sha256(data).hexdigest()
    except (ValueError, IndexError) as error:
        raise DataSetError(
            "not a table of numbers",
            file=str(path),
            field=f"row {row + 1}",
            found=error,
            expected="one row a recording",
        ) from error


def _load_row(path: Path, row: int, person: str) -> Recording:
    volts, sha256 = _row(path, row)
    return Recording(
        signal=((volts * STEPS_PER_VOLT).round() - ZERO)[None, :] * MV_PER_STEP,
        fs=FS,
        leads=("I",),
        subject=Subject(person),
        source=Source("leadi-csv", path.name, sha256),
        warnings=(_AMPLITUDE,),
    )


def _truth_of_row(path: Path, row: int, person: str) -> LeadITruth:
    return LeadITruth(np.flatnonzero(_row(path, row)[0]).astype(np.int64), None, None, person)


DATASETS.register(LeadI.name, LeadI())
