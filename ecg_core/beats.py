"""Heartbeats: where they are, and how fast the heart beats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.leads import canonical_lead
from ecg_core.recording import Recording
from ecg_core.registry import Registry

PREFERRED_LEAD = "II"
MIN_FS = 25.0
"""Samples per second under which no beats are looked for: too little of the QRS complex's band (from 5 Hz) is left."""
MIN_STRETCH_S = 0.5
"""Recorded stretches shorter than this are passed over."""

_DETECTOR_FS = 100.0
"""Slower recordings are brought to at least this rate first, the least that sleepecg recommends."""

Detector = Callable[[np.ndarray, float], np.ndarray]
"""(one recorded stretch in mV, float64, shape (n,); samples per second) -> increasing sample indices of the beats."""

DETECTORS: Registry[Detector] = Registry("beat detector")


@dataclass(frozen=True)
class HeartRate:
    """Beats per minute, or the reason why there is no figure."""

    bpm: float | None
    """60 over the median RR interval."""
    low: float | None
    """60 over the longest RR interval."""
    high: float | None
    """60 over the shortest RR interval."""
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"bpm": self.bpm, "low": self.low, "high": self.high, "reason": self.reason}


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats found in a recording."""

    times_s: np.ndarray
    """Seconds from the first sample, float64, increasing, shape (n_beats,); read-only."""
    rr_s: np.ndarray
    """Seconds from a beat to the next, float64, shape (n_rr,); none across what was not recorded; read-only."""
    method: str
    leads: tuple[str, ...]
    """Leads that were searched; empty where none could be."""
    reason: str | None = None
    """Why there are no beats, where there are none."""

    def __post_init__(self) -> None:
        for name in ("times_s", "rr_s"):
            values = np.array(getattr(self, name), np.float64)
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def heart_rate(self) -> HeartRate:
        """The rate over all intervals."""
        return heart_rate(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "method": self.method,
            "leads": list(self.leads),
            "times_s": self.times_s.tolist(),
            "reason": self.reason,
            "heart_rate": self.heart_rate.to_dict(),
        }


def detect_beats(recording: Recording, lead: str | None = None, method: str = "fast") -> Beats:
    """Find the heartbeats of a recording in one of its leads.

    Parameters
    ----------
    recording
        Of any length, at any rate from `MIN_FS`. Stretches between gaps (NaN) are searched one by one.
    lead
        The lead to search. Without it, II if it holds a signal, else the first lead that does.
    method
        Name of a detector in `DETECTORS`.

    Returns
    -------
    The beats; none, and the reason, where there is nothing to search or nothing to find.

    Raises
    ------
    InvalidValue
        The recording has no such lead.
    UnknownName
        There is no such detector.
    """
    detect = DETECTORS[method]
    if recording.fs < MIN_FS:
        return _none(method, f"{recording.fs:g} Hz is too slow to see beats in; {MIN_FS:g} Hz are needed")
    if lead is None:
        names = tuple(sorted(recording.leads, key=lambda name: name != PREFERRED_LEAD))
    else:
        recording.lead(lead)
        names = (canonical_lead(lead) or lead,)
    for name in names:
        found = [
            (start + detect(stretch, recording.fs)) / recording.fs
            for start, stretch in _stretches(recording.lead(name), recording.fs)
        ]
        if found:
            times_s = np.concatenate(found)
            reason = None if len(times_s) else f"no beat stands out in lead {name}"
            return Beats(times_s, np.concatenate([np.diff(times) for times in found]), method, (name,), reason)
    which = f"lead {names[0]} is" if len(names) == 1 else "all leads are"
    return _none(method, f"{which} flat, missing or recorded for less than {MIN_STRETCH_S:g} s at a time")


def heart_rate(beats: Beats) -> HeartRate:
    """Return the rate from the median RR interval, with the range that the single intervals span."""
    if not len(beats.rr_s):
        if len(beats) > 1:
            reason = f"no two of the {len(beats)} beats found follow each other within one recorded stretch"
        else:
            reason = beats.reason or "only one beat was found; a rate needs two"
        return HeartRate(None, None, None, reason)
    median, longest, shortest = np.median(beats.rr_s), beats.rr_s.max(), beats.rr_s.min()
    return HeartRate(float(60 / median), float(60 / longest), float(60 / shortest))


def _none(method: str, reason: str) -> Beats:
    return Beats(np.empty(0), np.empty(0), method, (), reason)


def _stretches(values: np.ndarray, fs: float) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the (first sample, float64 values) of each recorded stretch long enough, and not flat, to hold a beat."""
    recorded = np.concatenate(([False], ~np.isnan(values), [False]))
    for start, stop in np.flatnonzero(np.diff(recorded)).reshape(-1, 2).tolist():
        stretch = values[start:stop]
        if len(stretch) >= MIN_STRETCH_S * fs and np.ptp(stretch) > 0:
            yield start, stretch.astype(np.float64)


def _detect_fast(stretch: np.ndarray, fs: float) -> np.ndarray:
    """Run sleepecg's modified Pan-Tompkins detector (doi:10.1109/TBME.1985.325532).

    Its C backend (0.6.0) reads past the end of stretches under 2 s and writes past its table of intervals where beats
    follow each other at its refractory time throughout, as in noise. The Python backend is the same algorithm, stays
    within its arrays, and takes about three times as long.
    """
    from sleepecg.heartbeats import detect_heartbeats

    times = max(1, math.ceil(_DETECTOR_FS / fs))
    if times > 1:
        from ecg_core.preprocess import resample_array

        stretch = resample_array(stretch[None, :], fs, times * fs)[0]
    try:
        return np.asarray(detect_heartbeats(stretch, times * fs, backend="python")) / times
    except IndexError:
        # A "beat" at the end of every refractory period (300 a minute): noise.
        return np.empty(0)


DETECTORS.register("fast", _detect_fast)
