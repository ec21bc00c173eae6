"""Heartbeats: where they are, how fast the heart beats and how its intervals vary."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.leads import LIMB, canonical_lead
from ecg_core.recording import Recording
from ecg_core.registry import Registry

if TYPE_CHECKING:
    from ecg_core.hrv import Hrv

PREFERRED_LEAD = "II"
MIN_FS = 40.0
"""Samples per second under which no beats are looked for: too little of the QRS complex's band (to 25 Hz) is left."""
MIN_STRETCH_S = 0.5
"""Recorded stretches shorter than this are passed over."""
CPSC2019_WINDOW_S = (5.5, 9.5)
"""The beats from which the challenge CPSC2019 takes the heart rate, by their mean interval."""

MOST_FUSED = 8
"""Leads that are searched together at most: as many as twelve leads have that do not follow from each other."""


@dataclass(frozen=True)
class Detector:
    """A way to find beats."""

    find: Callable[[np.ndarray, float], tuple[np.ndarray, np.ndarray | None]]
    """(leads in mV, float32, NaN where not recorded, shape (n_leads, n_samples); samples per second) -> increasing
    sample numbers and, where it tells, the probability that each is a beat; both of shape (n_beats,)."""
    fuses: bool
    """Whether it makes one answer of several leads; else it is given one."""


DETECTORS: Registry[Detector] = Registry("beat detector")


@dataclass(frozen=True)
class HeartRate:
    """Beats per minute, or the reason why there is no figure."""

    bpm: float | None
    """60 over the median RR interval."""
    mean_bpm: float | None
    """60 over the mean RR interval."""
    low: float | None
    """60 over the longest RR interval."""
    high: float | None
    """60 over the shortest RR interval."""
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "bpm": self.bpm,
            "mean_bpm": self.mean_bpm,
            "low": self.low,
            "high": self.high,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class RrSummary:
    """The intervals from a beat to the next in milliseconds, or the reason why there are none."""

    n: int
    median_ms: float | None = None
    mean_ms: float | None = None
    min_ms: float | None = None
    max_ms: float | None = None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "n": self.n,
            "median_ms": self.median_ms,
            "mean_ms": self.mean_ms,
            "min_ms": self.min_ms,
            "max_ms": self.max_ms,
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats found in a recording."""

    times_s: np.ndarray
    """Seconds from the first sample, float64, increasing, shape (n_beats,); read-only."""
    stretch: np.ndarray
    """Number of the recorded stretch (between gaps) that each beat lies in, int64, shape (n_beats,); read-only."""
    method: str
    leads: tuple[str, ...]
    """Leads that were searched; empty where none could be."""
    reason: str | None = None
    """Why there are no beats, where there are none."""
    confidence: np.ndarray | None = None
    """Probability that each is a beat, float64, shape (n_beats,), read-only; None where the method gives none."""

    def __post_init__(self) -> None:
        for name, kind in (("times_s", np.float64), ("stretch", np.int64), ("confidence", np.float64)):
            if getattr(self, name) is not None:
                values = np.array(getattr(self, name), kind)
                values.setflags(write=False)
                object.__setattr__(self, name, values)

    def __len__(self) -> int:
        return len(self.times_s)

    @property
    def rr_s(self) -> np.ndarray:
        """Seconds from a beat to the next, float64, shape (n_rr,); none across what was not recorded."""
        intervals: np.ndarray = np.diff(self.times_s)[np.diff(self.stretch) == 0]
        return intervals

    @property
    def heart_rate(self) -> HeartRate:
        """The rate over all intervals."""
        return heart_rate(self)

    @property
    def rr(self) -> RrSummary:
        """The intervals in figures."""
        rr_ms = 1000 * self.rr_s
        if not len(rr_ms):
            return RrSummary(0, reason=self.heart_rate.reason)
        median, mean = float(np.median(rr_ms)), float(rr_ms.mean())
        return RrSummary(len(rr_ms), median, mean, float(rr_ms.min()), float(rr_ms.max()))

    @cached_property
    def hrv(self) -> Hrv:
        """How the intervals vary."""
        from ecg_core.hrv import measure_hrv

        return measure_hrv(self.times_s, self.stretch)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "method": self.method,
            "leads": list(self.leads),
            "times_s": self.times_s.tolist(),
            "confidence": None if self.confidence is None else self.confidence.tolist(),
            "reason": self.reason,
            "heart_rate": self.heart_rate.to_dict(),
            "rr": self.rr.to_dict(),
            "hrv": self.hrv.to_dict(),
        }


def detect_beats(recording: Recording, lead: str | None = None, method: str = "robust") -> Beats:
    """Find the heartbeats of a recording.

    Parameters
    ----------
    recording
        Of any length, at any rate from `MIN_FS`.
    lead
        The lead to search. Without it, ``robust`` searches all leads that hold a signal and do not follow from others,
        as one, and ``fast`` searches II if it holds a signal, else the first lead that does.
    method
        Name of a detector in `DETECTORS`: ``robust``, the network, or ``fast``, the classical one.

    Returns
    -------
    The beats, at their peaks in II or the first lead searched; none, and the reason, where there is nothing to search
    or nothing to find.

    Raises
    ------
    InvalidValue
        The recording has no such lead.
    UnknownName
        There is no such detector.
    """
    return detect_beats_by(DETECTORS[method], method, recording, lead)


def detect_beats_by(detector: Detector, method: str, recording: Recording, lead: str | None = None) -> Beats:
    """Do as `detect_beats` with a detector that need not be registered; ``method`` is what it is called."""
    if recording.fs < MIN_FS:
        return no_beats(method, f"{recording.fs:g} Hz is too slow to see beats in; {MIN_FS:g} Hz are needed")
    if lead is None:
        names = tuple(sorted(recording.leads, key=lambda name: name != PREFERRED_LEAD))
    else:
        recording.lead(lead)
        names = (canonical_lead(lead) or lead,)
    live = _living(recording, names)
    if not live:
        which = f"lead {names[0]} is" if len(names) == 1 else "all leads are"
        return no_beats(method, f"{which} flat, missing or recorded for less than {MIN_STRETCH_S:g} s at a time")
    searched = _independent(live, recording.derived) if detector.fuses else (live[0],)
    signal = np.stack([recording.lead(name) for name in searched])
    starts, stops = _stretches(signal, recording.fs)
    sample, confidence = detector.find(signal, recording.fs)
    stretch = np.searchsorted(starts, sample, side="right") - 1
    inside = (stretch >= 0) & (sample < stops[stretch])
    which = f"lead {searched[0]}" if len(searched) == 1 else f"leads {', '.join(searched)}"
    return Beats(
        sample[inside] / recording.fs,
        stretch[inside],
        method,
        searched,
        None if inside.any() else f"no beat stands out in {which}",
        None if confidence is None else confidence[inside],
    )


def heart_rate(beats: Beats, window_s: tuple[float, float] | None = None) -> HeartRate:
    """Return the rate with the range that the single intervals span.

    Parameters
    ----------
    beats
        The beats of a recording.
    window_s
        Start and end in seconds: only intervals between beats inside, ends not included, count. The rate of
        CPSC2019 is ``heart_rate(beats, CPSC2019_WINDOW_S).mean_bpm``.
    """
    counted = beats
    if window_s is not None:
        inside = (beats.times_s > window_s[0]) & (beats.times_s < window_s[1])
        counted = replace(beats, times_s=beats.times_s[inside], stretch=beats.stretch[inside], confidence=None)
    rr_s = counted.rr_s
    if not len(rr_s):
        where = "" if window_s is None else f" between {window_s[0]:g} and {window_s[1]:g} s"
        if len(counted) > 1:
            reason = f"no two of the {len(counted)} beats found{where} follow each other within one recorded stretch"
        elif len(counted):
            reason = f"only one beat was found{where}; a rate needs two"
        else:
            reason = beats.reason or f"no beat was found{where}"
        return HeartRate(None, None, None, None, reason)
    median, mean, longest, shortest = np.median(rr_s), rr_s.mean(), rr_s.max(), rr_s.min()
    return HeartRate(float(60 / median), float(60 / mean), float(60 / longest), float(60 / shortest))


def no_beats(method: str, reason: str) -> Beats:
    """Return that there are no beats, and why."""
    return Beats(np.empty(0), np.empty(0), method, (), reason)


def _independent(names: Sequence[str], derived: Sequence[str]) -> tuple[str, ...]:
    """Return the leads that do not follow from others: two of the limb leads at most."""
    recorded = [name for name in names if name not in derived] or list(names)
    limb = [name for name in recorded if name in LIMB][:2]
    return tuple(name for name in recorded if name in limb or name not in LIMB)[:MOST_FUSED]


def _stretches(signal: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the first samples, and those after the last, of the stretches of any lead that can hold a beat."""
    missing = np.isnan(signal).all(axis=0)
    if not missing.any():
        edges = np.array([[0, signal.shape[1]]])
    else:
        edges = np.flatnonzero(np.diff(missing, prepend=True, append=True)).reshape(-1, 2)
    edges = edges[np.diff(edges, axis=1)[:, 0] >= MIN_STRETCH_S * fs]
    alive = [any(_varies(row[start:stop]) for row in signal) for start, stop in edges]
    return edges[alive, 0], edges[alive, 1]


def _living(recording: Recording, names: Sequence[str]) -> list[str]:
    """Return those of the leads that have a stretch that can hold a beat."""
    rows = recording.signal[[recording.leads.index(name) for name in names]]
    found = []
    for name, values, low, high in zip(names, rows, rows.min(axis=1).tolist(), rows.max(axis=1).tolist(), strict=True):
        if math.isnan(high):
            lives = len(_stretches(values[None], recording.fs)[0]) > 0
        else:
            lives = high > low and len(values) >= MIN_STRETCH_S * recording.fs
        if lives:
            found.append(name)
    return found


def _varies(values: np.ndarray) -> bool:
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    return bool(high > low)


def _detect_fast(signal: np.ndarray, fs: float) -> tuple[np.ndarray, None]:
    from ecg_core.qrs import find_qrs

    return find_qrs(signal[0], fs), None


def _detect_robust(signal: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    from ecg_core.robust import robust_detector

    return robust_detector().find(signal, fs)


DETECTORS.register("fast", Detector(_detect_fast, fuses=False))
DETECTORS.register("robust", Detector(_detect_robust, fuses=True))
