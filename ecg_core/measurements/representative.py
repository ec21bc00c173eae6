"""The beats that a table of measurements speaks of: those of the dominant shape, laid over each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from ecg_core.recording import Recording
from ecg_core.statistics import known_median, median
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T, Waves

__all__ = [
    "END",
    "ONSET",
    "PEAK",
    "QRS",
    "Aligned",
    "P",
    "T",
    "align_dominant",
    "cut_out",
    "global_marks",
    "samples_at",
]

MAX_BEATS = 500
"""Longer recordings are measured on this many beats, evenly spread."""
ALIKE = 0.85
"""Correlation of two QRS complexes, over all leads together, from which they are of one shape."""
MIN_SHARE = 0.5
"""A wave of which fewer beats than this share have a mark is taken as absent."""

MIN_GROUP = 0.25
"""Where no group holds this share of the beats, noise or the rhythm hides the shape, and all beats are taken."""

_GRID_HZ = 500.0
"""Least rate at which beats are laid over each other."""
_HALF_S = 0.08
"""Beats are compared from this long before to this long after the peak of QRS ..."""
_SHIFT_S = 0.03
"""... and moved against each other by up to this much."""
_SMOOTH_S = 0.012
"""Running mean under which they are compared: it takes out more of the muscle noise than of a QRS complex."""
_MARGIN_S = 0.04
"""What is cut out around a beat, before its first mark and after its last."""
_MAX_GROUPS = 8


@dataclass(frozen=True, eq=False)
class Aligned:
    """The beats of one shape, cut out and laid over each other."""

    rows: np.ndarray
    """Their numbers among the beats, shape (n,)."""
    anchor_s: np.ndarray
    """The instant of each that lies at time 0, in seconds from the first sample, shape (n,)."""
    time_s: np.ndarray
    """Seconds from the anchor, evenly spaced, shape (n_times,)."""
    values: np.ndarray
    """Millivolts, float64, shape (n, n_leads, n_times); NaN where nothing was recorded."""
    marks_s: np.ndarray
    """Median marks in seconds from the anchor, shape (3 waves, 3 instants); NaN for a wave that most beats lack."""

    def __len__(self) -> int:
        return len(self.rows)


def global_marks(waves: Waves) -> np.ndarray:
    """Return the global marks (s) of the beats with a QRS, shape (n, 3 waves, 3 instants); NaN for absent waves."""
    marks = waves.global_.marks
    return np.asarray(marks[~np.isnan(marks[:, QRS, ONSET])])


def align_dominant(recording: Recording, marks: np.ndarray) -> Aligned:
    """Find the beats of the dominant shape, and lay them over each other.

    Beats are of one shape where their QRS complexes correlate by `ALIKE` or more over all leads. The largest group
    dominates, unless one at least half as large follows P waves where the largest does not, or is narrower: in bigeminy
    the premature beats can be the more. Where no group is large, all beats are taken, and their spread will tell.

    Parameters
    ----------
    recording
        Any; leads without a signal are passed over.
    marks
        Global marks (s) of one beat or more, shape (n, 3, 3) as from `global_marks`.
    """
    chosen = np.arange(len(marks))
    if len(marks) > MAX_BEATS:
        chosen = np.unique(np.linspace(0, len(marks) - 1, MAX_BEATS).round().astype(np.int64))
        marks = marks[chosen]
    rate = recording.fs * max(1, math.ceil(_GRID_HZ / recording.fs)) / max(1, math.floor(recording.fs / _GRID_HZ))
    peaks = np.rint(marks[:, QRS, PEAK] * rate) / rate
    rows, shift = _dominant(_shapes(recording, peaks, rate), marks)

    anchors = peaks[rows] + shift / rate
    relative = marks[rows] - anchors[:, None, None]
    enough = (~np.isnan(relative)).sum(axis=0) >= MIN_SHARE * len(rows)
    typical = np.full(relative.shape[1:], np.nan)
    typical[enough] = known_median(relative[:, enough].T)
    first = math.floor((np.nanmin(typical) - _MARGIN_S) * rate)
    last = math.ceil((np.nanmax(typical) + _MARGIN_S) * rate)
    time_s = np.arange(first, last + 1) / rate
    return Aligned(chosen[rows], anchors, time_s, cut_out(recording, anchors, time_s), typical)


def cut_out(recording: Recording, centre_s: np.ndarray, offset_s: np.ndarray) -> np.ndarray:
    """Return the signal (mV) around n instants, shape (n, n_leads, n_offsets); NaN outside the recording and in gaps.

    Between samples it is interpolated by cubics through the four nearest (Catmull-Rom).
    """
    position = (centre_s[:, None] + offset_s) * recording.fs
    whole = np.rint(position)
    if np.abs(position - whole).max() < 1e-6:
        return samples_at(recording.signal, whole.astype(np.int64))
    before = np.floor(position)
    x, at = position - before, before.astype(np.int64)
    weights = (
        -0.5 * x + x**2 - 0.5 * x**3,
        1 - 2.5 * x**2 + 1.5 * x**3,
        0.5 * x + 2 * x**2 - 1.5 * x**3,
        -0.5 * x**2 + 0.5 * x**3,
    )
    total = np.zeros((len(centre_s), recording.n_leads, len(offset_s)))
    for k, weight in enumerate(weights):
        total += weight[:, None] * samples_at(recording.signal, at + (k - 1))
    return total


def samples_at(signal: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return ``signal`` (n_leads, n_samples) at sample numbers (n, m), as float64 of shape (n, n_leads, m)."""
    values = np.take(signal, at, axis=1, mode="clip").transpose(1, 0, 2).astype(np.float64)
    outside = (at < 0) | (at >= signal.shape[1])
    if outside.any():
        values[np.broadcast_to(outside[:, None], values.shape)] = np.nan
    return values


def _shapes(recording: Recording, peaks_s: np.ndarray, rate: float) -> list[_Shape]:
    """Return the shapes of the QRS complexes that peak at these instants.

    The same are asked for when marks are settled and when they are measured: a recording's last are remembered.
    """
    key = peaks_s.tobytes()
    known = _known_shapes.get(recording)
    if known is None or known[0] != key:
        reach = round((_HALF_S + _SHIFT_S) * rate)
        complexes = _smooth(cut_out(recording, peaks_s, np.arange(-reach, reach + 1) / rate), round(_SMOOTH_S * rate))
        known = _known_shapes[recording] = key, _sorted_by_shape(complexes, round(_SHIFT_S * rate))
    return known[1]


def _smooth(values: np.ndarray, n: int) -> np.ndarray:
    """Return the running mean over ``n`` samples along the last axis, shorter by ``n - 1``."""
    total = np.cumsum(np.pad(values, ((0, 0), (0, 0), (1, 0))), axis=2)
    return np.asarray((total[:, :, n:] - total[:, :, :-n]) / n)


class _Shape(NamedTuple):
    """Beats of one shape."""

    rows: np.ndarray
    """Their numbers, shape (n,)."""
    shift: np.ndarray
    """Samples by which each comes later than their template, shape (n,)."""


_known_shapes: WeakKeyDictionary[Recording, tuple[bytes, list[_Shape]]] = WeakKeyDictionary()
"""The shapes last found in a recording, and the peaks (as bytes) that they were found for."""


class _Match(NamedTuple):
    """How a template fits each beat."""

    correlation: np.ndarray
    """The best over all shifts, shape (n,)."""
    shift: np.ndarray
    """Samples by which the beat comes later than the template, shape (n,)."""


def _dominant(shapes: list[_Shape], marks: np.ndarray) -> _Shape:
    """Return the dominant shape among those of beats with these global marks (s, shape (n, 3, 3))."""
    most = max(len(shape.rows) for shape in shapes)
    if most < MIN_GROUP * len(marks):
        return _Shape(np.arange(len(marks)), np.zeros(len(marks), np.int64))
    rivals = [shape for shape in shapes if len(shape.rows) >= most / 2]
    if len(rivals) == 1:
        return rivals[0]
    width_s = marks[:, QRS, END] - marks[:, QRS, ONSET]
    no_p = np.isnan(marks[:, P, ONSET])
    return min(rivals, key=lambda shape: (no_p[shape.rows].mean() > MIN_SHARE, float(median(width_s[shape.rows]))))


def _sorted_by_shape(complexes: np.ndarray, reach: int) -> list[_Shape]:
    """Sort beats into shapes.

    Parameters
    ----------
    complexes
        Millivolts around QRS, shape (n, n_leads, n_times); NaN where not recorded.
    reach
        Samples at either end that are only there to move the beats against each other.
    """
    centred = complexes - complexes.mean(axis=2, keepdims=True)
    recorded = ~np.isnan(centred[:, :, 0])
    centred[~recorded] = 0.0
    core = centred[:, :, reach:-reach].reshape(len(centred), -1)
    size = np.linalg.norm(core, axis=1)
    size[size == 0] = 1.0
    alike = (core @ core.T) >= ALIKE * size[:, None] * size

    energy = _energies(centred, core.shape[1] // centred.shape[1])
    shapes: list[_Shape] = []
    left = np.ones(len(centred), bool)
    while left.any() and len(shapes) < _MAX_GROUPS:
        seed = int(np.where(left, alike[:, left].sum(axis=1), -1).argmax())
        template = centred[seed, :, reach:-reach]
        match = _fit(template, centred, recorded, energy, reach)
        members = np.flatnonzero(left & (match.correlation >= ALIKE))
        if len(members) > 2:
            moved = match.shift[members, None] + np.arange(reach, centred.shape[2] - reach)
            template = median(np.take_along_axis(centred[members], moved[:, None], axis=2))
            match = _fit(template, centred, recorded, energy, reach)
            members = np.flatnonzero(left & (match.correlation >= ALIKE))
        if not len(members):
            members = np.array([seed])
        shapes.append(_Shape(members, match.shift[members]))
        left[members] = left[seed] = False
    return shapes


def _energies(centred: np.ndarray, m: int) -> np.ndarray:
    """Return the energy of every ``m`` samples in a row of beats (n, n_leads, n_times), shape (n, n_times - m + 1)."""
    power = np.zeros((len(centred), centred.shape[2] + 1))
    np.cumsum((centred**2).sum(axis=1), axis=1, out=power[:, 1:])
    return np.asarray(power[:, m:] - power[:, :-m])


def _fit(template: np.ndarray, centred: np.ndarray, recorded: np.ndarray, energy: np.ndarray, reach: int) -> _Match:
    """Slide a template (n_leads, m) over beats (n, n_leads, m + 2 reach), whose recorded leads (n, n_leads) count.

    ``energy`` is that of the beats under the template, as `_energies` gives it.
    """
    m = template.shape[1]
    expected = recorded @ (template**2).sum(axis=1)
    size = np.sqrt(np.maximum(energy * expected[:, None], 1e-12))
    # The template at every shift, as the columns of one matrix.
    padded = np.zeros((len(template), m + 4 * reach))
    padded[:, 2 * reach : 2 * reach + m] = template
    shifted = np.lib.stride_tricks.sliding_window_view(padded, m + 2 * reach, axis=1)[:, ::-1]
    product = centred.reshape(len(centred), -1) @ shifted.transpose(0, 2, 1).reshape(-1, 2 * reach + 1)
    correlation = product / size
    best = correlation.argmax(axis=1)
    return _Match(correlation[np.arange(len(best)), best], best - reach)
