"""From the network's time of a beat to the sample of its R peak in the original signal."""

from __future__ import annotations

import numpy as np

_GAUSS_S = 0.013
"""Standard deviation of the Gaussian whose negative second derivative, as in `ecg_core.qrs`, makes QRS peaks stand."""
_SEEK_S = 0.035
"""How far the R peak may be from the network's time."""
_LIKELY_S = 0.018
"""Standard deviation of that distance."""
_UPWARD = 0.45
"""R peaks are the upward deflections of a lead where, in most beats around, these reach this part of the downward."""
_VOTERS = 31
_NEAR_S = 0.01
_BATCH = 1 << 14
"""Beats looked at at once."""


def refine(values: np.ndarray, fs: float, time_s: np.ndarray) -> np.ndarray:
    """Return the samples of the R peaks.

    Parameters
    ----------
    values
        One lead, shape (n,), NaN where nothing was recorded.
    fs
        Samples per second.
    time_s
        About where the beats are in seconds, increasing, shape (n_beats,), each recorded.

    Returns
    -------
    Sample numbers, int64, shape (n_beats,).
    """
    from scipy.ndimage import uniform_filter1d

    step = max(1, round(fs / 250))
    rate = fs / step
    half = int(np.ceil(3.5 * _GAUSS_S * rate))
    t = np.arange(-half, half + 1) / (_GAUSS_S * rate)
    kernel = (1 - t * t) * np.exp(-0.5 * t * t)
    kernel -= kernel.mean()
    seek = max(1, round(_SEEK_S * rate))
    around = np.arange(-seek, seek + 1)
    likely = np.exp(-0.5 * (around / (_LIKELY_S * rate)) ** 2)
    reach = np.arange(-(seek + half) * step, (seek + half + 1) * step)
    coarse = np.rint(time_s * fs).astype(np.int64)
    up, down = np.empty((2, len(coarse)))
    up_at, down_at = np.empty((2, len(coarse)), np.int64)
    for first in range(0, len(coarse), _BATCH):
        part = slice(first, first + _BATCH)
        near = values[np.clip(coarse[part, None] + reach, 0, len(values) - 1)].astype(np.float64)
        missing = np.isnan(near)
        if missing.any():
            near = np.where(missing, np.nanmedian(near, axis=1, keepdims=True), near)
        near = near.reshape(len(near), -1, step).mean(axis=2)
        filtered = np.lib.stride_tricks.sliding_window_view(near, len(kernel), axis=1) @ kernel * likely
        row, above, below = np.arange(len(near)), filtered.argmax(axis=1), filtered.argmin(axis=1)
        up[part], down[part] = filtered[row, above], -filtered[row, below]
        up_at[part], down_at[part] = (
            coarse[part] + around[above] * step + (step - 1) // 2,
            coarse[part] + around[below] * step + (step - 1) // 2,
        )
    votes = (up > _UPWARD * down).astype(np.float64)
    upward = uniform_filter1d(votes, min(_VOTERS, 2 * len(votes) - 1), mode="reflect") > 0.5
    peak = np.where(upward, up_at, down_at)
    near_by = np.arange(-max(1, round(_NEAR_S * fs)), max(1, round(_NEAR_S * fs)) + 1)
    for first in range(0, len(peak), _BATCH):
        part = slice(first, first + _BATCH)
        sample = np.clip(peak[part, None] + near_by, 0, len(values) - 1)
        nearby = values[sample] * np.where(upward[part], 1, -1).astype(np.float32)[:, None]
        nearby = np.where(np.isnan(nearby), -np.inf, nearby)
        peak[part] = sample[np.arange(len(sample)), nearby.argmax(axis=1)]
    return peak
