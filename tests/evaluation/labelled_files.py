"""Labelled recordings as people upload them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from scipy.io import savemat

from ecg_core.readers import READERS
from ecg_core.recording import Annotations, Recording
from ecg_core.synthesis import Synthetic, synthesize


def beat_marks(made: Synthetic, shift_s: float = 0.0) -> Annotations:
    """Return the beats as WFDB marks."""
    codes = {"S": "A", "Q": "/"}
    return Annotations(made.truth.r_s + shift_s, tuple(codes.get(symbol, symbol) for symbol in made.truth.symbol))


def wave_marks(made: Synthetic) -> Annotations:
    """Return the waves as WFDB marks in brackets."""
    marks = []
    for kind, symbol in (("p", "p"), ("qrs", "N"), ("t", "t")):
        waves = getattr(made.truth, kind)
        for row in np.stack([waves.onset_s, waves.peak_s, waves.end_s], axis=1):
            if not np.isnan(row).any():
                marks += zip(row.tolist(), ("(", symbol, ")"), strict=True)
    marks.sort(key=lambda mark: mark[0])
    return Annotations(np.array([time for time, _ in marks]), tuple(symbol for _, symbol in marks))


def annotated(made: Synthetic, **marks: Annotations) -> Recording:
    """Return the recording with its marks, by annotator."""
    return replace(made.recording, annotations=marks)


def wfdb(stem: str, recording: Recording) -> dict[str, bytes]:
    """Return the files of a record, annotation files with them."""
    write = READERS["wfdb"].write
    assert write is not None
    return write(recording, stem)


def cpsc2019(number: int, made: Synthetic, *, reference: bool = True) -> dict[str, bytes]:
    """Return a recording and its reference beats as CPSC 2019 publishes them."""
    files = {f"data/data_{number:05d}.mat": {"ecg": made.recording.signal[:1].T.astype(np.float64)}}
    if reference:
        peaks = np.rint(made.truth.r_s * made.recording.fs)
        files[f"ref/R_{number:05d}.mat"] = {"R_peak": peaks[:, None].astype(np.uint16)}
    return {name: _mat(variables) for name, variables in files.items()}


def _mat(variables: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, variables)
    return buffer.getvalue()


def one_lead(seed: int, rhythm: str = "sinus", **settings: object) -> Synthetic:
    """Return ten seconds of lead II."""
    return synthesize(rhythm, leads=("II",), seed=seed, noise="muscle", snr_db=25, **settings)
