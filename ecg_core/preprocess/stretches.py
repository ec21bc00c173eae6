"""Recorded stretches: NaN marks what was not recorded, so every step works between the gaps and never across one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def recorded_stretches(signal: np.ndarray) -> Iterator[tuple[list[int], int, int]]:
    """Yield ``(rows, start, stop)`` for each contiguous recorded stretch, together for all leads with the same gaps.

    Parameters
    ----------
    signal
        Shape (n_leads, n_samples), NaN where nothing was recorded. The usual recording without gaps is one stretch.
    """
    if signal.size and not np.isnan(signal).any():
        yield list(range(len(signal))), 0, signal.shape[1]
        return
    alike: dict[bytes, list[int]] = {}
    for row, values in enumerate(signal):
        alike.setdefault(np.packbits(np.isnan(values)).tobytes(), []).append(row)
    for rows in alike.values():
        recorded = np.zeros(signal.shape[1] + 2, np.int8)
        recorded[1:-1] = ~np.isnan(signal[rows[0]])
        edges = np.flatnonzero(np.diff(recorded))
        for start, stop in edges.reshape(-1, 2).tolist():
            yield rows, start, stop


def take(signal: np.ndarray, rows: list[int], start: int, stop: int) -> np.ndarray:
    """Return ``signal[rows, start:stop]``, shape (len(rows), stop - start), as a view where ``rows`` are all rows."""
    return signal[:, start:stop] if len(rows) == len(signal) else signal[rows, start:stop]


def mirrored(n: int, before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sample numbers that continue a stretch of ``n`` samples to the left and right as in facing mirrors."""
    around = max(1, 2 * (n - 1))
    left = np.arange(-before, 0) % around
    right = np.arange(n, n + after) % around
    return np.minimum(left, around - left) % n, np.minimum(right, around - right) % n


def odd_extend(values: np.ndarray, margin: int) -> np.ndarray:
    """Continue a stretch at both ends by turning it about its end points, which keeps level and slope.

    Parameters
    ----------
    values
        Shape (n_leads, n), n > 0, without NaN.
    margin
        Samples to add at either end; beyond ``n - 1`` samples the turned copies are turned again.

    Returns
    -------
    Shape (n_leads, margin + n + margin), of the type of ``values``.
    """
    if values.shape[1] == 1:
        return np.repeat(values, 1 + 2 * margin, axis=1)
    if margin >= values.shape[1]:
        return np.pad(values, ((0, 0), (margin, margin)), mode="reflect", reflect_type="odd")
    left, right = values[:, margin:0:-1], values[:, -2 : -2 - margin : -1]
    return np.concatenate([2 * values[:, :1] - left, values, 2 * values[:, -1:] - right], axis=1)
