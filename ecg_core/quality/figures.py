"""What each lead measures up to: the figures that the verdicts and the model of "unacceptable" are made of.

A recording is taken in windows of about `WINDOW_S`, so that memory stays bounded; the figure of a lead is the mean over
the windows where it is a share of time, and the median elsewhere. A lead is measured where it was recorded: gaps (NaN)
are bridged by straight lines and count in no share but `missing`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from ecg_core.recording import Recording
from ecg_core.statistics import median, middle_of, share_of

WINDOW_S = 10.0
FLAT_MV = 0.01
"""A lead that stays within this for two seconds is flat: two steps of a common converter, and no beat is that small."""
MUSCLE_BAND_HZ = (30.0, 45.0)
"""Above most of the QRS complex, and within what a recording of 100 samples per second still holds."""
MAINS_HZ = (50.0, 60.0)
BEAT_BAND_HZ = (8.0, 25.0)
MIN_FS = 100.0
"""Samples per second from which tremor and beats can be measured."""

_HUM_HZ = 0.5
"""Half width of the line that hum is; its surroundings are taken from twice to six times as far."""
_ENVELOPE_S = 0.04
_TREMOR_S = 0.05
_ROUNDING = 1.01
"""Two steps of 5 uV are a little more than 0.01 in float32."""
_SILENT_MV = 1e-6
"""An envelope that varies less, over all its samples, holds rounding errors alone."""
_ALIGN_S = 0.5
"""Leads whose recorded stretches begin and end in the same half seconds are taken together."""
_BRIDGE = 0.5
"""A second counts in the figures of time where at least this part of it was recorded."""


@dataclass(frozen=True, eq=False)
class LeadFigures:
    """Figures of every lead, each float64 of shape (n_leads,); NaN where rate or recording do not allow it."""

    missing: np.ndarray
    """Share of the samples that were not recorded."""
    flat: np.ndarray
    """Share of the recorded time within stretches of two seconds that span no more than `FLAT_MV`."""
    clipped: np.ndarray
    """Share of the recorded samples that repeat the lead's greatest or least value."""
    span_mv: np.ndarray
    """Between the 0.5th and the 99.5th percentile."""
    baseline_mv: np.ndarray
    """Span of the means of each second."""
    mains_mv: np.ndarray
    """Amplitude of hum at 50 or 60 Hz, whichever is louder, above what stands beside it in the spectrum; NaN where
    the rate cannot hold it."""
    muscle_mv: np.ndarray
    """Root mean square in `MUSCLE_BAND_HZ` of the median twentieth of a second, that is, between the beats."""
    beat_mv: np.ndarray
    """95th percentile of the envelope in `BEAT_BAND_HZ`, where the QRS complex lies."""
    beat_share: np.ndarray
    """Share of the power at 1 to 40 Hz that lies at 5 to 15 Hz; 0 without power."""
    agreement: np.ndarray
    """Median correlation of that envelope with those of the other leads: beats are simultaneous, noise is not. 0 for a
    lead without signal; NaN where no other lead was recorded at the same time."""
    weakest_pair: np.ndarray
    """Least of those correlations."""


_MEASURED = tuple(item.name for item in fields(LeadFigures) if item.name != "missing")
_SHARES = {"flat", "clipped"}


def measure_leads(recording: Recording) -> LeadFigures:
    """Measure every lead of a recording, at any rate and of any length."""
    windows = max(1, round(recording.duration_s / WINDOW_S))
    edges = np.linspace(0, recording.n_samples, windows + 1).astype(np.int64).tolist()
    found = [_measure(recording.signal[:, start:stop], recording.fs) for start, stop in pairwise(edges)]
    pooled = {name: _over_windows([window[name] for window in found], name in _SHARES) for name in found[0]}
    # The windows may differ by a sample, and this share alone has to be exact.
    return LeadFigures(**{**pooled, "missing": np.isnan(recording.signal).mean(axis=1)})


def _over_windows(values: list[np.ndarray], share: bool) -> np.ndarray:
    """Return the mean or median over windows, each of shape (n_leads,); NaN where no window has a figure."""
    if len(values) == 1:
        return values[0]
    rows = np.stack(values)
    result = np.full(rows.shape[1], np.nan)
    known = ~np.isnan(rows).all(axis=0)
    result[known] = (np.nanmean if share else np.nanmedian)(rows[:, known], axis=0)
    return result


def _measure(signal: np.ndarray, fs: float) -> dict[str, np.ndarray]:
    """Return the figures of one window, (n_leads, n_samples) in mV: leads recorded at the same time are taken together.

    A lead that was recorded for a part of the window, as on a printed page, is measured on that part.
    """
    missing = np.isnan(signal)
    if not missing.any():
        return _measure_together(signal, missing, fs)
    align = max(1, round(_ALIGN_S * fs))
    together: dict[tuple[int, int], list[int]] = {}
    for row, gone in enumerate(missing):
        at = np.flatnonzero(~gone)
        if len(at):
            span = (int(at[0]) // align * align, min(len(gone), (int(at[-1]) // align + 1) * align))
            together.setdefault(span, []).append(row)
    figures = {name: np.full(len(signal), np.nan) for name in _MEASURED}
    for (start, stop), rows in together.items():
        found = _measure_together(signal[rows, start:stop], missing[rows, start:stop], fs)
        for name, of_leads in found.items():
            figures[name][rows] = of_leads
    return figures


def _measure_together(signal: np.ndarray, missing: np.ndarray, fs: float) -> dict[str, np.ndarray]:
    """Return the figures of leads each of which was recorded, but for gaps, throughout; (n_leads, n_samples) in mV."""
    gaps = bool(missing.any())
    values = _bridged(signal, missing) if gaps else np.array(signal)
    ordered = np.sort(values, axis=1)
    middle = middle_of(ordered, 1)[:, None]
    values -= middle
    tail = values.shape[1] // 200
    span = ordered[:, [tail, -1 - tail]] - middle
    figures = {"span_mv": span[:, 1] - span[:, 0], **_over_time(values, ~missing if gaps else None, fs)}
    ramp = np.linspace(0, 1, values.shape[1], dtype=np.float32)
    # A jump from the last sample back to the first would be spread over the whole spectrum.
    values -= values[:, :1] * (1 - ramp) + values[:, -1:] * ramp
    figures |= _over_frequency(values, fs)
    return {name: of_leads.astype(np.float64) for name, of_leads in figures.items()}


def _bridged(signal: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return a copy in which straight lines stand for what was not recorded; every lead has recorded samples."""
    values = np.array(signal)
    for row, gone in zip(values, missing, strict=True):
        if gone.any():
            at = np.flatnonzero(~gone)
            row[gone] = np.interp(np.flatnonzero(gone), at, row[at])
    return values


def _over_time(values: np.ndarray, recorded: np.ndarray | None, fs: float) -> dict[str, np.ndarray]:
    """Return the figures that need no spectrum; ``recorded`` is None where everything was."""
    n_leads, n = values.shape
    second = min(n, max(1, round(fs)))
    seconds = values[:, : n // second * second].reshape(n_leads, -1, second)
    counts = np.ones(seconds.shape[:2], bool)
    if recorded is not None:
        counts = recorded[:, : n // second * second].reshape(seconds.shape).mean(axis=2) >= _BRIDGE
    low, high = seconds.min(axis=2), seconds.max(axis=2)
    still = np.zeros(counts.shape, bool)
    if counts.shape[1] == 1:
        still = high - low <= FLAT_MV * _ROUNDING
    else:
        pair = np.maximum(high[:, 1:], high[:, :-1]) - np.minimum(low[:, 1:], low[:, :-1]) <= FLAT_MV * _ROUNDING
        still[:, 1:] |= pair
        still[:, :-1] |= pair
    mean = np.where(counts, seconds.mean(axis=2), np.nan)
    any_second = counts.any(axis=1)
    baseline = np.zeros(n_leads)
    baseline[any_second] = np.fmax.reduce(mean[any_second], axis=1) - np.fmin.reduce(mean[any_second], axis=1)
    extreme = (values == values.max(axis=1, keepdims=True)) | (values == values.min(axis=1, keepdims=True))
    repeats = extreme[:, 1:] & (values[:, 1:] == values[:, :-1])
    samples = np.full(n_leads, n) if recorded is None else np.maximum(recorded.sum(axis=1), 1)
    if recorded is not None:
        repeats &= recorded[:, 1:] & recorded[:, :-1]
    return {
        "flat": (still & counts).sum(axis=1) / np.maximum(counts.sum(axis=1), 1),
        "clipped": repeats.sum(axis=1) / samples,
        "baseline_mv": baseline,
    }


def _over_frequency(values: np.ndarray, fs: float) -> dict[str, np.ndarray]:
    """Return the figures of the spectrum, and of what is left of the signal in two bands."""
    from scipy import fft

    n_leads, n = values.shape
    spectrum = fft.rfft(values, axis=1)
    hz = fft.rfftfreq(n, 1 / fs)
    power = (spectrum.real**2 + spectrum.imag**2) * (2 / n**2)

    def between(low: float, high: float) -> np.ndarray:
        first, last = np.searchsorted(hz, (low, high))
        return np.asarray(power[:, first:last].sum(axis=1))

    def envelope(band: tuple[float, float], block_s: float) -> np.ndarray:
        """Return the root mean square of each block, shape (n_leads, n_blocks), NaN where there is no block."""
        size = round(block_s * fs)
        if fs < MIN_FS or n < size:
            return np.full((n_leads, 1), np.nan)
        kept = fft.irfft(spectrum * ((hz >= band[0]) & (hz <= band[1])), n, axis=1)
        blocks = kept[:, : n // size * size].reshape(n_leads, -1, size)
        return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", blocks, blocks) / size))

    hum = [np.full(n_leads, np.nan)]
    for line in MAINS_HZ:
        if line + 6 * _HUM_HZ <= fs / 2:
            beside = between(line - 6 * _HUM_HZ, line - 2 * _HUM_HZ) + between(line + 2 * _HUM_HZ, line + 6 * _HUM_HZ)
            above = between(line - _HUM_HZ, line + _HUM_HZ) - beside / 4
            hum.append(np.sqrt(np.maximum(2 * above, 0)))
    beats = envelope(BEAT_BAND_HZ, _ENVELOPE_S)
    whole = between(1, 40)
    agreement, weakest = _agreement(beats)
    return {
        "mains_mv": np.fmax.reduce(hum),
        "muscle_mv": median(envelope(MUSCLE_BAND_HZ, _TREMOR_S), 1),
        "beat_mv": share_of(np.sort(beats, axis=1), 0.95, 1),
        "beat_share": between(5, 15) / np.where(whole > 0, whole, 1),
        "agreement": agreement,
        "weakest_pair": weakest,
    }


def _agreement(envelopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median and the least correlation of each lead with the others, each of shape (n_leads,)."""
    n_leads = len(envelopes)
    if n_leads < 2 or np.isnan(envelopes).any():
        return np.full(n_leads, np.nan), np.full(n_leads, np.nan)
    centred = envelopes - envelopes.mean(axis=1, keepdims=True)
    size = np.sqrt((centred**2).sum(axis=1))
    unit = centred / np.where(size > _SILENT_MV, size, np.inf)[:, None]
    others = ~np.eye(n_leads, dtype=bool)
    pairs = (unit @ unit.T)[others].reshape(n_leads, n_leads - 1)
    return median(pairs, 1), pairs.min(axis=1)
