"""The short way for the commonest form of a WFDB record: twelve leads, one file of format 16, millivolts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ecg_core.leads import STANDARD_12

_LINE = re.compile(
    r"(?P<file>\S+) 16 (?P<gain>[\d.]+)(?:\((?P<baseline>-?\d+)\))?/mV \d+ -?\d+ -?\d+ -?\d+ \d+ (?P<lead>\S+)"
)
_NAMES = [name.upper() for name in STANDARD_12]
_MISSING = -32768


def read_plain(stem: Path, fs: float) -> np.ndarray | None:
    """Return the leads of a record in standard order, or None where it is of any other form.

    Returns
    -------
    Float32 millivolts of shape (12, n_samples), NaN where a sample is marked as missing: exactly what the WFDB reader
    gives. None for another form, rate, order of leads or length of the file, which the reader is there for.
    """
    try:
        first, *lines = stem.with_name(stem.name + ".hea").read_text("ascii").splitlines()
        stored = np.fromfile(stem.with_name(stem.name + ".dat"), "<i2")
    except (OSError, UnicodeError, ValueError):
        return None
    signals = [_LINE.fullmatch(line.strip()) for line in lines if not line.startswith("#")]
    record = first.split()
    if len(record) < 4 or record[0] != stem.name or record[1] != "12" or len(signals) != 12 or record[2] != f"{fs:g}":
        return None
    found = [match for match in signals if match is not None]
    if [match["lead"].upper() for match in found] != _NAMES or {match["file"] for match in found} != {
        stem.name + ".dat"
    }:
        return None
    gain = np.array([float(match["gain"]) for match in found])[:, None]
    baseline = np.array([int(match["baseline"] or 0) for match in found])[:, None]
    if not record[3].isdigit() or int(record[3]) * 12 != stored.size or not (gain > 0).all():
        return None
    steps = stored.reshape(-1, 12).T
    millivolts: np.ndarray = ((steps.astype(np.float64) - baseline) / gain).astype(np.float32)
    millivolts[steps == _MISSING] = np.nan
    return millivolts
