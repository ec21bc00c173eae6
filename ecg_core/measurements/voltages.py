"""Areas, levels and QRS complexes of beats laid over each other, against the line through their PQ levels.

The line stands for the isoelectric one: through the PQ level of each beat and of its neighbours, so that a wandering
baseline tilts neither T nor P. At 20 dB of wander (synthetic ECGs of all shapes) it takes the T axis's median error
from 0.24 to 0.17 degrees (95 %: from 1.9 to 1.0), against a constant level a beat. Levels are means of recorded
samples, not of interpolated ones: at 100 Hz these would let QRS leak into a short PQ segment.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecg_core.measurements.representative import END, ONSET, QRS, Aligned, P, samples_at
from ecg_core.recording import Recording
from ecg_core.statistics import median

ST_OFFSETS_MS = (0, 40, 60, 80)
"""ST levels are taken at J and this long after it."""

_PQ_S = 0.036
"""The PQ level is the mean from this long before QRS on, or from the end of P where that is later."""
_ASIDE_S = 0.004
"""A wave's first and last microvolts lie outside its marks: PQ keeps this far from P and QRS."""
_LEVEL_S = 0.008
"""An ST level is the mean over this time: from J on, and around the later instants; over a sample at least."""
_JOINED_S = 3.0
"""PQ levels further apart than this are not joined by a line."""
_FLAT_MV = 1e-6
"""A lead that moves less during QRS is off, whatever its level."""
LEAST_WAVE_MV = 0.05
"""A Q, R or S wave leaves the line by this much, half a millimetre on paper, and returns by as much within QRS."""


@dataclass(frozen=True, eq=False)
class Voltages:
    """What n beats show in each lead; NaN where a lead was flat or not recorded, or the wave is absent."""

    area_mvs: np.ndarray
    """Net area of each wave between onset and end, mV s, shape (n, n_leads, 3 waves)."""
    st_mv: np.ndarray
    """Level at each of `ST_OFFSETS_MS` after J, shape (n, n_leads, 4)."""
    qrs_mv: np.ndarray
    """The QRS complex, shape (n, n_leads, n_times)."""

    @cached_property
    def heights_mv(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sizes of Q, R and S of every beat, each of shape (n, n_leads)."""
        return heights(self.qrs_mv)

    @cached_property
    def typical_heights_mv(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sizes of Q, R and S of the median beat, each of shape (n_leads,)."""
        return heights(median_over_beats(self.qrs_mv))


def read_voltages(recording: Recording, beats: Aligned) -> Voltages:
    """Read areas, ST levels and QRS complexes off beats of one shape; the same instants of each are read."""
    time_s, marks_s = beats.time_s, beats.marks_s
    onset, j = float(marks_s[QRS, ONSET]), float(marks_s[QRS, END])
    during = slice(int(np.searchsorted(time_s, onset)), int(np.searchsorted(time_s, j)) + 1)
    flat = np.ptp(beats.values[:, :, during], axis=2) < _FLAT_MV

    stop = onset - _ASIDE_S
    level, at = _levels(recording, beats.anchor_s, min(np.fmax(onset - _PQ_S, marks_s[P, END] + _ASIDE_S), stop), stop)
    level[flat] = np.nan
    before, after = _slopes(level, beats.anchor_s + at)

    area = np.full((*level.shape, len(marks_s)), np.nan)
    for k in np.flatnonzero(~np.isnan(marks_s[:, ONSET])).tolist():
        weights = _integral(time_s, marks_s[k, ONSET], marks_s[k, END])
        slope = before if k == P else after
        lever = weights @ time_s - at * weights.sum()
        area[:, :, k] = _sum(beats.values, weights) - level * weights.sum() - slope * lever[:, None]

    length = max(_LEVEL_S, 1 / recording.fs)
    st = np.empty((*level.shape, len(ST_OFFSETS_MS)))
    for column, offset in enumerate(ST_OFFSETS_MS):
        start = j + offset / 1000 - (length / 2 if offset else 0.0)
        found, there = _levels(recording, beats.anchor_s, start, start + length)
        st[:, :, column] = found - level - after * (there - at)[:, None]
    line = level[:, :, None] + after[:, :, None] * (time_s[during] - at[:, None])[:, None]
    return Voltages(area, st, beats.values[:, :, during] - line)


def median_over_beats(values: np.ndarray) -> np.ndarray:
    """Return the median along the first axis, of what is not NaN; NaN where nothing is."""
    gone = np.isnan(values)
    if not gone.any():
        return np.asarray(median(values))
    never = gone.all(axis=0)
    return np.where(never, np.nan, np.nanmedian(np.where(never, 0.0, values), axis=0))


def heights(qrs_mv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sizes (mV, 0 or more, shape (...)) of Q, R and S in QRS complexes of shape (..., n_times).

    R is the highest point, Q the lowest before the complex first rises to an R, S the lowest after; without an R, the
    lowest point (of QS) is that of S. What has not returned by the end of QRS is the ST level, and no wave.
    """
    gone = np.isnan(qrs_mv).any(axis=-1)
    filled = np.where(gone[..., None], 0.0, qrs_mv) if gone.any() else qrs_mv
    up, down = _waves(filled), _waves(-filled)
    # From the first of R on; without an R, throughout.
    late = np.arange(up.shape[-1]) >= (up > 0).argmax(axis=-1)[..., None]
    sizes = np.where(late, 0.0, down).max(axis=-1), up.max(axis=-1), np.where(late, down, 0.0).max(axis=-1)
    q, r, s = (np.where(gone, np.nan, size) for size in sizes)
    return q, r, s


def _waves(upright_mv: np.ndarray) -> np.ndarray:
    """Return complexes of shape (..., n_times) with 0 where they are not part of a wave above the line."""
    lowest_after = np.minimum.accumulate(upright_mv[..., ::-1], axis=-1)[..., ::-1]
    is_wave = (upright_mv >= LEAST_WAVE_MV) & (upright_mv - lowest_after >= LEAST_WAVE_MV)
    return np.where(is_wave, upright_mv, 0.0)


def _levels(recording: Recording, anchor_s: np.ndarray, start: float, stop: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (mV, shape (n, n_leads)) of the samples within a time after each anchor, or of the nearest one.

    The second array says at which time after the anchor the samples lie on average, shape (n,).
    """
    fs = recording.fs
    first = np.ceil((anchor_s + start) * fs - 1e-6).astype(np.int64)
    last = np.floor((anchor_s + stop) * fs + 1e-6).astype(np.int64)
    nearest = np.rint((anchor_s + (start + stop) / 2) * fs).astype(np.int64)
    first, last = np.where(last < first, nearest, first), np.where(last < first, nearest, last)
    at = first[:, None] + np.arange((last - first).max() + 1)
    inside = at <= last[:, None]
    values = np.where(inside[:, None], samples_at(recording.signal, at), 0.0)
    level = values.sum(axis=2) / inside.sum(axis=1)[:, None]
    return level, (first + last) / (2 * fs) - anchor_s


def _slopes(level: np.ndarray, anchor_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope (mV/s, shape (n, n_leads)) of the line before and after each beat; 0 where it ends."""
    gap_s = np.diff(anchor_s)
    slope = np.diff(level, axis=0) / gap_s[:, None]
    slope[np.isnan(slope) | (gap_s > _JOINED_S)[:, None]] = 0.0
    end = np.zeros((1, level.shape[1]))
    return np.concatenate([end, slope]), np.concatenate([slope, end])


def _sum(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return ``values @ weights``, NaN only where a sample that has a weight is NaN."""
    weighted = np.flatnonzero(weights)
    some = slice(int(weighted[0]), int(weighted[-1]) + 1)
    return np.asarray(values[:, :, some] @ weights[some])


def _integral(time_s: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return the weights of the integral from ``start`` to ``stop`` of the straight lines between samples."""
    left, right = np.clip(time_s[:-1], start, stop), np.clip(time_s[1:], start, stop)
    share = ((left + right) / 2 - time_s[:-1]) / np.diff(time_s)
    weights = np.zeros_like(time_s)
    weights[:-1] += (right - left) * (1 - share)
    weights[1:] += (right - left) * share
    return weights
