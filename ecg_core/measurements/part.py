"""The part of a long recording that its waves and measurements speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.beats import Beats
from ecg_core.recording import Recording

PART_S = 60.0
"""Longer recordings are marked and measured on a part of this length: six times what an electrocardiograph takes."""
SUREST = 0.25
"""The part is chosen among this share of the candidates, whose beats are the surest."""


@dataclass(frozen=True)
class Part:
    """A stretch of a recording, in seconds from its first sample."""

    start_s: float
    end_s: float
    reason: str | None = None
    """Why it is not the whole."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"start_s": self.start_s, "end_s": self.end_s, "reason": self.reason}


def choose_part(recording: Recording, beats: Beats) -> Part:
    """Return the whole of a recording of up to `PART_S`, else the minute that stands for it best.

    Of the minutes with the most recorded RR intervals of sure beats, that is the one whose median RR interval lies
    nearest to the whole recording's.
    """
    if recording.duration_s <= PART_S:
        return Part(0.0, recording.duration_s)
    n_minutes = int(recording.duration_s // PART_S)
    minute = (beats.times_s // PART_S).astype(np.int64)
    rr_s = np.diff(beats.times_s, prepend=np.nan)
    counts = (np.diff(beats.stretch, prepend=-1) == 0) & (minute < n_minutes)
    if not counts.any():
        return Part(0.0, PART_S, f"the first {PART_S:g} s: no two beats follow each other anywhere")
    sure = np.ones(len(beats)) if beats.confidence is None else beats.confidence
    surety = np.bincount(minute[counts], (rr_s * sure)[counts], n_minutes)
    typical = float(np.median(rr_s[counts]))
    candidates = np.flatnonzero((surety >= np.quantile(surety, 1 - SUREST)) & (surety > 0))
    away = [abs(float(np.median(rr_s[counts & (minute == candidate)])) - typical) for candidate in candidates]
    start_s = float(candidates[int(np.argmin(away))] * PART_S) if away else 0.0
    reason = f"the minute whose rate is nearest to the recording's, among the {SUREST:.0%} with the surest beats"
    return Part(start_s, start_s + PART_S, reason)
