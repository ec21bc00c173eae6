"""What the network reads: windows of 10.24 s at 250 Hz, without drift, each lead at a size of its own."""

from __future__ import annotations

import numpy as np

FS = 250.0
"""Samples per second of the network's input."""
WINDOW = 2560
"""Samples of a window."""
FLAT_MV = 0.005
"""A lead that moves less than this within a window holds no signal."""

_DRIFT = 250
"""Samples of the running mean that, taken twice, is the drift: what is slower than about 0.5 Hz."""
_PIECES = 8
_RANK = 0.3
"""The size of a lead is the span that this share of the window's pieces reaches: artefacts in fewer do not count."""
_LARGEST = 4.0
"""Beyond this many times its size a lead is cut off."""


def network_windows(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return windows as the network reads them.

    Parameters
    ----------
    signal
        Millivolts at `FS`, shape (n_rows, `WINDOW`), one lead in one window a row; NaN where not recorded.

    Returns
    -------
    The signal over its size, and 1 where it was recorded, else 0; each float32 of shape (n_rows, `WINDOW`, 1).
    """
    recorded = ~np.isnan(signal)
    whole = bool(recorded.all())
    values = signal.astype(np.float32) if whole else np.where(recorded, signal, np.float32(0)).astype(np.float32)
    values -= _drift(values, None if whole else recorded)
    if not whole:
        values[~recorded] = 0.0
    size = _size(values, recorded)
    alive = size > FLAT_MV
    values *= np.where(alive, 1 / np.maximum(size, FLAT_MV), 0.0).astype(np.float32)[:, None]
    np.clip(values, -_LARGEST, _LARGEST, out=values)
    return values[:, :, None], (recorded & alive[:, None]).astype(np.float32)[:, :, None]


def _drift(values: np.ndarray, recorded: np.ndarray | None) -> np.ndarray:
    """Return the running mean of the running mean of what was recorded (None: all), shape as ``values``."""
    weights = np.ones((1, values.shape[1]), np.float32) if recorded is None else recorded.astype(np.float32)
    count = np.maximum(_running_sum(weights), 1.0)
    level = values
    for _ in range(2):
        level = _running_sum(level if recorded is None else level * weights)
        level /= count
    return level


def _running_sum(values: np.ndarray) -> np.ndarray:
    half = _DRIFT // 2
    rows, n = values.shape
    # Sums up to each sample, with as many before the first and after the last one as the mean reaches.
    total = np.zeros((rows, n + _DRIFT + 1))
    total[:, half + 1 : half + 1 + n] = values
    np.cumsum(total, axis=1, out=total)
    return (total[:, _DRIFT + 1 :] - total[:, :n]).astype(np.float32)


def _size(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Return the typical span (mV, shape (n_rows,)) of a piece of 1.28 s; 0 where nothing was recorded."""
    shape = (len(values), _PIECES, -1)
    pieces = values.reshape(shape)
    span = pieces.max(axis=2) - pieces.min(axis=2)
    known = recorded.reshape(shape).any(axis=2)
    span = np.sort(np.where(known, span, -1.0), axis=1)
    rank = _PIECES - np.maximum(1, np.ceil(_RANK * known.sum(axis=1))).astype(np.int64)
    return np.asarray(np.maximum(span[np.arange(len(span)), rank], 0.0))
