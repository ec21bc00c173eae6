"""Samples to look at: a window at a lower rate, and the lowest and highest of many samples for drawing."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.preprocess.resampling import check_rate, resample_array

MARGIN_S = 2.0
"""Beyond either end of a window that is resampled; more where the new rate is slow."""
_MARGIN_SAMPLES = 40
"""The same in samples of the new rate: longer than the filter."""


def resample_window(
    signal: np.ndarray, fs_from: float, fs_to: float, start_s: float, stop_s: float
) -> tuple[np.ndarray, float]:
    """Return a window of what `resample_array` makes of the whole signal, without resampling the whole.

    Parameters
    ----------
    signal
        Shape (n_leads, n_samples); NaN where nothing was recorded.
    fs_from, fs_to
        Samples per second.
    start_s, stop_s
        Seconds from the first sample.

    Returns
    -------
    The new samples within [start_s, stop_s), shape (n_leads, n), and the time of the first of them in seconds. Windows
    of one signal lie on one grid, so that neighbours join.
    """
    check_rate(fs_to)
    ratio = _fraction(fs_to) / _fraction(fs_from)
    margin_s = max(MARGIN_S, _MARGIN_SAMPLES / fs_to)
    # The part begins on a sample of both grids, else its samples would not be those of the whole.
    first = max(0, math.floor((start_s - margin_s) * fs_from)) // ratio.denominator * ratio.denominator
    stop = min(signal.shape[1], math.ceil((stop_s + margin_s) * fs_from))
    before = first // ratio.denominator * ratio.numerator
    part = resample_array(signal[:, first:stop], fs_from, fs_to)
    begin, end = sample_range(fs_to, start_s, stop_s)
    return part[:, begin - before : end - before], begin / fs_to


def sample_range(fs: float, start_s: float, stop_s: float) -> tuple[int, int]:
    """Return the first sample at or after ``start_s``, and the first at or after ``stop_s``."""
    return math.ceil(start_s * fs - 1e-6), math.ceil(stop_s * fs - 1e-6)


def envelope(signal: np.ndarray, max_points: int) -> tuple[np.ndarray, int]:
    """Return the lowest and highest of every so many samples, for drawing: no peak is lost.

    Parameters
    ----------
    signal
        Shape (n_leads, n_samples); NaN where nothing was recorded.
    max_points
        Values that each lead may have in the end, 2 or more.

    Returns
    -------
    Shape (n_leads, n_points), and how many samples each pair of values stands for; the signal itself, and 1, where it
    is short enough. The two values of a pair are in the order in which they came; NaN where all of them were not
    recorded.
    """
    if max_points < 2:
        raise InvalidValue("too few points", field="max_points", found=max_points, expected="2 or more")
    n_leads, n_samples = signal.shape
    if n_samples <= max_points:
        return signal, 1
    width = -(-n_samples // (max_points // 2))
    n_pairs = -(-n_samples // width)
    padded = np.full((n_leads, n_pairs * width), np.nan, signal.dtype)
    padded[:, :n_samples] = signal
    groups = padded.reshape(n_leads, n_pairs, width)
    missing = np.isnan(groups)
    lowest = np.where(missing, np.inf, groups).argmin(axis=2)
    highest = np.where(missing, -np.inf, groups).argmax(axis=2)
    order = np.sort(np.stack([lowest, highest], axis=2), axis=2)
    return np.take_along_axis(groups, order, axis=2).reshape(n_leads, -1), width


def _fraction(fs: float) -> Fraction:
    return Fraction(fs).limit_denominator(1_000_000)
