"""Waves from the truth of a synthetic ECG."""

from __future__ import annotations

import numpy as np

from ecg_core.synthesis import Truth, WaveTimes
from ecg_core.waves import BeatWaves, Wave, Waves

SCATTER_MS = {"p": (9, 10, 5), "qrs": (6, 7, 4), "t": (15, 18, 10)}
"""SD of onset, end and peak about those that published networks reach per lead."""


def waves_of(truth: Truth, scatter_seed: int | None = None) -> Waves:
    """Return the waves that were recorded whole, exact or with marks that scatter."""
    rng = None if scatter_seed is None else np.random.default_rng(scatter_seed)

    def wave(times: WaveTimes, i: int, name: str) -> Wave | None:
        marks = np.array([times.onset_s[i], times.peak_s[i], times.end_s[i]])
        if np.isnan(marks).any():
            return None
        if rng is not None:
            onset, end, peak = SCATTER_MS[name]
            marks = np.sort(marks + rng.normal(0, np.array([onset, peak, end]) / 1000))
        return Wave(*marks.tolist())

    names = ("p", "qrs", "t")
    rows = range(len(truth.symbol))
    return Waves(tuple(BeatWaves(*(wave(getattr(truth, name), i, name) for name in names)) for i in rows))
