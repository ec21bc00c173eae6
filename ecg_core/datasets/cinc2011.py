"""CinC 2011: 12-lead ECGs of 10 s, 500 Hz, recorded with mobile phones and judged acceptable or not.

Published at https://physionet.org/content/challenge-2011/1.0.0/ (Silva 2011): ``set-a`` holds each record as WFDB and
as text (13 columns: time, then the twelve leads in steps of 5 uV), and the lists ``RECORDS-acceptable`` and
``RECORDS-unacceptable``. A ``REFERENCE.csv`` (record, label) is read as well. Records that the judges did not agree on
are in neither list and are left out.

The publisher gives no patients: cross-validate record-wise with `folds`. About 77 % of the labelled records of the
published set-a are acceptable: calibrate for that where a copy holds another share.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, file_names, load_files, read_text, read_wfdb
from ecg_core.datasets.fetch import Origin
from ecg_core.errors import DataSetError
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording, Source

FS = 500.0
MV_PER_STEP = 0.005
_LABELS = {"acceptable": True, "unacceptable": False}


@dataclass(frozen=True)
class Cinc2011Truth:
    """The judgement."""

    acceptable: bool


class Cinc2011(DataSet[Cinc2011Truth]):
    """PhysioNet/CinC Challenge 2011, set A."""

    name = "cinc2011"
    title = "PhysioNet/CinC Challenge 2011"
    about = "12 leads, 10 s, 500 Hz; acceptable or unacceptable quality"
    page = "https://physionet.org/content/challenge-2011/1.0.0/"
    licence = "ODC-By 1.0"
    citation = "Silva et al. 2011, Computing in Cardiology 38:273-276"
    origin = Origin(
        "https://physionet.org/files/challenge-2011/1.0.0/",
        slug="challenge-2011",
        wanted=("set-a/RECORDS-acceptable", "set-a/RECORDS-unacceptable", "set-a/*.hea", "set-a/*.dat"),
        tables=("set-a/RECORDS-*",),
    )
    folders = ("improving-the-quality-of-ecgs-collected-using-mobile-phones-*",)

    def is_here(self, folder: Path) -> bool:
        """Return whether set A and its labels stand in ``folder``."""
        return (folder / "set-a").is_dir() and _label_files(folder) != []

    def listing(self, root: str | Path | None = None) -> Listing[Cinc2011Truth]:
        """List the labelled records."""
        folder = self.locate(root)
        records = folder / "set-a"
        names = file_names(records)
        entries = []
        missing = []
        for name, acceptable in sorted(_read_labels(folder).items()):
            if {f"{name}.hea", f"{name}.dat"} <= names:
                load = partial(read_wfdb, records / name)
            elif f"{name}.txt" in names:
                load = partial(_load_text, records / f"{name}.txt")
            else:
                missing.append(name)
                continue
            entries.append(Entry(name, load, partial(Cinc2011Truth, acceptable), f"cinc2011:{name}"))
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing))


def _label_files(folder: Path) -> list[Path]:
    reference = folder / "REFERENCE.csv"
    if reference.is_file():
        return [reference]
    places = (folder / "set-a", folder)
    return next((found for place in places if (found := sorted(place.glob("RECORDS-*acceptable")))), [])


def _read_labels(folder: Path) -> dict[str, bool]:
    labels: dict[str, bool] = {}
    for path in _label_files(folder):
        rows = (
            list(csv.reader(io.StringIO(read_text(path))))
            if path.suffix == ".csv"
            else [[name, path.name.removeprefix("RECORDS-")] for name in read_text(path).split()]
        )
        for row in rows:
            if len(row) < 2 or row[1] not in _LABELS or labels.setdefault(row[0], _LABELS[row[1]]) != _LABELS[row[1]]:
                raise DataSetError(
                    "not a label, or a second one",
                    file=str(path),
                    found=",".join(row),
                    expected="record,label",
                    options=_LABELS,
                )
    return labels


def _load_text(path: Path) -> Recording:
    """Read a record from the challenge's text form."""
    files = load_files(path)
    try:
        table = np.loadtxt(io.StringIO(files[path.name].decode("ascii", "replace").replace(",", " ")), ndmin=2)
    except ValueError as error:
        raise DataSetError("not a table of numbers", file=str(path), found=error) from error
    if table.shape[1] != 1 + len(STANDARD_12):
        raise DataSetError(
            "not the challenge's table",
            file=str(path),
            found=f"{table.shape[1]} columns",
            expected="13: time and the twelve leads",
        )
    return Recording(
        signal=table[:, 1:].T * MV_PER_STEP,
        fs=FS,
        leads=STANDARD_12,
        source=Source("cinc2011-text", path.name, hashlib.sha256(files[path.name]).hexdigest()),
        warnings=("units: steps of 5 uV, as the challenge states; fs: 500 Hz, as the challenge states",),
    )


DATASETS.register(Cinc2011.name, Cinc2011())
