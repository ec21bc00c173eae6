"""QT Database: two-lead excerpts of 15 min, 250 Hz, with waves of 30 and more beats a record marked by hand.

Published at https://physionet.org/content/qtdb/1.0.0/ (Laguna 1997). The truth is the first cardiologist's annotation
(``.q1c``), or the same marks as JSON (``NAME.q1c.json`` with ``sample``, ``symbol``, ``num``).

The marked beats are a selection, with gaps between them, and T waves often have no onset: mask what is not marked.
Cross-validate with `folds`; ``selNNN`` with NNN from 100 to 234 is an excerpt of that MIT-BIH record and shares its
group, so that the two sets can be kept apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, read_text, read_wfdb, wfdb_stems
from ecg_core.datasets.fetch import Origin
from ecg_core.datasets.marks import BEAT_SYMBOLS, Marks, read_marks, waves_from_marks
from ecg_core.datasets.mitdb import RECORDS as MITDB_RECORDS
from ecg_core.datasets.mitdb import tape
from ecg_core.errors import DataSetError

FS = 250.0


@dataclass(frozen=True, eq=False)
class QtdbTruth:
    """The marked waves of a record (one reading of both leads)."""

    waves: Mapping[str, np.ndarray]
    """``"p" | "qrs" | "t" | "u"`` to onset, peak and end: int64 sample numbers of shape (n_waves, 3), -1 unmarked."""
    beat_symbol: tuple[str, ...]
    """One a QRS complex: ``N``, ``B``, ``V``, ``Q``."""


class Qtdb(DataSet[QtdbTruth]):
    """QT Database 1.0.0."""

    name = "qtdb"
    title = "QT Database"
    about = "2 leads, 15 min, 250 Hz; waves of selected beats"
    page = "https://physionet.org/content/qtdb/1.0.0/"
    licence = "ODC-By 1.0"
    citation = "Laguna et al. 1997, Computers in Cardiology 24:673-676, doi:10.1109/CIC.1997.648140"
    origin = Origin("https://physionet.org/files/qtdb/1.0.0/", slug="qtdb", wanted=("sel*.hea", "sel*.dat", "sel*.q1c"))
    folders = ("qt-database-*",)

    def is_here(self, folder: Path) -> bool:
        """Return whether annotated records stand in ``folder``."""
        return next(folder.glob("sel*.q1c*"), None) is not None

    def listing(self, root: str | Path | None = None) -> Listing[QtdbTruth]:
        """List the records that the cardiologist annotated."""
        folder = self.locate(root)
        entries = []
        missing = []
        for name in wfdb_stems(folder):
            if not any((folder / f"{name}.{kind}").is_file() for kind in ("q1c", "q1c.json")):
                missing.append(name)
                continue
            entries.append(Entry(name, partial(read_wfdb, folder / name), partial(_truth, folder / name), _group(name)))
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing))


def _group(name: str) -> str:
    match = re.fullmatch(r"sel(\d{3})", name)
    return tape(match.group(1)) if match and match.group(1) in MITDB_RECORDS else f"qtdb:{name}"


def _truth(stem: Path) -> QtdbTruth:
    as_json = stem.with_name(f"{stem.name}.q1c.json")
    marks = _from_json(as_json) if as_json.is_file() else read_marks(stem, "q1c", FS)
    return QtdbTruth(
        waves_from_marks(marks.sample, marks.symbol), tuple(mark for mark in marks.symbol if mark in BEAT_SYMBOLS)
    )


def _from_json(path: Path) -> Marks:
    try:
        found = json.loads(read_text(path))
        sample, symbol = np.array(found["sample"], np.int64), tuple(str(mark) for mark in found["symbol"])
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise DataSetError(
            "cannot be read as marks", file=str(path), found=error, expected="JSON with sample and symbol"
        ) from error
    if sample.shape != (len(symbol),):
        raise DataSetError(
            "one symbol a sample", file=str(path), found=f"{sample.shape} samples, {len(symbol)} symbols"
        )
    return Marks(sample, symbol, ("",) * len(symbol))


DATASETS.register(Qtdb.name, Qtdb())
