"""CinC 2017: 8,528 single-lead ECGs of 9 to 61 s from a handheld device, 300 Hz, by rhythm.

Published at https://physionet.org/content/challenge-2017/1.0.0/ (Clifford 2017). Read as published (``training/A00/``),
as the challenge's ``training2017`` archive, or flat in one folder. Of several reference files the newest is taken.

The publisher gives no patients and no folds: cross-validate record-wise with `folds`. The labels are far from evenly
spread (about 59 % N, 9 % A, 29 % O, 3 % ~ in the published training set): fit priors and thresholds to that.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, read_text, read_wfdb, wfdb_stems
from ecg_core.datasets.fetch import Origin
from ecg_core.errors import DataSetError

Label = Literal["N", "A", "O", "~"]
LABELS: tuple[Label, ...] = get_args(Label)

_REFERENCES = ("REFERENCE-v3.csv", "REFERENCE.csv")
_PLACES = ("", "training", "training2017")


@dataclass(frozen=True)
class Cinc2017Truth:
    """The rhythm: ``N`` normal, ``A`` atrial fibrillation, ``O`` other, ``~`` too noisy to say."""

    label: Label


class Cinc2017(DataSet[Cinc2017Truth]):
    """PhysioNet/CinC Challenge 2017, training set."""

    name = "cinc2017"
    title = "PhysioNet/CinC Challenge 2017"
    about = "1 lead, 9-61 s, 300 Hz; normal, AF, other rhythm or noise"
    page = "https://physionet.org/content/challenge-2017/1.0.0/"
    licence = "ODC-By 1.0"
    citation = "Clifford et al. 2017, Computing in Cardiology, doi:10.22489/CinC.2017.065-469"
    origin = Origin(
        "https://physionet.org/files/challenge-2017/1.0.0/",
        slug="challenge-2017",
        wanted=("REFERENCE-v3.csv", "training/*/A?????.hea", "training/*/A?????.mat"),
        tables=("REFERENCE-v3.csv",),
    )
    folders = ("af-classification-from-a-short-single-lead-ecg-recording-*", "training2017")

    def is_here(self, folder: Path) -> bool:
        """Return whether a reference file and records stand in ``folder``."""
        return _reference(folder) is not None and any(_record_folders(folder))

    def listing(self, root: str | Path | None = None) -> Listing[Cinc2017Truth]:
        """List the labelled records."""
        folder = self.locate(root)
        reference = _reference(folder)
        stems = {stem: place / stem for place in _record_folders(folder) for stem in wfdb_stems(place, ".mat")}
        entries = []
        missing = []
        for row in csv.reader(io.StringIO(read_text(reference) if reference else "")):
            if len(row) < 2 or row[1] not in LABELS:
                raise DataSetError(
                    "not a label", file=str(reference), found=",".join(row), expected="record,label", options=LABELS
                )
            name, label = row[0], row[1]
            if name not in stems:
                missing.append(name)
                continue
            truth = partial(Cinc2017Truth, label)
            entries.append(Entry(name, partial(read_wfdb, stems[name], ".mat"), truth, f"cinc2017:{name}"))
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing))


def _reference(folder: Path) -> Path | None:
    paths = (folder / place / name for name in _REFERENCES for place in _PLACES)
    return next((path for path in paths if path.is_file()), None)


def _record_folders(folder: Path) -> list[Path]:
    """Return the folders that may hold records: this one, the archive's, or the published A00, A01, ..."""
    candidates = [folder, folder / "training2017", *sorted((folder / "training").glob("A[0-9][0-9]"))]
    return [place for place in candidates if next(place.glob("A[0-9]*.hea"), None) is not None]


DATASETS.register(Cinc2017.name, Cinc2017())
