"""MIT-BIH Noise Stress Test: half an hour each of baseline wander, muscle and electrode noise, 2 channels, 360 Hz.

Published at https://physionet.org/content/nstdb/1.0.0/ (Moody, Muldrow & Mark 1984). Only the noise is used here, to
add to clean recordings at a stated ratio; the published mixtures with records 118 and 119 are not fetched.

There are no splits: use one part of each recording for training and another for testing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, read_wfdb, wfdb_stems
from ecg_core.datasets.fetch import Origin

Noise = Literal["baseline wander", "electrode motion", "muscle"]

KINDS: dict[str, Noise] = {"bw": "baseline wander", "em": "electrode motion", "ma": "muscle"}


@dataclass(frozen=True)
class NstdbTruth:
    """What the noise is."""

    kind: Noise


class Nstdb(DataSet[NstdbTruth]):
    """MIT-BIH Noise Stress Test Database 1.0.0, the noise records."""

    name = "nstdb"
    title = "MIT-BIH Noise Stress Test Database (noise)"
    about = "2 channels, 30 min, 360 Hz: baseline, electrode and muscle noise"
    page = "https://physionet.org/content/nstdb/1.0.0/"
    licence = "ODC-By 1.0"
    citation = "Moody, Muldrow & Mark 1984, Computers in Cardiology 11:381-384"
    origin = Origin(
        "https://physionet.org/files/nstdb/1.0.0/",
        slug="nstdb",
        wanted=tuple(f"{record}.{kind}" for record in KINDS for kind in ("hea", "dat")),
    )
    folders = ("mit-bih-noise-stress-test-database-*",)

    def is_here(self, folder: Path) -> bool:
        """Return whether a noise record is in ``folder``."""
        return any((folder / f"{record}.hea").is_file() for record in KINDS)

    def listing(self, root: str | Path | None = None) -> Listing[NstdbTruth]:
        """List the noise records."""
        folder = self.locate(root)
        here = [name for name in wfdb_stems(folder) if name in KINDS]
        entries = tuple(
            Entry(name, partial(read_wfdb, folder / name), partial(NstdbTruth, KINDS[name]), f"nstdb:{name}")
            for name in here
        )
        return Listing(folder, entries, tuple(name for name in KINDS if name not in here))


DATASETS.register(Nstdb.name, Nstdb())
