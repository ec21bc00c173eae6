"""MIT-BIH Arrhythmia Database: 48 half-hour ambulatory excerpts, 2 leads, 360 Hz, every beat annotated.

Published at https://physionet.org/content/mitdb/1.0.0/ (Moody & Mark 2001).

Splits: ``ds1`` and ``ds2`` are the inter-patient halves of de Chazal 2004, which leave the four ``paced`` records out.
201 and 202 come from one tape and are one group, although de Chazal puts them on both sides: cross-validation within
``ds1`` (`folds`) is not affected, and whoever reports on ``ds2`` after training on ``ds1`` should say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, Split, read_wfdb, wfdb_stems
from ecg_core.datasets.fetch import Origin
from ecg_core.datasets.marks import BEAT_SYMBOLS, read_marks

FS = 360.0
DS1 = tuple("101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230".split())
DS2 = tuple("100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234".split())
PACED = ("102", "104", "107", "217")
RECORDS = tuple(sorted((*DS1, *DS2, *PACED)))


@dataclass(frozen=True, eq=False)
class MitdbTruth:
    """The reference annotations of a record; sample numbers from 0, int64."""

    beat_sample: np.ndarray
    """Shape (n_beats,)."""
    beat_symbol: tuple[str, ...]
    rhythm_sample: np.ndarray
    """Where each rhythm begins, shape (n_rhythms,)."""
    rhythm: tuple[str, ...]
    """``"N"``, ``"AFIB"``, ``"VT"``, ...: until the next one."""
    other_sample: np.ndarray
    """Everything else: noise (``~``, ``|``), flutter (``[``, ``!``, ``]``), blocked P waves (``x``); shape (n,)."""
    other_symbol: tuple[str, ...]


def tape(record: str) -> str:
    """Return the group of a record: its tape, shared by 201 and 202 and by excerpts in other sets."""
    return "mitdb:201-202" if record in ("201", "202") else f"mitdb:{record}"


def read_truth(stem: Path) -> MitdbTruth:
    """Read ``<stem>.atr``."""
    marks = read_marks(stem, "atr", FS)
    symbol = np.array(marks.symbol, dtype=object)
    beat = np.array([mark in BEAT_SYMBOLS for mark in marks.symbol], bool)
    rhythm = np.array(
        [mark == "+" and note.startswith("(") for mark, note in zip(marks.symbol, marks.note, strict=True)], bool
    )
    other = ~beat & ~rhythm
    return MitdbTruth(
        beat_sample=marks.sample[beat],
        beat_symbol=tuple(symbol[beat]),
        rhythm_sample=marks.sample[rhythm],
        rhythm=tuple(marks.note[at].removeprefix("(") for at in np.flatnonzero(rhythm)),
        other_sample=marks.sample[other],
        other_symbol=tuple(symbol[other]),
    )


class Mitdb(DataSet[MitdbTruth]):
    """MIT-BIH Arrhythmia Database 1.0.0."""

    name = "mitdb"
    title = "MIT-BIH Arrhythmia Database"
    about = "2 leads, 30 min, 360 Hz; every beat and rhythm annotated"
    page = "https://physionet.org/content/mitdb/1.0.0/"
    licence = "ODC-By 1.0"
    citation = "Moody & Mark 2001, IEEE Eng Med Biol 20(3):45-50, doi:10.1109/51.932724"
    origin = Origin(
        "https://physionet.org/files/mitdb/1.0.0/",
        slug="mitdb",
        wanted=tuple(f"{record}.{kind}" for record in RECORDS for kind in ("hea", "dat", "atr")),
    )
    folders = ("mit-bih-arrhythmia-database-*",)
    splits: ClassVar[Mapping[str, Split]] = {
        "ds1": Split("de Chazal 2004, first half: fit and cross-validate", lambda entry: entry.name in DS1),
        "ds2": Split("de Chazal 2004, second half: report", lambda entry: entry.name in DS2),
        "paced": Split("the four paced records, left out of both halves", lambda entry: entry.name in PACED),
    }

    def is_here(self, folder: Path) -> bool:
        """Return whether an annotated record of the set is in ``folder``."""
        return any((folder / f"{record}.atr").is_file() for record in RECORDS)

    def listing(self, root: str | Path | None = None) -> Listing[MitdbTruth]:
        """List the records that are whole."""
        folder = self.locate(root)
        here = [name for name in wfdb_stems(folder) if name in RECORDS and (folder / f"{name}.atr").is_file()]
        entries = tuple(
            Entry(name, partial(read_wfdb, folder / name), partial(read_truth, folder / name), tape(name))
            for name in here
        )
        missing = tuple(name for name in RECORDS if name not in here)
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, entries, missing)


DATASETS.register(Mitdb.name, Mitdb())
