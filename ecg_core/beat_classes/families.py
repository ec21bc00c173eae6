"""Families of alike beats: which shapes a recording has, and which of them is the person's usual one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FS = 250.0
"""Samples per second at which shapes are looked at."""
BEFORE, AFTER = 90, 125
"""Samples before and after the centre of a QRS complex that belong to its window."""
QRS = slice(BEFORE - 25, BEFORE + 30)
"""The QRS complex, wide enough for a ventricular one."""
BODY = slice(BEFORE - 28, BEFORE + 55)
"""QRS complex and ST segment: by these, beats are told alike."""
LEVEL = slice(BEFORE - 30, BEFORE - 16)
"""Just before the QRS complex: its median is the level that a beat is measured from."""
LAG = 8
"""Samples by which beats are moved against each other to fit."""

_LAGS = range(-LAG, LAG + 1)
_CENTRE = 28
"""How far the centre of a complex may lie from where the beat is said to be."""
_ALIKE = 0.90
"""Least correlation of a beat with its family."""
_FAMILIES = 12
_FOUNDERS = 240
"""Beats that a family is founded among, and four times so many that say what it looks like."""
_EARLY = 0.85
_EARLY_COUNTS = 0.4
"""Beats earlier than this part of the interval after them are less likely the usual ones, though they be many."""


@dataclass(frozen=True)
class Families:
    """Beats by shape; the windows have ``BEFORE + AFTER`` samples."""

    windows: np.ndarray
    """Millivolts, aligned, shape (n_beats, n_leads, n_window)."""
    centre: np.ndarray
    """Samples where the QRS complexes are centred, before that alignment, shape (n_beats,)."""
    known: np.ndarray
    """Whether the whole window was recorded, shape (n_beats, n_leads)."""
    of_beat: np.ndarray
    """Number of the family of each beat, shape (n_beats,); ``n_families`` for those like no other."""
    templates: np.ndarray
    """Median beats, shape (n_families, n_leads, n_window)."""

    @property
    def size(self) -> np.ndarray:
        """Beats in each family, shape (n_families,)."""
        return np.bincount(self.of_beat, minlength=len(self.templates) + 1)[: len(self.templates)]

    def dominant(self, times_s: np.ndarray) -> int:
        """Return the number of the largest family, where one of early beats counts less; 0 where there is none."""
        if not len(self.templates):
            return 0
        intervals = np.diff(times_s, prepend=np.nan, append=np.nan)
        weight = self.size.astype(np.float64)
        for family in range(len(weight)):
            ratio = (intervals[:-1] / intervals[1:])[self.of_beat == family]
            ratio = ratio[~np.isnan(ratio)]
            if len(ratio) and median(ratio) < _EARLY:
                weight[family] *= _EARLY_COUNTS
        return int(weight.argmax())

    def tails(self, usual_s: np.ndarray) -> np.ndarray:
        """Return what the T wave of the beat before, as its family has it, still adds to the window of each beat.

        Parameters
        ----------
        usual_s
            Interval that is usual around each beat, seconds, shape (n_beats,): the template of the beat before ends
            where its own next P wave may begin.

        Returns
        -------
        Millivolts, shape (n_beats, n_leads, n_window).
        """
        _, n_leads, width = self.windows.shape
        templates = np.concatenate((self.templates, np.zeros((1, n_leads, width))))
        templates -= median(templates[:, :, LEVEL], 2)[:, :, None]
        apart = np.diff(self.centre, prepend=self.centre[:1] - 10 * width)
        of_last = np.append(len(templates) - 1, self.of_beat[:-1])
        at = np.arange(width) + apart[:, None]
        stop = BEFORE + np.minimum(AFTER - 1, np.nan_to_num(0.62 * usual_s * FS, nan=AFTER)).astype(np.int64)[:, None]
        columns = np.clip(at, 0, stop)
        fading = np.exp(-np.fmax(at - stop, 0) / 8.0)
        return np.asarray(np.take_along_axis(templates[of_last], columns[:, None], 2) * fading[:, None])


def find_families(signal: np.ndarray, sample: np.ndarray) -> Families:
    """Cut a window around each beat and sort the beats into families.

    Parameters
    ----------
    signal
        Millivolts at `FS`, shape (n_leads, n_samples), NaN where not recorded.
    sample
        Where the beats are said to be, shape (n_beats,), at least one.
    """
    wide, centre = _cut(signal, sample)
    known = ~np.isnan(wide).any(axis=2)
    wide = np.nan_to_num(wide)
    qrs = wide[:, :, LAG + QRS.start : LAG + QRS.stop]
    span = median(qrs.max(axis=2) - qrs.min(axis=2))
    scaled = (wide - median(wide, 2)[:, :, None]) / np.fmax(span, 1e-3)[:, None]
    of_beat, shift = np.full(len(wide), -1), np.zeros(len(wide), np.int64)
    rng = np.random.default_rng(0)
    n_families = 0
    while n_families < _FAMILIES and len(left := np.flatnonzero(of_beat < 0)):
        lag, fits = _found_family(scaled[left], rng)
        if fits.sum() < 2:
            break
        of_beat[left[fits]], shift[left[fits]] = n_families, lag[fits]
        n_families += 1
    of_beat[of_beat < 0] = n_families
    windows = _moved(wide, shift)
    templates = np.zeros((n_families, *windows.shape[1:]))
    for family in range(n_families):
        templates[family] = median(windows[of_beat == family])
    return Families(windows, centre, known, of_beat, templates)


def median(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the median of values without NaN along an axis; of few, numpy's own takes several times as long."""
    n = values.shape[axis]
    ordered = np.sort(values, axis=axis)
    return np.asarray((ordered.take((n - 1) // 2, axis) + ordered.take(n // 2, axis)) / 2)


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows with mean 0 and length 1, along the last axis: the product of two is their correlation."""
    rows = rows - rows.mean(axis=-1, keepdims=True)
    return np.asarray(rows / (np.sqrt((rows * rows).sum(axis=-1, keepdims=True)) + 1e-9))


def lagged(rows: np.ndarray, part: slice, lags: range) -> np.ndarray:
    """Return a part of rows (..., n), shifted by each lag: shape (..., n_lags, n_part), without a copy."""
    first, stop = part.start + lags[0], part.stop + lags[-1]
    return np.lib.stride_tricks.sliding_window_view(rows[..., first:stop], part.stop - part.start, axis=-1)[
        ..., :: lags.step, :
    ]


def _cut(signal: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return windows, `LAG` samples wider at either end, and the centres of the energy of slopes that they stand on."""
    margin = BEFORE + AFTER + _CENTRE + LAG
    ends = np.repeat(signal[:, :1], margin, axis=1), signal, np.repeat(signal[:, -1:], margin, axis=1)
    padded = np.concatenate(ends, axis=1, dtype=np.float64)
    sample = np.clip(sample, 0, signal.shape[1] - 1) + margin
    around = np.arange(-_CENTRE, _CENTRE + 1)
    slope = np.nan_to_num(padded[:, sample[:, None] + around + 2] - padded[:, sample[:, None] + around - 2])
    scale = median(np.abs(slope).max(axis=2), 1)[:, None, None] + 1e-6
    energy = ((slope / scale) ** 2).sum(axis=0) * np.hanning(2 * _CENTRE + 3)[1:-1] + 1e-9
    centre = sample + np.rint((energy @ around) / energy.sum(axis=1)).astype(np.int64)
    offsets = np.arange(-BEFORE - LAG, AFTER + LAG)
    return np.moveaxis(padded[:, centre[:, None] + offsets], 0, 1), centre - margin


def _found_family(scaled: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the beats are moved to fit the largest family, and which of them belong to it."""
    chosen = np.sort(rng.choice(len(scaled), min(len(scaled), _FOUNDERS), replace=False))
    shapes = unit(scaled[chosen][:, :, LAG + BODY.start : LAG + BODY.stop].reshape(len(chosen), -1))
    likeness = shapes @ shapes.T
    founder = int((likeness > _ALIKE).sum(axis=1).argmax())
    near = likeness[founder] > _ALIKE
    template = median(scaled[chosen[near if near.any() else founder]].reshape(-1, *scaled.shape[1:]))
    for _ in range(2):
        fit, lag = _fit(scaled, template)
        if not (fit > _ALIKE).any():
            break
        members = np.flatnonzero(fit > _ALIKE)[: 4 * _FOUNDERS]
        middle = median(_moved(scaled[members], lag[members]))
        template = np.concatenate(
            (np.repeat(middle[:, :1], LAG, axis=1), middle, np.repeat(middle[:, -1:], LAG, axis=1)), axis=1
        )
    fit, lag = _fit(scaled, template)
    return lag, fit > _ALIKE


def _fit(scaled: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best correlation of each beat with a template, and at which lag."""
    body = slice(LAG + BODY.start, LAG + BODY.stop)
    model = unit(template[:, body].reshape(-1)).reshape(len(template), -1)
    shapes = lagged(scaled, body, _LAGS)
    size = shapes.shape[1] * shapes.shape[3]
    mean = shapes.sum(axis=(1, 3)) / size
    norm = np.sqrt(np.fmax(np.einsum("ijkl,ijkl->ik", shapes, shapes) - size * mean * mean, 1e-12))
    fits = np.einsum("ijkl,jl->ik", shapes, model) / norm
    best = fits.argmax(axis=1)
    return fits[np.arange(len(fits)), best], best - LAG


def _moved(wide: np.ndarray, lag: np.ndarray) -> np.ndarray:
    """Return the windows, each ``lag`` samples later."""
    columns = np.arange(BEFORE + AFTER) + LAG + lag[:, None]
    return np.take_along_axis(wide, np.broadcast_to(columns[:, None], (*wide.shape[:2], BEFORE + AFTER)), 2)
