"""What of a recording the beats are classed by: which leads, and which beats follow a pacing spike."""

from __future__ import annotations

import numpy as np

from ecg_core.beat_classes.features import MOST_LEADS
from ecg_core.beats import Beats
from ecg_core.pacing import Pacing
from ecg_core.recording import Recording
from ecg_core.statistics import known_median

FIRST_LEADS = ("II", "I", "V5", "V6", "V4", "aVF", "V2", "V1")
"""Leads by which beats are told apart first, the best one first; then any other."""
SECOND_LEADS = ("V1", "V2", "V5", "V4", "V3", "V6", "III", "I", "aVF")
"""And those that say what the first one does not."""

_MOST_UNSEEN = 0.1
"""A lead that was not recorded around more of the beats than this is passed over while another will do."""
_LEAST_MV = 0.01
"""A lead that does not move this much around most beats is flat."""
_SPIKE_S = (-0.05, 0.20)
"""How long before the R peak lies the spike that drives the ventricles."""


def choose_leads(recording: Recording, beats: Beats) -> tuple[str, ...]:
    """Return one lead or two to tell beats apart by: of those that show the beats, the best placed."""
    seen = dict(zip(recording.leads, _seen(recording, beats.times_s), strict=True))
    usable = [name for name in recording.leads if seen[name] >= 1 - _MOST_UNSEEN]
    if not usable:
        best = max(seen, key=lambda name: seen[name])
        return (best,) if seen[best] else ()
    first = min(usable, key=lambda name: _place(name, FIRST_LEADS))
    others = [name for name in usable if name != first]
    return (first, *sorted(others, key=lambda name: _place(name, SECOND_LEADS))[: MOST_LEADS - 1])


def spikes_before(times_s: np.ndarray, pacing: Pacing) -> np.ndarray:
    """Return 1 for beats that follow a spike in the ventricles, 0 for others, NaN for all where it cannot be judged."""
    if pacing.paced is None:
        return np.full(len(times_s), np.nan)
    driving = pacing.times_s[np.array([chamber == "ventricular" for chamber in pacing.chambers], bool)]
    early, late = (np.searchsorted(driving, times_s - lead_s) for lead_s in reversed(_SPIKE_S))
    return (late > early).astype(np.float64)


def _seen(recording: Recording, times_s: np.ndarray) -> list[float]:
    """Return around which share of the beats each lead was recorded; 0 for one that is flat there."""
    around = np.rint(np.linspace(-0.1, 0.1, 21) * recording.fs).astype(np.int64)
    sample = np.rint(times_s * recording.fs).astype(np.int64)[:, None] + around
    near = recording.signal[:, np.clip(sample, 0, recording.n_samples - 1)]
    spans = near.max(axis=2) - near.min(axis=2)
    known = ~np.isnan(spans)
    moves = known_median(spans) >= _LEAST_MV
    shares: list[float] = np.where(moves, known.mean(axis=1), 0.0).tolist()
    return shares


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)
