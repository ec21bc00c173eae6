"""From a recording to strips of 10 s at 100 Hz, the form that ``heart12`` reads.

A recording of any rate is brought to 100 Hz behind an anti-aliasing filter. One longer than a strip is cut into strips
that overlap by half or more and lie evenly over it, at most `MOST` of them, so that a day takes no more memory than a
minute. In a shorter one the rest of the strip is empty.

The 100 Hz recordings of PTB-XL, which the network learned from, hold next to nothing beyond 47 Hz: their publisher's
filter begins at 40 Hz. What comes at another rate gets the same edge, or hum of the mains at 50 Hz, the half of
100 Hz, would reach a network that never saw any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from ecg_core.leads import INDEPENDENT_8, LIMB, derive_limb
from ecg_core.preprocess import resample_array
from ecg_core.preprocess.stretches import odd_extend, recorded_stretches, take
from ecg_core.recording import Recording
from ecg_core.statistics import median

FS = 100.0
STRIP_S = 10.0
N_SAMPLES = 1000
HOP_S = 5.0
"""Strips begin at most this long after each other, up to a duration of `MOST` strips."""
SLACK_S = 0.5
"""What a recording may have beyond a strip without a strip of its own: formats round lengths."""
MOST = 24
"""Strips read of a recording; of a longer one, as of a day, samples spread evenly over it."""
INPUTS = INDEPENDENT_8
"""Leads of a strip, in order."""
EDGE_HZ = (40.0, 49.5)
"""Where the filter begins and where nothing is left, with half a cosine between: of 60 records of PTB-XL at both rates
its gain differs from that of the 100 Hz files by 0.03 at most."""
_MARGIN_S = 0.5
"""Signal to either side of a strip, for the filters."""
_REACH = 24
"""Samples to either side that the filter of the edge looks at."""


def starts_s(duration_s: float) -> np.ndarray:
    """Return where the strips of a recording begin, seconds from its first sample, shape (n_strips,)."""
    spare = duration_s - STRIP_S
    if spare <= SLACK_S:
        return np.zeros(1)
    return np.linspace(0.0, spare, min(MOST, math.ceil(spare / HOP_S) + 1))


def available(leads: Sequence[str]) -> tuple[str, ...]:
    """Return which of `INPUTS` can be had from these leads: I and II also from any two limb leads."""
    limb = sum(name in LIMB for name in leads)
    return tuple(name for name in INPUTS if name in leads or (name in LIMB and limb >= 2))


def strips(
    recording: Recording, leads: Sequence[str], sources: Sequence[str], least_s: float
) -> Iterator[tuple[float, np.ndarray]]:
    """Yield each strip of a recording: where it begins in seconds, and the strip.

    Parameters
    ----------
    recording
        At any rate.
    leads
        Which of `INPUTS` are read; the others stay empty.
    sources
        Leads of the recording that they may be taken or computed from.
    least_s
        A strip of which less was recorded is passed over.

    Yields
    ------
    Millivolts, float32, shape (1000, 8), leads as in `INPUTS`: each lead less its median over what was recorded of the
    strip, 0 where nothing was recorded or the lead is not read.
    """
    fs = recording.fs
    margin = math.ceil(_MARGIN_S * fs)
    for start in starts_s(recording.duration_s).tolist():
        first = round(start * fs)
        begin = max(0, first - margin)
        rows = _rows(recording, leads, sources, begin, first + math.ceil(STRIP_S * fs) + margin)
        at = round((first - begin) / fs * FS)
        part = resample_array(rows, fs, FS)
        part = (_with_edge(part) if fs > FS else part)[:, at : at + N_SAMPLES]
        recorded = ~np.isnan(part)
        if recorded.any(axis=0).sum() < least_s * FS:
            continue
        strip = np.zeros((N_SAMPLES, len(INPUTS)), np.float32)
        for name, row, here in zip(leads, part, recorded, strict=True):
            if here.any():
                strip[: len(row), INPUTS.index(name)] = np.where(here, row - median(row[here]), 0)
        yield start, strip


def _rows(recording: Recording, leads: Sequence[str], sources: Sequence[str], begin: int, end: int) -> np.ndarray:
    """Return the samples [begin, end) of the leads to read, shape (n_leads, n), computed where not recorded."""
    computed = tuple(name for name in leads if name not in sources)
    given = {name: recording.lead(name)[begin:end] for name in leads if name in sources}
    if computed:
        limb = tuple(name for name in sources if name in LIMB)
        values = np.stack([recording.lead(name)[begin:end] for name in limb])
        given |= dict(zip(computed, derive_limb(values, limb, computed), strict=True))
    return np.stack([given[name] for name in leads])


def _with_edge(signal: np.ndarray) -> np.ndarray:
    """Return a signal at 100 Hz, shape (n_leads, n), with little left beyond `EDGE_HZ`; gaps stay as they are."""
    found = np.full_like(signal, np.nan)
    for rows, start, stop in recorded_stretches(signal):
        extended = odd_extend(take(signal, rows, start, stop), _REACH)
        for row, values in zip(rows, extended, strict=True):
            found[row, start:stop] = np.convolve(values, _taps(), "valid")
    return found


@lru_cache(1)
def _taps() -> np.ndarray:
    """Return the filter of the edge, symmetric, shape (2 * _REACH + 1,), from the gain that it should have."""
    hz = (np.arange(N_SAMPLES) + 0.5) * FS / 2 / N_SAMPLES
    begin, end = EDGE_HZ
    gain = np.cos(np.pi / 2 * np.clip((hz - begin) / (end - begin), 0, 1)) ** 2
    at = np.arange(-_REACH, _REACH + 1)
    taps = (gain * np.cos(2 * np.pi * at[:, None] * hz / FS)).mean(axis=1)
    return np.asarray(taps / taps.sum(), np.float32)
