"""Filtering forward and backward, so that nothing moves in time: between gaps, in float64, in place.

Both ends are continued as in a mirror, and not turned about the end sample as is common: the end sample may lie on a
QRS complex, and turning about it shifts the level of the whole continuation. Over 288 cuts of 10 s from MIT-BIH, a
0.05 Hz high-pass differs from its result on the whole recording, in the first and last second, by 0.029 mV (median of
the RMS) with the rules used here, and by 0.130 mV with scipy's `sosfiltfilt` as it comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ecg_core.preprocess.stretches import mirrored, recorded_stretches, take

Ends = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]
"""Takes a stretch and a length; returns what continues it to the left and right, each of shape (n_leads, length)."""

TWO_PASS_EDGE = math.sqrt(2) - 1
"""Two passes, each of power gain 1 / (1 + TWO_PASS_EDGE), have their -3 dB point together."""
_DECAYED = 0.01
_BLOCK = 1 << 20
_BUFFER_BYTES = 256 * 1024**2


def transient_samples(sos: np.ndarray) -> int:
    """Return after how many samples the slowest part of a filter's response has decayed to 1 %."""
    return _transient(sos.tobytes())[0]


@lru_cache(64)
def _transient(sections: bytes) -> tuple[int, np.ndarray]:
    """Return `transient_samples`, and the state of a filter at rest, given its float64 second-order sections."""
    from scipy.signal import sos2zpk, sosfilt_zi

    sos = np.frombuffer(sections).reshape(-1, 6)
    _, poles, _ = sos2zpk(sos)
    slowest = float(np.abs(poles).max())
    length = max(1, math.ceil(math.log(_DECAYED) / math.log(slowest))) if slowest > 0 else 1
    at_rest: np.ndarray = sosfilt_zi(sos)
    at_rest.setflags(write=False)
    return length, at_rest


def mirror_ends(values: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Continue a stretch at both ends as in a mirror that stands on its end sample."""
    left, right = mirrored(values.shape[1], length, length)
    return values[:, left], values[:, right]


def filter_stretches(
    signal: np.ndarray,
    passes: list[tuple[np.ndarray, Ends]],
    *,
    prepare: Callable[[np.ndarray], None] | None = None,
) -> np.ndarray:
    """Filter every recorded stretch by itself, forward and backward; gaps stay as they are.

    Parameters
    ----------
    signal
        Millivolts, shape (n_leads, n_samples), NaN where nothing was recorded.
    passes
        Second-order sections and the rule that continues a stretch, one pair a filter, applied in turn.
    prepare
        Called on each stretch (float64, shape (n_rows, n)) first, to change it in place.

    Returns
    -------
    Millivolts, float32, of the shape of ``signal``.
    """
    result = np.full(signal.shape, np.nan, np.float32)
    for rows, start, stop in recorded_stretches(signal):
        at_once = max(1, _BUFFER_BYTES // (8 * (stop - start)))
        for first in range(0, len(rows), at_once):
            some = rows[first : first + at_once]
            values = take(signal, some, start, stop).astype(np.float64, order="C")
            if prepare is not None:
                prepare(values)
            for sos, ends in passes:
                _two_passes(sos, values, *ends(values, transient_samples(sos)))
            result[some, start:stop] = values
    result.setflags(write=False)
    return result


def _two_passes(sos: np.ndarray, values: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Filter ``values`` (n_leads, n) in place, forward and backward, running in and out over ``left`` and ``right``."""
    from scipy.signal import sosfilt

    at_rest = _transient(sos.tobytes())[1][:, None, :]
    _, state = sosfilt(sos, left, zi=at_rest * left[None, :, :1])
    state = _run(sos, values, state)
    beyond, _ = sosfilt(sos, right, zi=state)
    _, state = sosfilt(sos, beyond[:, ::-1], zi=at_rest * beyond[None, :, -1:])
    _run(sos, values[:, ::-1], state)


def _run(sos: np.ndarray, values: np.ndarray, state: np.ndarray) -> np.ndarray:
    """Filter in place, block by block (a day at 250 Hz would otherwise be copied several times); return the state."""
    from scipy.signal import sosfilt

    for first in range(0, values.shape[1], _BLOCK):
        block = values[:, first : first + _BLOCK]
        block[:], state = sosfilt(sos, block, zi=state)
    return state


def remove_trend(values: np.ndarray, fs: float) -> None:
    """Subtract from each row, in place, its mean and as much of its straight trend as is one.

    A high-pass filter removes any straight line, but takes longer than a short recording to do so. The trend is fitted
    to the means of seconds and taken times its R2: all of a drift, next to nothing where the beats at the two ends
    merely differ.

    Parameters
    ----------
    values
        Shape (n_leads, n), without NaN.
    fs
        Samples per second.
    """
    n = values.shape[1]
    size = max(1, min(round(fs), n // 4))
    count = n // size
    means = values[:, : count * size].reshape(len(values), count, size).mean(axis=2)
    at = (np.arange(count) + 0.5) * size - 0.5
    level = means.mean(axis=1)
    if count > 1:
        at -= at.mean()
        means -= level[:, None]
        slope = means @ at / (at @ at)
        total = (means**2).sum(axis=1)
        explained = slope**2 * (at @ at)
        slope *= np.divide(explained, total, out=np.zeros_like(total), where=total > 0)
    else:
        slope = np.zeros(len(values))
    centre = (count * size - 1) / 2
    for first in range(0, n, _BLOCK):
        block = values[:, first : first + _BLOCK]
        block -= slope[:, None] * (np.arange(first, first + block.shape[1]) - centre)
        block -= level[:, None]
