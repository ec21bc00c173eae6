"""Reading one 12-lead, 10 s, 500 Hz recording, beside the format's own library used plainly.

Ours includes what the others leave out: recognising the content, hashing it, lead names, units, the checks for flat,
missing, duplicate and permuted leads. "isolated" is the same read in a worker process, with the samples sent back.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pydicom
import pyedflib
import scipy.io
import wfdb

from benchmarks.timing import compare
from ecg_core.isolation import IsolationSettings, ReadPool
from ecg_core.readers import READERS
from ecg_core.reading import load, read
from ecg_core.synthesis import synthesize


def plain_edf(path: Path) -> np.ndarray:
    """Read every signal with pyedflib."""
    with pyedflib.EdfReader(str(path)) as file:
        return np.stack([file.readSignal(i) for i in range(file.signals_in_file)])


def plain_hdf5(path: Path) -> np.ndarray:
    """Read the first dataset with h5py."""
    with h5py.File(path) as file:
        return np.asarray(next(item for item in file.values() if isinstance(item, h5py.Dataset)))


def plain_csv(path: Path) -> np.ndarray:
    """Read with numpy, told where the numbers begin."""
    lines = path.read_text().splitlines()
    first = next(i for i, row in enumerate(csv.reader(lines)) if row and row[0][:1].isdigit())
    return np.loadtxt(lines[first:], delimiter=",")


def plain_npz(path: Path) -> np.ndarray:
    """Read with numpy."""
    with np.load(path) as file:
        return np.asarray(file["signal"])


PEERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "wfdb": ("wfdb.rdrecord", lambda path: wfdb.rdrecord(str(path.with_suffix("")))),
    "edf": ("pyedflib", plain_edf),
    "dicom": ("pydicom", lambda path: pydicom.dcmread(path).waveform_array(0)),
    "hdf5": ("h5py", plain_hdf5),
    "mat": ("scipy.io.loadmat", lambda path: scipy.io.loadmat(path)),
    "npz": ("numpy.load", plain_npz),
    "csv": ("numpy.loadtxt", plain_csv),
}


def main() -> dict[str, dict[str, float]]:
    """Print one row a format and return the figures."""
    recording = synthesize(seed=1).recording
    results = {}
    print("| format | peer | ours / peer | isolated / peer | ours ms | peer ms |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, ReadPool(IsolationSettings(workers=1)) as pool:
        for name, (peer, plain) in PEERS.items():
            write = READERS[name].write
            assert write is not None
            files = write(recording, "case")
            for label, data in files.items():
                (Path(folder) / label).write_bytes(data)
            path = Path(folder) / next(iter(files))
            here = compare(lambda path=path: read(path), lambda plain=plain, path=path: plain(path))
            there = compare(lambda path=path: pool.read(load(path)), lambda plain=plain, path=path: plain(path))
            results[name] = here | {"isolated_ratio": there["ratio"]}
            print(
                f"| {name} | {peer} | {here['ratio']:.2f} ({here['ratio_low']:.2f}-{here['ratio_high']:.2f}) "
                f"| {there['ratio']:.2f} | {here['ours_ms']:.2f} | {here['theirs_ms']:.2f} |"
            )
    return results
