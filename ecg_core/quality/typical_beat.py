"""The beat that the places of the electrodes are judged from: the median of all, as potentials of the electrodes.

Whatever permutes the potentials of the limb electrodes, or of the chest electrodes, permutes the rows of this beat and
does nothing else: beats are laid over each other by the energy of all potentials together, and the median is taken of
potentials.
"""

from __future__ import annotations

import numpy as np

from ecg_core.beats import Beats
from ecg_core.leads import CHEST, INDEPENDENT_8, LIMB, derive_limb
from ecg_core.quality.arrangements import ELECTRODES
from ecg_core.recording import Recording
from ecg_core.statistics import median

EDGES_S = np.concatenate((np.arange(-300, -80, 20), np.arange(-80, 100, 10), np.arange(100, 461, 40))) / 1000
"""Edges of the intervals that the beat is averaged over, in seconds from the middle of the energy of QRS: P and its
surroundings by 20 ms, QRS by 10 ms, ST and T by 40 ms."""
WIDTHS_S = np.diff(EDGES_S)
N_TIMES = len(WIDTHS_S)
LEAST_FS = 100.0
LEAST_BEATS = 3
MOST_BEATS = 60
"""Longer recordings are judged from so many beats, evenly spread."""
STILL_MV = 0.01
"""A lead that stays within this throughout was not recorded."""

_LOOK_S = 0.08
"""How far from the detected beat the energy of QRS is looked for."""
_ENERGY_S = 0.06


def potentials_of(recording: Recording) -> np.ndarray:
    """Return the potentials of the electrodes (mV, float64, shape (9, n_samples)) against Wilson's terminal."""
    rows = {name: recording.lead(name) for name in INDEPENDENT_8 if name in recording.leads}
    lacking = tuple(name for name in ("I", "II") if name not in rows)
    if lacking:
        rows.update(zip(lacking, derive_limb(recording.signal, recording.leads, lacking), strict=True))
    i, ii, *chest = (rows[name].astype(np.float64) for name in INDEPENDENT_8)
    ra = -(i + ii) / 3
    return np.stack((ra, ra + i, ra + ii, *chest))


def typical_beat(recording: Recording, beats: Beats) -> np.ndarray | str:
    """Return the median beat, or why there is none.

    Returns
    -------
    Potentials in mV, float64, shape (9, `N_TIMES`), in the order of `ELECTRODES`, each with a mean of zero.
    """
    if reason := _declines(recording):
        return reason
    centre_s = beats.times_s
    if len(centre_s) > MOST_BEATS:
        centre_s = centre_s[np.linspace(0, len(centre_s) - 1, MOST_BEATS).astype(np.int64)]
    potentials = potentials_of(recording)
    cut = _cut(potentials, recording.fs, centre_s)
    if len(cut) < LEAST_BEATS:
        return f"{len(cut)} whole beats in which all leads were recorded; {LEAST_BEATS} are needed"
    still = [name for name, span in zip(ELECTRODES, np.ptp(cut, axis=(0, 2)), strict=True) if span < STILL_MV]
    if still:
        return f"{', '.join(still)} without a signal"
    beat = median(cut)
    return np.asarray(beat - (beat * WIDTHS_S).sum(axis=1, keepdims=True) / WIDTHS_S.sum())


def limb_leads(beat: np.ndarray) -> np.ndarray:
    """Return I, II and III, shape (3, n), of potentials of shape (9, n)."""
    ra, la, ll = beat[:3]
    return np.stack((la - ra, ll - ra, ll - la))


def _declines(recording: Recording) -> str | None:
    if lacking := [name for name in CHEST if name not in recording.leads]:
        return f"{', '.join(lacking)} not recorded; the places are judged from the limb and chest leads together"
    if len(set(LIMB) & set(recording.leads)) < 2:
        return "two limb leads are needed, from which the others follow"
    if recording.fs < LEAST_FS:
        return f"{recording.fs:g} Hz is too slow; {LEAST_FS:g} Hz are needed"
    return None


def _cut(potentials: np.ndarray, fs: float, centre_s: np.ndarray) -> np.ndarray:
    """Return the beats that are whole, shape (n_beats, 9, `N_TIMES`): means over the intervals between `EDGES_S`."""
    from scipy.ndimage import uniform_filter1d

    before, after = np.ceil((np.array((-EDGES_S[0], EDGES_S[-1])) + _LOOK_S) * fs).astype(np.int64) + 1
    middle = np.rint(centre_s * fs).astype(np.int64)
    middle = middle[(middle >= before) & (middle + after < potentials.shape[1])]
    around = potentials[:, middle[:, None] + np.arange(-before, after + 1)].transpose(1, 0, 2)
    around = around[~np.isnan(around).any(axis=(1, 2))]
    look = round(_LOOK_S * fs)
    near = around[:, :, before - look - 1 : before + look + 1]
    width = 2 * round(_ENERGY_S / 2 * fs) + 1
    energy = uniform_filter1d((np.diff(near, axis=2) ** 2).sum(axis=1), width, axis=1)
    at = np.arange(-look, look + 1)
    centre = before + (energy * at).sum(axis=1) / np.maximum(energy.sum(axis=1), np.finfo(float).tiny)
    position = centre[:, None] + EDGES_S * fs
    first = np.floor(position).astype(np.int64)[:, None]
    part = position[:, None] - first
    running = np.concatenate((np.zeros((*around.shape[:2], 1)), around.cumsum(axis=2)), axis=2)
    integral = np.take_along_axis(running, first, 2) * (1 - part) + np.take_along_axis(running, first + 1, 2) * part
    return np.asarray(np.diff(integral, axis=2) / (WIDTHS_S * fs))
