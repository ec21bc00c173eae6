"""Baseline removal: the slow wander under the beats."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.preprocess.bands import filter_band
from ecg_core.preprocess.stretches import recorded_stretches
from ecg_core.recording import Recording

METHODS = ("highpass", "median")
HIGHPASS_HZ = 0.5
MEDIAN_WINDOWS_S = (0.2, 0.6)
_MEDIAN_RATE_HZ = 100.0
_BLOCK = 1 << 20


def remove_baseline(recording: Recording, method: Literal["highpass", "median"] = "highpass") -> Recording:
    """Remove baseline wander; nothing moves in time.

    ``"highpass"``
        A zero-phase high-pass at 0.5 Hz. Linear, so equal for all beats of a shape, but it pulls what lies between the
        beats towards their mean, the more the longer the RR interval.
    ``"median"``
        Subtracts two running medians, of 200 ms (which leaves out QRS and P) and of 600 ms (which leaves out T), as de
        Chazal 2004 (doi:10.1109/TBME.2004.827359). Departure: the medians run over means of about 10 ms and are
        interpolated between, for the sake of long recordings. It follows steps and fast wander, but takes whatever
        lasts 200 ms for baseline: a raised ST segment is halved at 50-70 bpm and overstated at 130 bpm.

    Neither is for ST segments: measure these on the diagnostic band (`bandpass`); `keeps_st` tells them apart.

    Parameters
    ----------
    recording
        Any; gaps stay gaps, and each stretch between them is treated by itself, however short it is.
    method
        ``"highpass"`` or ``"median"``.
    """
    if method == "highpass":
        signal, edge_s = filter_band(recording.signal, recording.fs, HIGHPASS_HZ, None)
        parameters = {"method": method, "applied_low_hz": HIGHPASS_HZ, "edge_s": edge_s}
        return recording.with_step("remove_baseline", parameters, signal=signal)
    if method != "median":
        raise InvalidValue("no such method of baseline removal", field="method", found=method, options=METHODS)
    signal = np.full(recording.signal.shape, np.nan, np.float32)
    for rows, start, stop in recorded_stretches(recording.signal):
        for row in rows:
            values = recording.signal[row, start:stop]
            at, baseline = _median_baseline(values, recording.fs)
            for first in range(0, len(values), _BLOCK):
                block = values[first : first + _BLOCK]
                under = np.interp(np.arange(first, first + len(block)), at, baseline)
                signal[row, start + first : start + first + len(block)] = block - under
    signal.setflags(write=False)
    parameters = {"method": method, "windows_s": list(MEDIAN_WINDOWS_S), "edge_s": max(MEDIAN_WINDOWS_S)}
    return recording.with_step("remove_baseline", parameters, signal=signal)


def _median_baseline(values: np.ndarray, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the baseline under one stretch of one lead: at which (fractional) samples, and millivolts."""
    from scipy.ndimage import median_filter

    size = max(1, round(fs / _MEDIAN_RATE_HZ))
    count = max(1, len(values) // size)
    size = min(size, len(values))
    baseline = values[: count * size].reshape(count, size).mean(axis=1, dtype=np.float64)
    for window in MEDIAN_WINDOWS_S:
        baseline = median_filter(baseline, 2 * round(window * fs / size / 2) + 1, mode="reflect")
    return (np.arange(count) + 0.5) * size - 0.5, baseline
