"""`find_spikes`: moments at which something as abrupt as a pacing spike stands out of a quiet baseline.

In one lead that is a narrow peak, or a jump that goes no further (of a spike whose back slope a recorder's filter has
stretched). In many leads at once it is a spike: tremor and glitches differ from lead to lead. Nothing here knows of
beats: `ecg_core.pacing` decides which spikes are a pacemaker's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_core.leads import LIMB
from ecg_core.recording import Recording
from ecg_core.statistics import median

SHARP_S = 0.006
"""A spike is as wide as the recorder makes it: at most this, at half of its height, where the recorder is fast ..."""
BLUNT_S = 0.0125
"""... and at most this on slower ones, whose tapes and filters blur it."""
FAST_FS = 400.0
"""Samples per second from which a recorder that blurs spikes would blur QRS complexes too."""

_STEP_S = 0.008
"""A peak stands above the samples this far to either side ..."""
_WING_S = 0.020
"""... and its width is taken at half of its height above the lowest samples up to here."""
_LEAST_FOOT_S = 0.005
_FOOT = 1.2
"""A peak begins this many widths before its top."""
_JUMP_S = 0.004
"""A jump is what the signal does within this time ..."""
_JUMP_APART_S = 0.020
"""... where it is the greatest so far around ..."""
_GOES_ON = 0.5
"""... and in as much time again the signal goes on by less than this part of it."""
_QUIET_S = 0.070
"""From here on the baseline is quiet: until the spike begins it spans less than ..."""
_QUIET_BEFORE_PEAK = 0.5
_QUIET_BEFORE_JUMP = 0.4
"""... this part of its height."""
_BLOCK_S = 0.1
_STANDS_OUT = 3.0
"""Least height in terms of what every second tenth of a second reaches: most hold no spike."""
_MANY_LEADS = 6
"""Leads from which several can be asked to agree."""
_LEAST_MV = {True: 0.05, False: 0.15}
"""Least height, where many leads can agree and where they cannot."""
_LEAST_BLUNT_MV = 0.25
"""Least height of few leads on slow recorders: an r wave in V1 can be as narrow, and is lower as a rule."""
_PEAK, _JUMP = 3, 2
_VOTES = {True: 6, False: 9}
"""Of fast recorders two peaks or three jumps make a spike of many leads, of slow ones three peaks, since r waves of
neighbours can be alike; one peak makes that of few. The limb leads, which have electrodes in common, speak with one
voice."""
_TOGETHER_S = 0.008
"""What is no further apart belongs to one spike."""
_MARGIN_S = 0.1


@dataclass(frozen=True, eq=False)
class Spikes:
    """Spikes in order of time."""

    time_s: np.ndarray
    """Seconds from the first sample of the recording, float64, shape (n,)."""
    height_mv: np.ndarray
    """Signed height in every lead searched, NaN where it does not show; shape (n, n_leads)."""
    sharp: np.ndarray
    """Whether it is no wider than `SHARP_S` in the lead where it is highest, bool, shape (n,)."""


@dataclass(frozen=True, eq=False)
class _Found:
    """What may be a spike, lead by lead; each array of shape (n,)."""

    lead: np.ndarray
    sample: np.ndarray
    height_mv: np.ndarray
    sharp: np.ndarray
    votes: np.ndarray


def find_spikes(recording: Recording, rows: list[int], start_s: float, stop_s: float) -> Spikes:
    """Find the spikes within [start_s, stop_s) that enough of the leads ``rows`` show."""
    fs = recording.fs
    first = max(0, round((start_s - _MARGIN_S) * fs))
    values = recording.signal[rows, first : round((stop_s + _MARGIN_S) * fs)]
    many = len(rows) >= _MANY_LEADS
    fast = fs >= FAST_FS
    least_mv = _LEAST_MV[many] if many or fast else _LEAST_BLUNT_MV
    parts = [_find_peaks(values, fs, least_mv), *([_find_jumps(values, fs, least_mv)] if many else [])]
    lead, sample, height, sharp, votes = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("lead", "sample", "height_mv", "sharp", "votes")
    )
    order = np.lexsort((np.abs(height), sample))
    lead, sample, height, sharp, votes = (column[order] for column in (lead, sample, height, sharp, votes))
    spike = np.cumsum(np.diff(sample, prepend=sample[:1]) > _TOGETHER_S * fs)
    n = int(spike[-1]) + 1 if len(spike) else 0
    voices = np.array([0 if recording.leads[row] in LIMB else 1 + at for at, row in enumerate(rows)])
    heard = np.zeros((n, len(rows) + 1), np.int64)
    np.maximum.at(heard, (spike, voices[lead]), votes)
    highest = np.zeros(n, np.int64)
    by_height = np.argsort(np.abs(height), kind="stable")
    highest[spike[by_height]] = by_height
    table = np.full((n, len(rows)), np.nan)
    table[spike[by_height], lead[by_height]] = height[by_height]
    time_s = (sample[highest] + first) / fs
    kept = (heard.sum(axis=1) >= (_VOTES[fast] if many else _PEAK)) & (time_s >= start_s) & (time_s < stop_s)
    return Spikes(time_s[kept], table[kept], sharp[highest][kept])


def _find_peaks(values: np.ndarray, fs: float, least_mv: float) -> _Found:
    """Find narrow peaks, up or down, out of a quiet baseline; ``values`` of shape (n_leads, n) in mV."""
    step, wing = max(1, round(_STEP_S * fs)), max(2, round(_WING_S * fs))
    centre, before, after = values[:, step:-step], values[:, : -2 * step], values[:, 2 * step :]
    up, down = centre - np.maximum(before, after), np.minimum(before, after) - centre
    drop = np.fmax(np.fmax(up, down), 0)
    lead, at = _places(drop >= np.fmax(least_mv, _STANDS_OUT * _usual(drop, fs))[:, None])
    sign = np.where(up[lead, at] >= down[lead, at], 1.0, -1.0)
    at = at + step
    whole = (at >= wing) & (at < values.shape[1] - wing)
    lead, at, sign = lead[whole], at[whole], sign[whole]
    top = sign * values[lead, at]
    is_top = (top >= sign * values[lead, at - 1]) & (top > sign * values[lead, at + 1])
    lead, at, sign, top = lead[is_top], at[is_top], sign[is_top], top[is_top]
    around = values[lead[:, None], at[:, None] + np.arange(-wing, wing + 1)] * sign[:, None]
    height = top - np.maximum(around[:, :wing].min(axis=1), around[:, wing + 1 :].min(axis=1))
    level = top - height / 2
    width_s = (_fall(around[:, wing:], level) + _fall(around[:, wing::-1], level)) / fs
    kept = width_s <= (SHARP_S if fs >= FAST_FS else BLUNT_S)
    foot = np.ceil(np.maximum(_LEAST_FOOT_S, _FOOT * width_s[kept]) * fs).astype(np.int64)
    kept[kept] = _span_before(values, lead[kept], at[kept] - foot, fs) < _QUIET_BEFORE_PEAK * height[kept]
    return _Found(
        lead[kept], at[kept], (sign * height)[kept], width_s[kept] <= SHARP_S, np.full(np.count_nonzero(kept), _PEAK)
    )


def _find_jumps(values: np.ndarray, fs: float, least_mv: float) -> _Found:
    """Find jumps out of a quiet baseline that go no further; ``values`` of shape (n_leads, n) in mV."""
    step = max(1, round(_JUMP_S * fs))
    jump = values[:, step:] - values[:, :-step]
    size = np.fmax(np.abs(jump), 0)
    lead, at = _places(size >= np.fmax(least_mv, _STANDS_OUT * _usual(size, fs))[:, None])
    # Next to each first, which few outlast, and then as far as it takes.
    for reach in (1, round(_JUMP_APART_S * fs)):
        around = np.clip(at[:, None] + np.arange(-reach, reach + 1), 0, size.shape[1] - 1)
        is_greatest = size[lead, at] == size[lead[:, None], around].max(axis=1)
        lead, at = lead[is_greatest], at[is_greatest]
    on = jump[lead, np.minimum(at + step, jump.shape[1] - 1)] * np.sign(jump[lead, at])
    kept = on < _GOES_ON * size[lead, at]
    kept &= _span_before(values, lead, at - 1, fs) < _QUIET_BEFORE_JUMP * size[lead, at]
    kept &= ~(_at_rail(values, lead, at) | _at_rail(values, lead, np.minimum(at + 2 * step, values.shape[1] - 1)))
    lead, at = lead[kept], at[kept]
    return _Found(lead, at + step, jump[lead, at], np.ones(len(at), bool), np.full(len(at), _JUMP))


def _places(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of what is True, as `numpy.nonzero` does but in a third of the time."""
    lead, at = np.divmod(np.flatnonzero(mask), mask.shape[1])
    return lead, at


def _at_rail(values: np.ndarray, lead: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return whether a saturated amplifier stands at its limit: it repeats the lead's greatest or least value."""
    here = values[lead, at]
    limit = (here == np.fmax.reduce(values, axis=1)[lead]) | (here == np.fmin.reduce(values, axis=1)[lead])
    return np.asarray(limit & (here == values[lead, np.maximum(at - 1, 0)]))


def _usual(size: np.ndarray, fs: float) -> np.ndarray:
    """Return what every second tenth of a second reaches, shape (n_leads,), of ``size`` (n_leads, n)."""
    block = max(1, round(_BLOCK_S * fs))
    n = max(1, size.shape[1] // block)
    return np.asarray(median(size[:, : n * block].reshape(len(size), n, -1).max(axis=2), 1))


def _fall(away: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return after how many samples, interpolated, each row has fallen from its first to its level; shape (n,)."""
    below = away <= level[:, None]
    at = np.where(below.any(axis=1), below.argmax(axis=1), away.shape[1] - 1)
    row = np.arange(len(away))
    above, under = away[row, at - 1], away[row, at]
    part = np.divide(above - level, above - under, out=np.ones(len(away)), where=above > under)
    return np.asarray(at - 1 + np.clip(part, 0, 1))


def _span_before(values: np.ndarray, lead: np.ndarray, foot: np.ndarray, fs: float) -> np.ndarray:
    """Return what a lead spans (mV) from `_QUIET_S` before to ``foot``, shape (n,); infinite where not recorded."""
    length = round(_QUIET_S * fs)
    before = values[lead[:, None], np.maximum(foot[:, None] + np.arange(-length, 0), 0)]
    span = before.max(axis=1, initial=-np.inf) - before.min(axis=1, initial=np.inf)
    return np.where(np.isnan(span) | (foot < length), np.inf, span)
