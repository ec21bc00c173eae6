"""Zero-phase band-pass filters: the diagnostic band, the monitor view, and any other."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.preprocess.zero_phase import (
    TWO_PASS_EDGE,
    Ends,
    filter_stretches,
    mirror_ends,
    remove_trend,
    transient_samples,
)
from ecg_core.recording import Recording

DIAGNOSTIC_BAND_HZ = (0.05, 150.0)
MONITOR_BAND_HZ = (0.5, 40.0)
HIGHEST_EDGE = 0.45
"""As a part of the sampling rate: an edge above is lowered to it."""
_HIGH_PASS_ORDER = 2
_LOW_PASS_ORDER = 4


def bandpass(
    recording: Recording, low_hz: float | None = DIAGNOSTIC_BAND_HZ[0], high_hz: float | None = DIAGNOSTIC_BAND_HZ[1]
) -> Recording:
    """Keep what lies between two frequencies; nothing moves in time.

    Butterworth filters (high-pass of order 2, low-pass of order 4) run forward and backward; both edges are the -3 dB
    points of the two passes together. The history holds the edges asked for and those applied, and ``edge_s``: within
    that time of either end of a stretch, what was (not) recorded beyond the end still shows. It is 26 s for 0.05 Hz,
    longer than most recordings: a constant and a straight drift are removed to their very ends, a slow wave is not.

    Parameters
    ----------
    recording
        Any; gaps stay gaps, and each stretch between them is filtered by itself, however short it is.
    low_hz, high_hz
        Edges in Hz; None leaves that side open. Without a low edge the level is kept. An edge above 0.45 of the
        sampling rate is lowered to it.
    """
    return _band(recording, "bandpass", low_hz, high_hz)


def monitor_view(recording: Recording) -> Recording:
    """Return the 0.5-40 Hz view of bedside monitors, steady to look at; its ST segments must not be measured."""
    return _band(recording, "monitor_view", *MONITOR_BAND_HZ)


def highpass_edge_hz(recording: Recording) -> float | None:
    """Return the highest low edge that the history of the recording applied, in Hz; None without a high-pass filter."""
    edges = [step.parameters.get("applied_low_hz") for step in recording.history]
    return max((float(edge) for edge in edges if edge is not None), default=None)


def keeps_st(recording: Recording) -> bool:
    """Return whether the history leaves ST alone: no high-pass above 0.05 Hz, no baseline removal, no scaling."""
    edge = highpass_edge_hz(recording)
    changed = any(step.name in ("remove_baseline", "normalise") for step in recording.history)
    return (edge is None or edge <= DIAGNOSTIC_BAND_HZ[0]) and not changed


def _band(recording: Recording, name: str, low_hz: float | None, high_hz: float | None) -> Recording:
    low, high = _edges(recording.fs, low_hz, high_hz)
    signal, edge_s = filter_band(recording.signal, recording.fs, low, high)
    parameters: dict[str, Any] = {
        "low_hz": low_hz,
        "high_hz": high_hz,
        "applied_low_hz": low,
        "applied_high_hz": high,
        "edge_s": edge_s,
        "method": "zero-phase Butterworth",
    }
    return recording.with_step(name, parameters, signal=signal)


def filter_band(signal: np.ndarray, fs: float, low: float | None, high: float | None) -> tuple[np.ndarray, float]:
    """Return a band of ``signal`` (n_leads, n_samples), and how many seconds from an end its transient lasts."""
    passes: list[tuple[np.ndarray, Ends]] = []
    if low is not None:
        passes.append((_butterworth("highpass", low, fs), mirror_ends))
    if high is not None:
        passes.append((_butterworth("lowpass", high, fs), mirror_ends))
    slowest = max((transient_samples(sos) for sos, _ in passes), default=0)

    def prepare(values: np.ndarray) -> None:
        if low is not None:
            remove_trend(values, fs)

    return filter_stretches(signal, passes, prepare=prepare), round(slowest / fs, 3)


@lru_cache(32)
def _butterworth(kind: Literal["highpass", "lowpass"], edge_hz: float, fs: float) -> np.ndarray:
    """Return second-order sections (n_sections, 6) whose two passes together have their -3 dB point at ``edge_hz``."""
    from scipy.signal import butter

    order = _HIGH_PASS_ORDER if kind == "highpass" else _LOW_PASS_ORDER
    widen = TWO_PASS_EDGE ** (1 / (2 * order))
    # The bilinear transform bends frequencies: the correction holds for the tangents.
    tangent = math.tan(math.pi * edge_hz / fs)
    tangent = tangent * widen if kind == "highpass" else tangent / widen
    sections: np.ndarray = butter(order, 2 * math.atan(tangent) / math.pi, kind, output="sos")
    return sections


def _edges(fs: float, low_hz: float | None, high_hz: float | None) -> tuple[float | None, float | None]:
    for field, edge in (("low_hz", low_hz), ("high_hz", high_hz)):
        if edge is not None and not (math.isfinite(edge) and edge > 0):
            raise InvalidValue("not a frequency", field=field, found=edge, expected="Hz above 0, or None")
    low, high = (None if edge is None else min(float(edge), HIGHEST_EDGE * fs) for edge in (low_hz, high_hz))
    if low is not None and high is not None and low >= high:
        raise InvalidValue(
            "the band is empty",
            field="low_hz, high_hz",
            found=f"{low_hz:g} to {high_hz:g} Hz at {fs:g} samples per second",
            expected=f"a low edge under the high one, and under {HIGHEST_EDGE * fs:g} Hz",
        )
    return low, high
