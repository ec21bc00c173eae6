"""`find_qrs`: the classical detector behind ``method="fast"``, in numpy and scipy alone.

It follows Pan & Tompkins 1985 (doi:10.1109/TBME.1985.325532): filter, square, integrate, decide by thresholds that
adapt to the beats around, search back where a beat is overdue, refuse T waves. The departures, most of them possible
because a whole recording is at hand and not only its past:

- The signal is brought to about 125 Hz by averaging: all that follows costs the same at 250 Hz and at 50 kHz.
- One symmetric filter, the negative second derivative of a Gaussian, stands for band-pass and derivative: nothing is
  delayed, its extrema stand on the R peaks, and it favours 11-25 Hz.
- Thresholds refer to a level taken from the seconds before and after: nothing has to be learnt at the start, and a
  giant artefact does not deafen the detector to what follows.
- A T wave is told by its strength relative to the beat beside it, not by its slope.
- Where a beat is overdue, the strongest candidate of the interval is taken above half the threshold.

Memory is bounded: the filters run in chunks with their margins, and decisions are made on the candidates, of which
there is at most one in `REFRACTORY_S`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

WORKING_FS = 125.0
"""Rates are divided by the whole number that brings them nearest to this."""
REFRACTORY_S = 0.2
"""No two beats are closer: 300 a minute."""

_CHUNK = 1 << 17
"""Samples of the recording filtered at once: the arrays stay within the processor's cache."""
_LEAST_CHUNK = 1 << 10
"""At the working rate: much longer than the margins."""
_GAUSS_S = 0.013
"""Standard deviation of the filter's Gaussian."""
_INTEGRATE_S = 0.08
"""Width of the moving average that is applied twice to the squared signal."""
_BLOCK_S = 1.2
"""Most blocks of this length hold a beat."""
_BLOCKS = 9
_BLOCK_PERCENTILE = 35
"""The level of the beats is this percentile of the strongest candidates of so many blocks around."""
_SILENT = 0.05
"""Blocks under this part of the recording's upper quartile hold no beat: pauses, electrodes off."""
_THRESHOLD = 0.4
_OVERDUE_THRESHOLD = 0.2
_OVERDUE = 1.5
"""A beat is overdue after this many times the median interval around."""
_OVERDUE_REFRACTORY_S = 0.3
_AROUND = 9
"""Intervals that one is compared with."""
_T_WAVE_S = 0.36
_T_WAVE_STRENGTH = 0.7
"""A candidate within `_T_WAVE_S` of another that it does not reach this part of is its T wave, or its P wave."""
_SEEK_S = 0.06
"""How far the R peak may lie from the centre of the QRS complex's energy."""
_CUT_S = 0.024
"""A complex whose energy is centred this close to an end of the recording is cut: its peak lies outside, or may."""
_UPWARD = 0.4
"""R peaks are the upward deflections of a lead where, in most beats around, these reach this part of the downward."""
_VOTERS = 61
"""Beats that say together which way R peaks point: where they differ, intervals would jitter."""
_REFINE_S = 0.01
_REFINE_BATCH = 1 << 20


@dataclass(frozen=True)
class _Candidates:
    """Places where a beat may be; all arrays of shape (n,)."""

    sample: np.ndarray
    """At the working rate, increasing, int64."""
    strength: np.ndarray
    """Root of the integrated energy there."""
    up: np.ndarray
    """Greatest upward deflection of the filtered signal nearby, and its sample in `up_at`."""
    up_at: np.ndarray
    down: np.ndarray
    down_at: np.ndarray


def find_qrs(values: np.ndarray, fs: float) -> np.ndarray:
    """Find the R peaks of one lead.

    Parameters
    ----------
    values
        One lead in any unit, shape (n,), NaN where nothing was recorded.
    fs
        Samples per second.

    Returns
    -------
    Sample numbers, int64, increasing, about `REFRACTORY_S` apart or more; each the extremum of ``values`` nearby.
    """
    step = max(1, round(fs / WORKING_FS))
    parts = list(_search(values, step, fs / step))
    found = _Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else None
    if found is None or not len(found.sample):
        return np.empty(0, np.int64)
    chosen = np.flatnonzero(_decide(found.sample * step / fs, found.strength))
    return _refine(values, fs, step, found, chosen)


def _search(values: np.ndarray, step: int, fs: float) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield the columns of `_Candidates`, chunk by chunk; ``fs`` is the working rate."""
    kernel = _kernel(fs)
    window = 2 * round(_INTEGRATE_S * fs / 2) + 1
    apart, seek, cut = int(REFRACTORY_S * fs), round(_SEEK_S * fs), round(_CUT_S * fs)
    around = np.arange(-seek, seek + 1)
    reach = window + max(apart, seek) + 1
    n = -(-len(values) // step)
    chunk = max(_LEAST_CHUNK, _CHUNK // step)
    for start in range(0, n, chunk):
        stop = min(n, start + chunk)
        filtered, recorded = _filtered(values, step, start - reach, stop + reach, kernel)
        energy = _integrated(filtered, window)
        energy[~recorded] = filtered[~recorded] = 0
        at = _strongest(energy, apart, reach)
        sample = at + start - reach
        whole = (sample >= cut) & (sample < n - cut)
        at, sample = at[whole], sample[whole]
        nearby = filtered[at[:, None] + around]
        row, up, down = np.arange(len(at)), nearby.argmax(axis=1), nearby.argmin(axis=1)
        yield (
            sample,
            np.sqrt(energy[at]),
            nearby[row, up],
            sample + around[up],
            -nearby[row, down],
            sample + around[down],
        )


def _integrated(filtered: np.ndarray, window: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    energy: np.ndarray = uniform_filter1d(uniform_filter1d(filtered * filtered, window), window)
    return energy


def _strongest(energy: np.ndarray, apart: int, reach: int) -> np.ndarray:
    """Return where ``energy`` has no equal ``apart`` samples to either side, ``reach`` or more from its ends."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(energy, 2 * apart + 1)[reach:-reach]
    centre, before = energy[reach:-reach], energy[reach - 1 : -reach - 1]
    at = np.flatnonzero((centre == highest) & (centre > before))
    return at[np.diff(at, prepend=-apart) >= apart] + reach


@lru_cache(16)
def _kernel(fs: float) -> np.ndarray:
    """Return the filter: the negative second derivative of a Gaussian, without response to a level or a slope."""
    width = _GAUSS_S * fs
    half = int(np.ceil(3.5 * width))
    t = np.arange(-half, half + 1) / width
    kernel = (1 - t * t) * np.exp(-0.5 * t * t)
    kernel -= kernel.mean()
    return kernel


def _filtered(
    values: np.ndarray, step: int, start: int, stop: int, kernel: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the working samples [start, stop) filtered, and which of them were recorded; each shape (stop - start,).

    What was not recorded is bridged by straight lines, and the recording goes on beyond its ends as in `odd_extend`.
    """
    from ecg_core.preprocess.stretches import odd_extend

    margin = len(kernel) // 2
    n = -(-len(values) // step)
    first, last = max(0, start - margin), min(n, stop + margin)
    raw = values[first * step : last * step].astype(np.float64)
    if (short := (last - first) * step - len(raw)) > 0:
        raw = np.append(raw, np.repeat(raw[-1:], short))
    recorded = np.zeros(stop - start, bool)
    missing = np.isnan(raw)
    if missing.all():
        return np.zeros(stop - start), recorded
    if missing.any():
        raw[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), raw[~missing])
    inside = slice(max(0, start), min(n, stop))
    absent = missing.reshape(-1, step)[inside.start - first : inside.stop - first].all(axis=1)
    recorded[inside.start - start : inside.stop - start] = ~absent
    signal = raw.reshape(-1, step) @ np.full(step, 1 / step)
    before, after = first - (start - margin), stop + margin - last
    if before or after:
        more = max(before, after)
        signal = odd_extend(signal[None], more)[0, more - before : len(signal) + more + after]
    return np.convolve(signal, kernel, mode="valid"), recorded


def _decide(time_s: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return which candidates are beats, shape (n,), bool."""
    relative = strength / _level(time_s, strength)
    beat: np.ndarray = relative > _THRESHOLD
    for _ in range(2):
        at = np.flatnonzero(beat)
        close = np.diff(time_s[at]) < _T_WAVE_S
        before, after = strength[at[:-1]], strength[at[1:]]
        beat[at[1:][close & (after < _T_WAVE_STRENGTH * before)]] = False
        beat[at[:-1][close & (before < _T_WAVE_STRENGTH * after)]] = False
    for _ in range(2):
        overdue = _overdue(time_s, relative, beat)
        if not len(overdue):
            break
        beat[overdue] = True
    return beat


def _level(time_s: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Return the strength that beats have around each candidate."""
    from scipy.ndimage import percentile_filter

    block, first, member = np.unique((time_s / _BLOCK_S).astype(np.int64), return_index=True, return_inverse=True)
    strongest = np.maximum.reduceat(strength, first)
    loud = np.flatnonzero(strongest >= _SILENT * np.percentile(strongest, 75))
    size = min(_BLOCKS, len(loud))
    level = percentile_filter(strongest[loud], _BLOCK_PERCENTILE, size=size, mode="mirror")
    everywhere: np.ndarray = np.interp(block, block[loud], level)
    return everywhere[member]


def _overdue(time_s: np.ndarray, relative: np.ndarray, beat: np.ndarray) -> np.ndarray:
    """Return the strongest candidate of each interval that is too long for its surroundings."""
    from scipy.ndimage import median_filter

    at = np.flatnonzero(beat)
    if len(at) < 3:
        return np.empty(0, np.int64)
    beat_s = time_s[at]
    rr_s = np.diff(beat_s)
    long = rr_s > _OVERDUE * median_filter(rr_s, size=_AROUND, mode="nearest")
    interval = np.cumsum(beat) - 1
    possible = np.flatnonzero(~beat & (relative > _OVERDUE_THRESHOLD) & (interval >= 0) & (interval < len(rr_s)))
    possible = possible[long[interval[possible]]]
    before, after = beat_s[interval[possible]], beat_s[interval[possible] + 1]
    apart = np.minimum(time_s[possible] - before, after - time_s[possible]) >= _OVERDUE_REFRACTORY_S
    possible = possible[apart]
    strongest_first = possible[np.lexsort((-relative[possible], interval[possible]))]
    _, first = np.unique(interval[strongest_first], return_index=True)
    strongest: np.ndarray = strongest_first[first]
    return strongest


def _refine(values: np.ndarray, fs: float, step: int, found: _Candidates, chosen: np.ndarray) -> np.ndarray:
    """Return the extremum of ``values`` at each chosen candidate, of the polarity that most beats around have."""
    from scipy.ndimage import uniform_filter1d

    votes = (found.up[chosen] > _UPWARD * found.down[chosen]).astype(np.float64)
    upward = uniform_filter1d(votes, _VOTERS, mode="reflect") > 0.5
    coarse = np.where(upward, found.up_at[chosen], found.down_at[chosen]) * step + step // 2
    half = max(round(_REFINE_S * fs), step)
    around = np.arange(-half, half + 1)
    batch = max(1, _REFINE_BATCH // len(around))
    peaks = np.empty(len(chosen), np.int64)
    for first in range(0, len(chosen), batch):
        part = slice(first, first + batch)
        sample = np.clip(coarse[part, None] + around, 0, len(values) - 1)
        sign = np.where(upward[part], 1, -1).astype(np.float32)
        nearby = values[sample] * sign[:, None]
        nearby[np.isnan(nearby)] = -np.inf
        peaks[part] = sample[np.arange(len(sample)), nearby.argmax(axis=1)]
    return np.unique(peaks)
