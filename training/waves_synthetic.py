"""Synthetic ECGs of exact truth for the network ``waves``: rhythms without P, wide QRS, long QT, any axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecg_core.delineation.inputs import FS
from ecg_core.errors import InvalidValue
from ecg_core.leads import STANDARD_12
from ecg_core.synthesis import SHAPES, Truth, synthesize
from training.waves_targets import ALL, CLASS, KINDS, Hole, Strip

_RHYTHMS = {
    "sinus": 8,
    "bradycardia": 2,
    "tachycardia": 2,
    "af": 4,
    "flutter": 2,
    "pac": 1,
    "pvc": 2,
    "bigeminy": 1,
    "first_degree_block": 2,
    "block_2_to_1": 2,
    "paced": 2,
}
"""How often each is drawn."""
_UNSURE_S = 0.08
"""Where a wave begins and ends in one lead is not known closer than this from where the heart's does."""
_EDGE_S = 0.25
"""A wave that the edge cuts reaches at most this far beyond what of it is known."""


class SyntheticExample:
    """A synthetic ECG: the waves of the heart are known exactly, those of a lead roughly."""

    def __init__(self, signal: np.ndarray, truth: Truth) -> None:
        """Take the signal at 250 Hz and the truth."""
        self.signal = signal
        times = {kind: [getattr(truth, kind), truth.lone[kind]] for kind in KINDS}
        marks = {
            kind: np.concatenate([np.stack([part.onset_s, part.peak_s, part.end_s], axis=1) for part in parts])
            for kind, parts in times.items()
        }
        own_peaks = {kind: np.concatenate([part.lead_peak_s for part in parts]) for kind, parts in times.items()}
        known = np.array([[0.0, signal.shape[1] / FS]])
        whole = {kind: rows[~np.isnan(rows).any(axis=1)] for kind, rows in marks.items()}
        cut: list[Hole] = []
        for rows in marks.values():
            for row in rows[np.isnan(rows).any(axis=1) & ~np.isnan(rows).all(axis=1)]:
                cut.append((np.nanmin(row) - _EDGE_S, np.nanmax(row) + _EDGE_S, ALL))
        self._whole = Strip(whole, known, tuple(cut))
        unsure: list[Hole] = []
        for number, kind in enumerate(KINDS):
            for row in whole[kind].tolist():
                for place in (0, 2):
                    unsure.append((row[place] - _UNSURE_S, row[place] + _UNSURE_S, (3 * number + place,)))
                    unsure.append((row[place] - _UNSURE_S / 2, row[place] + _UNSURE_S / 2, (CLASS,)))
        self._rough = self._whole.without(*unsure)
        self._own_peaks = {kind: own_peaks[kind][~np.isnan(marks[kind]).any(axis=1)] for kind in KINDS}

    def lead(self, row: int) -> Strip:
        """Return the truth of one lead: its own peaks, and no boundaries."""
        waves = {}
        for kind, marks in self._whole.waves.items():
            waves[kind] = np.stack([marks[:, 0], self._own_peaks[kind][:, row], marks[:, 2]], axis=1)
        return Strip(waves, self._rough.known, self._rough.holes)

    def whole(self, rows: Sequence[int]) -> Strip:
        """Return the truth of the heart, if there are leads enough to see it."""
        return self._whole if len(rows) > 2 else self._rough


def make_examples(n: int, seed: int) -> list[SyntheticExample]:
    """Return ``n`` ECGs of 10.4 s, the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    rhythms, counts = list(_RHYTHMS), np.array(list(_RHYTHMS.values()), np.float64)
    made: list[SyntheticExample] = []
    while len(made) < n:
        rhythm, shape = str(rng.choice(rhythms, p=counts / counts.sum())), str(rng.choice(list(SHAPES)))
        options = _options(rng, rhythm)
        try:
            found = synthesize(rhythm, shape, fs=FS, duration_s=10.4, seed=int(rng.integers(1 << 40)), **options)
        except InvalidValue:
            continue  # drawn intervals that do not fit together
        made.append(SyntheticExample(np.asarray(found.recording.select(STANDARD_12).signal), found.truth))
    return made


def _options(rng: np.random.Generator, rhythm: str) -> dict[str, Any]:
    options: dict[str, Any] = {"gain": float(np.exp(rng.normal(0, 0.4))), "variability": float(rng.uniform(0, 2))}
    ranges = {
        "pr_ms": (100, 320),
        "p_ms": (70, 140),
        "qrs_ms": (66, 190),
        "qtc_ms": (340, 600),
        "p_axis_deg": (-90, 120),
        "qrs_axis_deg": (-180, 180),
        "t_axis_deg": (-180, 180),
    }
    for name, (low, high) in ranges.items():
        if rng.random() < 0.5:
            options[name] = float(rng.uniform(low, high))
    rates = {"bradycardia": (32, 55), "tachycardia": (100, 170), "af": (45, 160), "flutter": (60, 150)}
    if rng.random() < 0.7:
        options["rate_bpm"] = float(rng.uniform(*rates.get(rhythm, (48, 110))))
    if rhythm in ("af", "flutter"):
        options["f_wave_mv"] = float(rng.uniform(0.0, 0.2))
    return options
