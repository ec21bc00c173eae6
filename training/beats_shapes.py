"""Strips made unlike the beats that were agreed on, whose marks stay true.

Leads agree on ordinary beats. What they agree on less is what a detector fails at: beats of low voltage beside high T
waves, single beats much smaller or wider than their neighbours, and artefacts that look like beats.
"""

from __future__ import annotations

import numpy as np

from ecg_core.robust.inputs import FS
from training.noise import signal_size

_TILT = 0.35
_BLUR = 0.1
_SMALLER = 0.25
_WIDER = 0.25
_BUMPS = 0.18
_PULSES = 0.07


def reshape(strip: np.ndarray, beats: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Return a strip with other proportions, single beats changed, and bumps and pulses that are no beats.

    Parameters
    ----------
    strip
        One lead in mV at `FS`, float32, shape (n,), without NaN.
    beats
        Samples of its beats.
    share
        How often each change is made, relative to the usual.
    """
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    size = signal_size(strip, FS)
    result = strip - np.median(strip)
    here = beats[(beats >= 0) & (beats < len(strip))]
    if rng.random() < share * _TILT:
        slow = uniform_filter1d(result, 2 * int(rng.uniform(0.04, 0.1) * FS) + 1)
        result = result - slow + slow * _between(rng, 0.4, 6.0)
    if len(here) and rng.random() < share * _WIDER:
        wide = gaussian_filter1d(result, rng.uniform(0.02, 0.05) * FS)
        gain = _between(rng, 0.5, 6.0) * rng.choice((-1.0, 1.0))
        mask = _around(len(strip), _some(here, rng), 0.22)
        result = result * (1 - mask) + gain * wide * mask
    if len(here) and rng.random() < share * _SMALLER:
        mask = _around(len(strip), _some(here, rng), rng.uniform(0.08, 0.3))
        result = result * (1 + mask * (_between(rng, 0.12, 2.5) * rng.choice((-1.0, 1.0), p=(0.2, 0.8)) - 1))
    if rng.random() < share * _BLUR:
        result = gaussian_filter1d(result, rng.uniform(0.01, 0.035) * FS)
    if rng.random() < share * _BUMPS:
        time = np.arange(int(1.5 * FS)) / FS
        for at in rng.integers(0, len(strip), rng.integers(1, 9)):
            rise, fall = rng.uniform(0.01, 0.06), rng.uniform(0.03, 0.3)
            bump = (1 - np.exp(-time / rise)) * np.exp(-time / fall)
            bump *= size * _between(rng, 0.5, 6.0) * rng.choice((-1.0, 1.0)) / bump.max()
            part = result[at : at + len(bump)]
            part += (bump if rng.random() < 0.7 else np.roll(bump[::-1], -len(bump) // 2))[: len(part)]
    if rng.random() < share * _PULSES:
        for at in rng.integers(0, len(strip), rng.integers(4, 40)):
            result[at : at + rng.integers(1, 4)] += size * _between(rng, 1.0, 60.0) * rng.choice((-1.0, 1.0))
    return result.astype(np.float32)


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Return a factor between two, even on a logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _some(beats: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return some of the beats: one, every second, or any."""
    way = rng.integers(3)
    if way == 0:
        return beats[[rng.integers(len(beats))]]
    if way == 1:
        return beats[rng.integers(2) :: 2]
    return beats[rng.random(len(beats)) < rng.uniform(0.1, 0.9)]


def _around(n: int, beats: np.ndarray, half_s: float) -> np.ndarray:
    """Return 1 around the beats and 0 elsewhere, with soft edges, shape (n,)."""
    from scipy.ndimage import uniform_filter1d

    mask = np.zeros(n, np.float32)
    for beat in beats:
        mask[max(0, int(beat - half_s * FS)) : int(beat + half_s * FS) + 1] = 1.0
    return np.asarray(uniform_filter1d(mask, int(0.1 * FS)))
