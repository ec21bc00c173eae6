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
    values = np.where(recorded, signal, np.float32(0)).astype(np.float32, copy=False)
    values = values - _drift(values, recorded)
    values[~recorded] = 0.0
    size = _size(values, recorded)
    alive = size > FLAT_MV
    values *= np.where(alive, 1 / np.maximum(size, FLAT_MV), 0.0).astype(np.float32)[:, None]
    np.clip(values, -_LARGEST, _LARGEST, out=values)
    return values[:, :, None], (recorded & alive[:, None]).astype(np.float32)[:, :, None]


def _drift(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Return the running mean of the running mean of what was recorded, shape as ``values``."""
    whole = bool(recorded.all())
    weights = np.ones((1, values.shape[1]), np.float32) if whole else recorded.astype(np.float32)
    count = np.maximum(_running_sum(weights), 1.0)
    level = values
    for _ in range(2):
        level = np.asarray(_running_sum(level * weights) / count)
    return level


def _running_sum(values: np.ndarray) -> np.ndarray:
    half = _DRIFT // 2
    total = np.cumsum(values, axis=1, dtype=np.float64)
    total = np.concatenate([np.zeros((len(values), 1)), total], axis=1)
    n = values.shape[1]
    at = np.arange(n)
    return np.asarray(total[:, np.minimum(at + half + 1, n)] - total[:, np.maximum(at - half, 0)], np.float32)


def _size(values: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Return the typical span (mV, shape (n_rows,)) of a piece of 1.28 s; 0 where nothing was recorded."""
    shape = (len(values), _PIECES, -1)
    pieces = values.reshape(shape)
    span = pieces.max(axis=2) - pieces.min(axis=2)
    known = recorded.reshape(shape).any(axis=2)
    span = np.sort(np.where(known, span, -1.0), axis=1)
    rank = _PIECES - np.maximum(1, np.ceil(_RANK * known.sum(axis=1))).astype(np.int64)
    return np.asarray(np.maximum(span[np.arange(len(span)), rank], 0.0))
