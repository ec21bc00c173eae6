"""What the beat network reads: strips of one lead at one rate and one length, whatever the recording."""

from __future__ import annotations

import numpy as np

from ecg_core.statistics import median

FS = 125.0
"""Samples per second."""
LENGTH = 1280
"""Samples of a strip: 10.24 s, so that a usual recording of 10 s is one."""
STEP = 2
"""Samples of the strip to one of the answer, which stands for their middle."""
MARGIN = 144
"""Samples at either end of a strip whose answer is left to its neighbour, where there is one: 1.15 s."""

_WANDER_S = 0.6
"""Width of the moving average, applied twice, that follows the baseline."""
_WAVE_S = 0.16
"""Width of the moving average that leaves QRS complexes standing and takes P and T waves away."""
_AROUND_S = 2.5
"""Width of the neighbourhood whose size the second channel is relative to."""
_LARGEST = 6.0


def network_input(strips: np.ndarray) -> np.ndarray:
    """Return the network's two views of each strip.

    Parameters
    ----------
    strips
        One lead each, in any unit, without NaN, at `FS`, shape (n_strips, `LENGTH`).

    Returns
    -------
    Float32, shape (n_strips, `LENGTH`, 2). First the strip without its baseline, relative to its typical size and with
    large values compressed; then what is as short as a QRS complex, relative to its neighbourhood.
    """
    from scipy.ndimage import uniform_filter1d

    def average(values: np.ndarray, seconds: float) -> np.ndarray:
        result: np.ndarray = uniform_filter1d(values, 2 * round(seconds * FS / 2) + 1, axis=1, mode="nearest")
        return result

    values = strips - median(strips, 1)[:, None].astype(np.float64)
    largest = np.abs(values).max(axis=1, keepdims=True)
    values = np.asarray(values / np.where(largest > 0, largest, 1.0), np.float32)
    steady = values - average(average(values, _WANDER_S), _WANDER_S)
    second = round(FS)
    blocks = steady[:, : LENGTH // second * second].reshape(len(steady), -1, second).std(axis=2)
    size = np.array([median(row[row > 0]) if (row > 0).any() else 1.0 for row in blocks], np.float32)
    relative = np.arcsinh(steady / size[:, None])
    short = steady - average(steady, _WAVE_S)
    around = np.sqrt(np.maximum(average(short * short, _AROUND_S), 0))
    local = short / np.maximum(around, 1e-4 * around.max(axis=1, keepdims=True) + 1e-12)
    return np.stack((relative, np.clip(local, -_LARGEST, _LARGEST)), axis=2).astype(np.float32)
