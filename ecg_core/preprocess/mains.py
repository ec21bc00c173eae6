"""Mains interference: found in the spectrum, removed by a zero-phase notch."""

from __future__ import annotations

import math

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.preprocess.bands import HIGHEST_EDGE
from ecg_core.preprocess.stretches import mirrored, recorded_stretches
from ecg_core.preprocess.zero_phase import TWO_PASS_EDGE, Ends, filter_stretches, transient_samples
from ecg_core.recording import Recording

MAINS_HZ = (50.0, 60.0)
WIDTH_HZ = 2.0
"""Between the -3 dB points of the two passes together."""
STANDS_OUT = 4.0
"""Mains are found where their line has this many times the power of the strongest frequency beside them in some lead.

Comparing with the strongest and not with the usual neighbour keeps the harmonics of a regular fast rhythm, which stand
as a comb, from being taken for mains. On 476 records of PTB-XL, LUDB, CinC2011 and MIT-BIH, the frequency other than
their mains reached 3.2 at most; a line of 0.005 mV added at 60 Hz to the first three was found in 92 % or more.
"""
SMALLEST_MV = 0.001
"""Amplitude under which mains are not worth a filter."""
_SEGMENT_S = 2.0
_MOST_SEGMENTS = 200
_LINE_HZ = 1.0
_BESIDE_HZ = (2.0, 7.0)


def notch(recording: Recording, mains_hz: float | None = None, *, harmonics: bool = False) -> Recording:
    """Remove mains interference; nothing moves in time.

    Parameters
    ----------
    recording
        Any; gaps stay gaps.
    mains_hz
        50 or 60; None finds out from the spectrum, and leaves the signal alone where there is neither.
    harmonics
        Also remove the multiples of the mains frequency. What lies above 0.45 of the sampling rate stays; the history
        names the frequencies removed.
    """
    if mains_hz is not None and mains_hz not in MAINS_HZ:
        raise InvalidValue(
            "not a mains frequency", field="mains_hz", found=mains_hz, options=("50", "60", "None: find out")
        )
    parameters: dict[str, object] = {
        "mains_hz": mains_hz,
        "harmonics": harmonics,
        "applied_hz": [],
        "width_hz": WIDTH_HZ,
        "edge_s": 0.0,
    }
    mains = mains_hz
    if mains is None:
        mains, strength = find_mains(recording.signal, recording.fs)
        parameters["stands_out"] = {f"{hz:g} Hz": round(times, 2) for hz, times in strength.items()}
        if mains is None:
            unseen = f"not looked for: needs {_SEGMENT_S:g} s and a rate above {2 * (MAINS_HZ[0] + _BESIDE_HZ[0]):g} Hz"
            return recording.with_step("notch", parameters | {"outcome": "no mains found" if strength else unseen})
    highest = HIGHEST_EDGE * recording.fs
    lines = [mains * k for k in range(1, math.floor(highest / mains) + 1 if harmonics else 2) if mains * k <= highest]
    if not lines:
        outcome = f"{mains:g} Hz lies above {HIGHEST_EDGE:g} of the sampling rate"
        return recording.with_step("notch", parameters | {"outcome": outcome})
    sections = [_notch_sections(line, recording.fs) for line in lines]
    passes = [(sos, _sine_ends(line, recording.fs)) for sos, line in zip(sections, lines, strict=True)]
    parameters |= {
        "applied_hz": lines,
        "edge_s": round(max(transient_samples(sos) for sos in sections) / recording.fs, 3),
        "outcome": "removed",
    }
    return recording.with_step("notch", parameters, signal=filter_stretches(recording.signal, passes))


def find_mains(signal: np.ndarray, fs: float) -> tuple[float | None, dict[float, float]]:
    """Look for a line at 50 or 60 Hz.

    Parameters
    ----------
    signal
        Millivolts, shape (n_leads, n_samples), NaN where nothing was recorded.
    fs
        Samples per second.

    Returns
    -------
    The mains frequency in Hz or None, and for each frequency that the rate can hold by how much it stands out: power
    of the line over that of the strongest frequency beside it, in the lead where that is most.
    """
    length = round(_SEGMENT_S * fs)
    strength: dict[float, float] = {}
    candidates = [hz for hz in MAINS_HZ if hz + _BESIDE_HZ[0] < fs / 2]
    if not candidates:
        return None, strength
    frequency = np.fft.rfftfreq(length, 1 / fs)
    for row in signal:
        segments = _segments(row, length)
        if not len(segments):
            continue
        taper = np.hanning(length)
        spectrum = np.fft.rfft((segments - segments.mean(axis=1, keepdims=True)) * taper, axis=1)
        # Amplitude of a sine at each frequency; the median over segments forgets artefacts.
        amplitude = np.median(np.abs(spectrum), axis=0) * 2 / taper.sum()
        for hz in candidates:
            away = np.abs(frequency - hz)
            line = amplitude[away <= _LINE_HZ].max()
            beside = amplitude[(away >= _BESIDE_HZ[0]) & (away <= _BESIDE_HZ[1])].max()
            times = float((line / max(beside, 1e-9)) ** 2) if line >= SMALLEST_MV else 0.0
            strength[hz] = max(strength.get(hz, 0.0), times)
    found = max(strength, key=lambda hz: strength[hz], default=None)
    return (found if found is not None and strength[found] >= STANDS_OUT else None), strength


def _segments(row: np.ndarray, length: int) -> np.ndarray:
    """Return half-overlapping recorded segments (n, length) of one lead, spread evenly where there are very many."""
    starts = [
        at
        for _, start, stop in recorded_stretches(row[None, :])
        for at in range(start, stop - length + 1, max(1, length // 2))
    ]
    chosen = starts[:: max(1, len(starts) // _MOST_SEGMENTS)]
    return np.array([row[at : at + length] for at in chosen], np.float64).reshape(-1, length)


def _notch_sections(line_hz: float, fs: float) -> np.ndarray:
    from scipy.signal import iirnotch, tf2sos

    # One pass is 1 / (1 + (b/x)^2) at a distance x: two are at -3 dB where (b/x)^2 is TWO_PASS_EDGE.
    bandwidth = WIDTH_HZ * math.sqrt(TWO_PASS_EDGE)
    sections: np.ndarray = tf2sos(*iirnotch(line_hz, line_hz / bandwidth, fs=fs))
    return sections


def _sine_ends(line_hz: float, fs: float) -> Ends:
    """Continue a stretch with its mains going on in phase, and the rest as in a mirror.

    In a mirror alone the mains would jump in phase, and the notch take a second to settle on them.
    """

    def ends(values: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        n = values.shape[1]
        window = min(n, length + 1)
        before, _ = mirrored(window, length, 0)
        sides = []
        for edge in (values[:, :window], values[:, n - window :][:, ::-1]):
            at = 2 * math.pi * line_hz / fs * np.arange(-length, window)
            basis = np.stack([np.ones(len(at)), np.cos(at), np.sin(at)])
            fitted, *_ = np.linalg.lstsq(basis[:, length:].T, edge.T, rcond=None)
            sine = fitted[1:].T @ basis[1:]
            sides.append((edge - sine[:, length:])[:, before] + sine[:, :length])
        return sides[0], sides[1][:, ::-1]

    return ends
