"""Polyphase resampling to any rate, on a time axis that does not drift."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.preprocess.stretches import odd_extend, recorded_stretches, take
from ecg_core.recording import Recording

MAX_DRIFT = 0.02
"""How far, in samples of the new rate, the last sample may stand from its true time because of a rounded ratio."""
_MAX_TERM = 20_000
"""Largest numerator or denominator of a ratio that gets a polyphase filter of its own."""
_HALF_WIDTH = 16
"""Filter length to either side, in samples of the slower rate."""
_KAISER_BETA = 8.0
"""Rejects images and aliases by 80 dB from 1.16 times the slower rate's Nyquist frequency; flat up to 0.84 of it."""
_PHASES = 512
_CHUNK = 1 << 16
_LARGEST_UP, _LARGEST_DOWN = 16, 64
"""Ratios with terms up to these are taken as products of matrices, which is several times as fast."""
_BLOCK = 32
"""New samples, about, that one product makes of one stretch of old ones."""
_AT_ONCE = 1 << 21
_DRIFT = Fraction(MAX_DRIFT)


def resample(recording: Recording, fs: float) -> Recording:
    """Return the recording at ``fs`` samples per second, by polyphase filtering."""
    check_rate(fs)
    signal = resample_array(recording.signal, recording.fs, fs)
    signal.setflags(write=False)
    return recording.with_step(
        "resample", {"fs": float(fs), "fs_before": recording.fs, "method": "polyphase"}, signal=signal, fs=float(fs)
    )


def resample_array(signal: np.ndarray, fs_from: float, fs_to: float) -> np.ndarray:
    """Bring an array from one rate to another; sample 0 stays at time 0 and nothing is delayed.

    Parameters
    ----------
    signal
        Shape (n_leads, n_samples); NaN where nothing was recorded.
    fs_from, fs_to
        Samples per second, above 0, in any ratio. Where the ratio has no small terms (128.2051 to 360), a rational
        neighbour is used if its error stays under `MAX_DRIFT` samples over the whole length, else every new sample is
        interpolated at its exact time.

    Returns
    -------
    Shape (n_leads, ceil(n_samples * fs_to / fs_from)), float32 for float32 and float64 for all else. Each sample stands
    for the time up to the next one, so a new sample is recorded where the old sample that covers its time is: gaps stay
    where they were and do not grow. A gap that no new sample falls into is lost.
    """
    values = np.asarray(signal)
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    ratio = _ratio(fs_from, fs_to)
    n_out = _first_at(values.shape[1], ratio)
    if ratio == 1:
        return np.array(values)
    rational = _rational(ratio, n_out)
    result = np.full((len(values), n_out), np.nan, values.dtype)
    for rows, start, stop in recorded_stretches(values):
        first, last = _first_at(start, ratio), _first_at(stop, ratio)
        if first == last:
            continue
        stretch = take(values, rows, start, stop)
        if rational is not None:
            result[rows, first:last] = _polyphase(stretch, rational, start, first, last)
        else:
            result[rows, first:last] = _interpolate(stretch, ratio, start, first, last)
    return result


def check_rate(fs: float) -> None:
    """Refuse what is not a sampling rate."""
    if not (math.isfinite(fs) and fs > 0):
        raise InvalidValue("not a sampling rate", field="fs", found=fs, expected="samples per second, above 0")


@lru_cache(64)
def _ratio(fs_from: float, fs_to: float) -> Fraction:
    check_rate(fs_from)
    check_rate(fs_to)
    return _fraction(fs_to) / _fraction(fs_from)


def _fraction(fs: float) -> Fraction:
    """Return the rate that was meant by a float such as 333.3333333333333."""
    exact = Fraction(fs)
    near = exact.limit_denominator(1_000_000)
    return near if near and abs(near / exact - 1) < 1e-12 else exact


def _first_at(sample: int, ratio: Fraction) -> int:
    """Return the first new sample at or after an old one; `MAX_DRIFT` early still counts as at."""
    # The ceiling of the difference in whole numbers: arithmetic of fractions takes many times as long.
    whole = ratio.denominator * _DRIFT.denominator
    return -((ratio.denominator * _DRIFT.numerator - sample * ratio.numerator * _DRIFT.denominator) // whole)


@lru_cache(64)
def _rational(ratio: Fraction, n_out: int) -> Fraction | None:
    """Return the simplest ratio that keeps the drift over ``n_out`` samples within `MAX_DRIFT`, or None."""
    if max(ratio.numerator, ratio.denominator) <= _MAX_TERM:
        return ratio
    for limit in (1_000, 10_000, _MAX_TERM):
        near = ratio.limit_denominator(limit)
        small = 0 < near.numerator <= _MAX_TERM
        if small and abs(near / ratio - 1) * n_out <= MAX_DRIFT:
            return near
    return None


@lru_cache(8)
def _polyphase_taps(ratio: Fraction) -> np.ndarray:
    """Return the interpolation filter, of unit gain at 0 Hz in every phase so that levels carry no ripple."""
    from scipy.signal import firwin

    up, longest = ratio.numerator, max(ratio.numerator, ratio.denominator)
    half = _HALF_WIDTH * longest
    taps: np.ndarray = firwin(2 * half + 1, 1 / longest if longest > 1 else 0.999, window=("kaiser", _KAISER_BETA))
    phases = np.zeros((-(-len(taps) // up), up))
    phases.flat[: len(taps)] = taps
    phases /= phases.sum(axis=0) * up
    taps = phases.reshape(-1)[: len(taps)]
    taps.setflags(write=False)
    return taps


def _polyphase(stretch: np.ndarray, ratio: Fraction, start: int, first: int, last: int) -> np.ndarray:
    """Return the samples [first, last) of the new grid, from a stretch that begins at old sample ``start``."""
    up, down = ratio.numerator, ratio.denominator
    margin = _margin(ratio)
    # The polyphase grid begins on an old sample that is also a new one: the multiple of `down` before the margin.
    origin = (start - margin) // down * down
    extended = odd_extend(stretch, margin)
    blank = start - margin - origin
    if blank:
        extended = np.concatenate([np.repeat(extended[:, :1], blank, axis=1), extended], axis=1)
    shift = origin // down * up
    if up <= _LARGEST_UP and down <= _LARGEST_DOWN:
        return _in_blocks(extended, ratio, first - shift, last - shift)
    from scipy.signal import resample_poly

    window = _polyphase_taps(ratio).astype(stretch.dtype)
    new: np.ndarray = resample_poly(extended, up, down, axis=1, window=window)  # type: ignore[call-overload]
    return new[:, first - shift : last - shift]


def _in_blocks(values: np.ndarray, ratio: Fraction, first: int, last: int) -> np.ndarray:
    """Return the new samples [first, last) of the grid that begins with ``values`` (n_leads, n), block by block."""
    matrix, reach = _block_matrix(ratio, values.dtype)
    length, block = matrix.shape
    hop = block // ratio.numerator * ratio.denominator
    begin, end = first // block, -(-last // block)
    new = np.empty((len(values), (end - begin) * block), values.dtype)
    at_once = max(1, _AT_ONCE // (len(values) * length))
    for block_at in range(begin, end, at_once):
        count = min(at_once, end - block_at)
        low = block_at * hop - reach
        high = low + (count - 1) * hop + length
        part = values[:, max(0, low) : high]
        if part.shape[1] < high - low:
            whole = np.zeros((len(values), high - low), values.dtype)
            before = max(0, -low)
            whole[:, before : before + part.shape[1]] = part
            part = whole
        rows = np.lib.stride_tricks.sliding_window_view(part, length, axis=1)[:, ::hop]
        to = (block_at - begin) * block
        new[:, to : to + count * block] = (np.ascontiguousarray(rows) @ matrix).reshape(len(values), -1)
    return new[:, first - begin * block : last - begin * block]


@lru_cache(16)
def _block_matrix(ratio: Fraction, dtype: np.dtype) -> tuple[np.ndarray, int]:
    """Return the filter as a matrix, (n_old, n_new), and how many old samples lie before the first new one's time."""
    up, down = ratio.numerator, ratio.denominator
    taps = _polyphase_taps(ratio) * up
    half = len(taps) // 2
    reach = -(-half // up)
    times = max(1, _BLOCK // up)
    place = half + np.arange(times * up) * down - (np.arange(times * down + 2 * reach) - reach)[:, None] * up
    inside = (place >= 0) & (place < len(taps))
    return np.where(inside, taps[np.clip(place, 0, len(taps) - 1)], 0.0).astype(dtype), reach


def _interpolate(stretch: np.ndarray, ratio: Fraction, start: int, first: int, last: int) -> np.ndarray:
    """Do as `_polyphase` for a ratio without small terms: lay a finely tabulated windowed sinc at each exact time."""
    margin = _margin(ratio)
    extended = odd_extend(stretch, margin)
    windows = np.lib.stride_tricks.sliding_window_view(extended, 2 * margin, axis=1)
    cutoff = min(1.0, float(ratio))
    reach = np.linspace(-margin, margin, 2 * margin * _PHASES + 1)
    table = np.sinc(cutoff * reach)
    inside = np.abs(reach * cutoff) <= _HALF_WIDTH
    table[inside] *= np.i0(_KAISER_BETA * np.sqrt(1 - (reach[inside] * cutoff / _HALF_WIDTH) ** 2))
    table[~inside] = 0.0
    offsets = np.arange(1 - margin, margin + 1)
    step = 1 / ratio
    new = np.empty((len(stretch), last - first), stretch.dtype)
    for begin in range(first, last, _CHUNK):
        count = min(_CHUNK, last - begin)
        # Whole and fractional parts from integers: float64 alone would lose the phase late in a long recording.
        anchor = begin * step - start
        position = float(anchor - math.floor(anchor)) + np.arange(count) * float(step)
        whole = np.floor(position).astype(np.int64)
        weights = np.interp((position - whole)[:, None] - offsets, reach, table)
        weights /= weights.sum(axis=1, keepdims=True)
        at = whole + math.floor(anchor) + 1
        for row in range(len(stretch)):
            new[row, begin - first : begin - first + count] = np.einsum("ij,ij->i", windows[row, at], weights)
    return new


@lru_cache(64)
def _margin(ratio: Fraction) -> int:
    """Return how many old samples to either side a new one depends on."""
    return math.ceil(_HALF_WIDTH * max(1.0, float(1 / ratio))) + 1
