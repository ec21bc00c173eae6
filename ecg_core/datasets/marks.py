"""Reference marks: WFDB annotation files, and waves from their bracket notation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_core.datasets.base import load_files
from ecg_core.errors import DataSetError

BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""The beat annotations of PhysioNet's table; everything else marks rhythm, noise, waves or comments."""

ABSENT = -1
"""Sample number of a mark that was not made."""

_WAVES = {"p": "p", "t": "t", "u": "u"}


@dataclass(frozen=True, eq=False)
class Marks:
    """One annotation file."""

    sample: np.ndarray
    """Sample numbers from 0, int64, shape (n,)."""
    symbol: tuple[str, ...]
    note: tuple[str, ...]
    """Free text a mark, empty where there is none."""


def read_marks(stem: Path, annotator: str, fs: float) -> Marks:
    """Read the WFDB annotation file ``<stem>.<annotator>`` of a record of ``fs`` samples per second."""
    from ecg_core.readers._wfdb_annotations import read_annotations

    path = stem.with_name(f"{stem.name}.{annotator}")
    (data,) = load_files(path).values()
    found = read_annotations(data, fs)
    if found is None:
        raise DataSetError(
            "not a WFDB annotation file",
            file=str(path),
            found=f"{len(data)} bytes starting {data[:8]!r}",
            expected="a whole one",
        )
    return Marks(np.rint(found.time_s * fs).astype(np.int64), found.symbol, found.note)


def waves_from_marks(sample: Sequence[int] | np.ndarray, symbol: Sequence[str]) -> Mapping[str, np.ndarray]:
    """Return the waves that marks such as ``( p ) ( N ) t )`` describe.

    Parameters
    ----------
    sample
        Sample number of every mark, shape (n,).
    symbol
        ``(`` begins and ``)`` ends the wave whose peak stands between them: ``p``, ``t``, ``u``, or a beat symbol for
        the QRS complex.

    Returns
    -------
    ``{"p" | "qrs" | "t" | "u": samples}``, int64 of shape (n_waves, 3): onset, peak, end; -1 where one was not marked.
    """
    found: dict[str, list[list[int]]] = {"p": [], "qrs": [], "t": [], "u": []}
    onset = ABSENT
    current: list[int] | None = None
    for at, mark in zip(sample, symbol, strict=True):
        if mark == "(":
            onset, current = int(at), None
        elif mark == ")":
            if current is not None:
                current[2] = int(at)
            onset, current = ABSENT, None
        elif (kind := _WAVES.get(mark) or ("qrs" if mark in BEAT_SYMBOLS else None)) is not None:
            current = [onset, int(at), ABSENT]
            found[kind].append(current)
            onset = ABSENT
    return {kind: np.array(rows, np.int64).reshape(-1, 3) for kind, rows in found.items()}
