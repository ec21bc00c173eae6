"""CPSC 2019: single-lead ECGs of 10 s with hard noise and arrhythmia, 500 Hz, R peaks.

Published by the 2nd China Physiological Signal Challenge (Gao 2019) at http://2019.cpscsub.com/ as an archive of 2,000
recordings, handed out on that page without checksums or a stable file address: download it there and unpack it, so that
``data/data_00001.mat`` and ``ref/R_00001.mat`` lie in the folder (or in ``train`` within it).

The files carry neither rate nor unit. The rate is the challenge's 500 Hz; the values have the size of millivolts
(median peak-to-peak about 2) and are read as such, stated here since a rule by size would take the recordings with
spikes of 20 and more for microvolts. The reference peaks are stored as uint16, where a difference wraps: they come out
as int64.

No patients and no folds are published: cross-validate record-wise with `folds`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, file_names, load_files
from ecg_core.datasets.fetch import Origin
from ecg_core.errors import DataSetError
from ecg_core.readers import ReadOptions
from ecg_core.reading import read
from ecg_core.recording import Recording

FS = 500.0
N_PUBLISHED = 2000


@dataclass(frozen=True, eq=False)
class Cpsc2019Truth:
    """The reference beats of a recording."""

    r_peaks: np.ndarray
    """Sample numbers of the R peaks, int64, shape (n_beats,)."""


class Cpsc2019(DataSet[Cpsc2019Truth]):
    """China Physiological Signal Challenge 2019, training set."""

    name = "cpsc2019"
    title = "China Physiological Signal Challenge 2019"
    about = "1 lead, 10 s, 500 Hz, hard noise; R peaks"
    page = "http://2019.cpscsub.com/"
    licence = "challenge data, research use"
    citation = "Gao et al. 2019, J Med Imaging Health Inform 9(9):1853-1858, doi:10.1166/jmihi.2019.2800"
    origin = Origin(
        None,
        files=tuple(
            f"{folder}_{number:05d}.mat" for number in range(1, N_PUBLISHED + 1) for folder in ("data/data", "ref/R")
        ),
        by_hand=(
            "download the training set at http://2019.cpscsub.com/ and unpack it, so that data/ and ref/ lie in a"
            " folder cpsc2019; or --base-url with the address of a copy"
        ),
    )
    folders = ("cpsc2019/train", "CPSC2019", "CPSC2019/train", "train")

    def is_here(self, folder: Path) -> bool:
        """Return whether recordings and reference peaks stand in ``folder``."""
        return next((folder / "data").glob("data_*.mat"), None) is not None and (folder / "ref").is_dir()

    def listing(self, root: str | Path | None = None) -> Listing[Cpsc2019Truth]:
        """List the recordings that have reference peaks."""
        folder = self.locate(root)
        referenced = file_names(folder / "ref", ".mat")
        entries = []
        missing = []
        for file in sorted(file_names(folder / "data", ".mat")):
            stem = file.removesuffix(".mat")
            reference = file.replace("data_", "R_")
            if reference not in referenced:
                missing.append(stem)
                continue
            entries.append(
                Entry(
                    stem,
                    partial(_load, folder / "data" / file),
                    partial(_truth, folder / "ref" / reference),
                    f"cpsc2019:{stem}",
                )
            )
        self.note_missing(missing, len(entries), folder)
        return Listing(folder, tuple(entries), tuple(missing))


def _load(path: Path) -> Recording:
    return read(load_files(path), ReadOptions(fs=FS, units="mV"))


def _truth(path: Path) -> Cpsc2019Truth:
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    (data,) = load_files(path).values()
    try:
        peaks = loadmat(io.BytesIO(data), variable_names=["R_peak"])["R_peak"]  # type: ignore[arg-type]
    except (MatReadError, KeyError, ValueError, TypeError, NotImplementedError, EOFError, OSError) as error:
        raise DataSetError(
            "holds no reference peaks", file=str(path), found=f"{type(error).__name__}: {error}", expected="R_peak"
        ) from error
    return Cpsc2019Truth(np.asarray(peaks).reshape(-1).astype(np.int64))


DATASETS.register(Cpsc2019.name, Cpsc2019())
