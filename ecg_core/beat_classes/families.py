"""Families of alike beats: which shapes a recording has, and which of them is the person's usual one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_core.statistics import median

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
_TAPER = np.hanning(2 * _CENTRE + 3)[1:-1]
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
    if not known.all():
        wide[np.isnan(wide)] = 0.0
    qrs = wide[:, :, LAG + QRS.start : LAG + QRS.stop]
    span = median(qrs.max(axis=2) - qrs.min(axis=2))
    scaled = (wide - median(wide, 2)[:, :, None]) / np.fmax(span, 1e-3)[:, None]
    of_beat, shift = np.full(len(wide), -1), np.zeros(len(wide), np.int64)
    rng = np.random.default_rng(0) if len(wide) > _FOUNDERS else None
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


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows with mean 0 and length 1, along the last axis: the product of two is their correlation."""
    rows = rows - np.add.reduce(rows, axis=-1, keepdims=True) / rows.shape[-1]
    return np.asarray(rows / (np.sqrt(np.add.reduce(rows * rows, axis=-1, keepdims=True)) + 1e-9))


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
    place = sample[:, None] + around
    slope = padded[:, place + 2] - padded[:, place - 2]
    slope[np.isnan(slope)] = 0.0
    scale = median(np.abs(slope).max(axis=2), 1)[:, None, None] + 1e-6
    energy = ((slope / scale) ** 2).sum(axis=0) * _TAPER + 1e-9
    centre = sample + np.rint((energy @ around) / energy.sum(axis=1)).astype(np.int64)
    offsets = np.arange(-BEFORE - LAG, AFTER + LAG)
    return np.moveaxis(padded[:, centre[:, None] + offsets], 0, 1), centre - margin


def _found_family(scaled: np.ndarray, rng: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the beats are moved to fit the largest family, and which of them belong to it."""
    founders = scaled
    if rng is not None and len(scaled) > _FOUNDERS:
        founders = scaled[np.sort(rng.choice(len(scaled), _FOUNDERS, replace=False))]
    body = slice(LAG + BODY.start, LAG + BODY.stop)
    shapes = unit(founders[:, :, body].reshape(len(founders), -1))
    likeness = shapes @ shapes.T
    founder = int((likeness > _ALIKE).sum(axis=1).argmax())
    near = likeness[founder] > _ALIKE
    template = median(founders[near if near.any() else slice(founder, founder + 1)][:, :, body])
    shifted, size = _shifted(scaled)
    for _ in range(2):
        fit, lag = _fit(shifted, size, template)
        if not (fit > _ALIKE).any():
            break
        members = np.flatnonzero(fit > _ALIKE)[: 4 * _FOUNDERS]
        template = median(_moved(scaled[members], lag[members], BODY))
    fit, lag = _fit(shifted, size, template)
    return lag, fit > _ALIKE


def _shifted(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the body of each beat at each lag, (n_beats, n_leads, n_lags, n_body), and its size, (n_beats, n_lags)."""
    shifted = lagged(scaled, slice(LAG + BODY.start, LAG + BODY.stop), _LAGS)
    n = shifted.shape[1] * shifted.shape[3]
    mean = shifted.sum(axis=(1, 3)) / n
    power = np.einsum("ijkl,ijkl->ik", shifted, shifted) - n * mean * mean
    return shifted, np.sqrt(np.fmax(power, 1e-12))


def _fit(shifted: np.ndarray, size: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best correlation of each beat with the body of a template (n_leads, n_body), and at which lag."""
    model = unit(template.reshape(-1)).reshape(template.shape)
    fits = np.einsum("ijkl,jl->ik", shifted, model) / size
    best = fits.argmax(axis=1)
    return fits[np.arange(len(fits)), best], best - LAG


def _moved(wide: np.ndarray, lag: np.ndarray, part: slice = slice(0, BEFORE + AFTER)) -> np.ndarray:
    """Return the windows, or a part of them, each ``lag`` samples later."""
    columns = np.arange(part.start, part.stop) + LAG + lag[:, None]
    return np.asarray(wide[np.arange(len(wide))[:, None, None], np.arange(wide.shape[1])[:, None], columns[:, None]])
