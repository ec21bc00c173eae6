"""A strip of one lead, as the rhythm classifier reads it: prepared signal, and every figure of signal and beats."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from ecg_core.rhythm.intervals import measure_intervals
from ecg_core.rhythm.morphology import FS, cut_beats, measure_rest, measure_shapes
from ecg_core.statistics import deviation, mean, median, quantiles, share

NETWORK_FS = 125.0
"""What the network reads: every second sample of the prepared strip."""
HIGH_PASS_HZ, LOW_PASS_HZ = 0.5, 40.0
NETWORK_LENGTH = 1280
"""Samples that the network reads at once."""
_WINDOW = 1250
"""Those of them that hold signal: 10 s."""
_SPARE = 64
"""Samples by which a strip may be longer than a window and still be read as one."""
_LEAST_MV, _MOST = 0.02, 3.0
_REMEMBERED = 40_000
"""Samples up to which a prepared lead is remembered for the next who asks for it."""
_BANDS_HZ = ((0.5, 1.0), (1.0, 5.0), (5.0, 15.0), (15.0, 25.0), (25.0, 40.0))
_BLOCK_S = 2.0


def prepare(values: np.ndarray, fs: float) -> np.ndarray:
    """Return a lead at `FS`, its gaps bridged by straight lines, between `HIGH_PASS_HZ` and `LOW_PASS_HZ`.

    Parameters
    ----------
    values
        Millivolts, shape (n,), NaN where nothing was recorded.
    fs
        Samples per second.

    Returns
    -------
    Millivolts, float32, shape (ceil(n * FS / fs),); read-only.
    """
    row = np.array(values, np.float32)
    # The rhythm and the figures for trees are often told from the same lead.
    return _prepared(row.tobytes(), fs) if len(row) <= _REMEMBERED else _prepare(row, fs)


@lru_cache(32)
def _prepared(row: bytes, fs: float) -> np.ndarray:
    found = _prepare(np.frombuffer(row, np.float32).copy(), fs)
    found.setflags(write=False)
    return found


def _prepare(row: np.ndarray, fs: float) -> np.ndarray:
    """Do as `prepare` with a row that may be changed."""
    from ecg_core.preprocess.resampling import resample_array

    missing = np.isnan(row)
    if missing.any():
        if missing.all():
            return np.zeros(int(np.ceil(len(row) * FS / fs)), np.float32)
        row[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), row[~missing])
    filtered: np.ndarray = filter_band(resample_array(row[None], fs, FS))[0]
    return filtered


def filter_band(rows: np.ndarray) -> np.ndarray:
    """Return what lies between `HIGH_PASS_HZ` and `LOW_PASS_HZ` of rows at `FS`, float32, shape (n_rows, n)."""
    from scipy.signal import sosfilt

    sections, at_rest = _filter()
    padding = min(rows.shape[1] - 1, round(2 * FS))
    values = rows - median(rows, 1)[:, None]
    ends = values[:, padding:0:-1], values, values[:, -2 : -padding - 2 : -1]
    values = np.concatenate(ends, axis=1, dtype=np.float64)
    for _ in range(2):
        values, _ = sosfilt(sections, values, axis=1, zi=at_rest * values[:, :1])
        values = values[:, ::-1]
    return np.asarray(values[:, padding : values.shape[1] - padding], np.float32)


@cache
def _filter() -> tuple[np.ndarray, np.ndarray]:
    """Return the second-order sections of the filter, and its state at rest at a level of 1."""
    from scipy.signal import butter, sosfilt_zi

    sections: np.ndarray = butter(2, (HIGH_PASS_HZ, LOW_PASS_HZ), "bandpass", fs=FS, output="sos")
    return sections, sosfilt_zi(sections)[:, None]


def network_rows(strip: np.ndarray) -> np.ndarray:
    """Return a strip as the network reads it: as many windows of 10 s as it takes, at `NETWORK_FS`, overlapping evenly.

    Parameters
    ----------
    strip
        As `prepare` returns it, float32, shape (n,).

    Returns
    -------
    Relative to the typical size of the beats, 0 beyond the end of the strip, shape (n_windows, `NETWORK_LENGTH`, 1).
    """
    values = relative_to_size(strip[None, :: round(FS / NETWORK_FS)])[0]
    count = max(1, -(-(len(values) - _SPARE) // _WINDOW))
    starts = np.rint(np.linspace(0, max(0, len(values) - _WINDOW), count)).astype(np.int64)
    rows = np.zeros((count, NETWORK_LENGTH, 1), np.float32)
    for row, start in zip(rows, starts, strict=True):
        piece = values[start : start + _WINDOW]
        row[: len(piece), 0] = piece
    return rows


def relative_to_size(rows: np.ndarray) -> np.ndarray:
    """Return rows at `NETWORK_FS` in multiples of the median range of their blocks of `_BLOCK_S`, within +-`_MOST`."""
    block = round(_BLOCK_S * NETWORK_FS)
    count = max(1, rows.shape[1] // block)
    pieces = rows[:, : count * block].reshape(len(rows), count, -1)
    size = median(np.ptp(pieces, axis=2), 1)[:, None]
    return np.asarray(np.clip(rows / np.maximum(size, _LEAST_MV), -_MOST, _MOST), np.float32)


def measure_strip(strip: np.ndarray, times_s: np.ndarray) -> dict[str, float]:
    """Return every figure of a strip; those that it does not allow are absent.

    Parameters
    ----------
    strip
        As `prepare` returns it, float32, shape (n,).
    times_s
        Its beats, seconds from its first sample, shape (n_beats,).
    """
    sample = np.rint(times_s * FS).astype(np.int64)
    sample = sample[(sample >= 0) & (sample < len(strip))]
    found = {"beats_per_s": len(sample) * FS / len(strip), **_signal_figures(strip, sample)}
    found |= measure_intervals(np.diff(sample) / FS)
    shapes = cut_beats(strip, sample)
    if shapes is not None:
        found |= measure_shapes(shapes)
        found |= measure_rest(strip, shapes, found["qrs_mv"])
    return found


def _signal_figures(strip: np.ndarray, sample: np.ndarray) -> dict[str, float]:
    """Return what the signal looks like, whatever the beats."""
    spread = float(deviation(strip)) + 1e-6
    normal = strip / spread
    square = normal * normal
    block = round(_BLOCK_S * FS)
    blocks = strip[: len(strip) // block * block].reshape(-1, block)
    size = np.ptp(blocks, axis=1) if len(blocks) else np.array([np.ptp(strip)])
    rms = deviation(blocks) if len(blocks) else np.array([spread])
    window, n, edges = _spectral(len(strip))
    spectrum = np.fft.rfft(strip * window, n)
    power = spectrum.real**2 + spectrum.imag**2
    whole = float(power[edges[0] : edges[-1]].sum()) + 1e-9
    found = {
        f"band_{low:g}": float(power[first:stop].sum()) / whole
        for (low, _), (first, stop) in zip(_BANDS_HZ, pairwise(edges), strict=True)
    }
    steep = np.abs(np.diff(strip))
    q50, q90, q99 = quantiles(steep, (0.5, 0.9, 0.99))
    usual = float(median(size))
    found |= {
        "kurtosis": float(mean(square * square)),
        "skew": abs(float(mean(square * normal))),
        "size_mv": usual,
        "size_ratio": float(size.max() / (usual + 1e-3)),
        "size_low": float(size.min() / (usual + 1e-3)),
        "rms_ratio": float(rms.max() / (median(rms) + 1e-4)),
        "rms_mv": spread,
        "flat_share": share(steep < 5e-4),
        "steep_q50": float(q50 / (q99 + 1e-6)),
        "steep_q90": float(q90 / (q99 + 1e-6)),
    }
    if len(sample):
        crest = np.abs(strip[sample])
        found["crest"] = float(median(crest) / spread)
        found["crest_cv"] = float(deviation(crest) / (mean(crest) + 1e-4))
    return found


@lru_cache(16)
def _spectral(length: int) -> tuple[np.ndarray, int, list[int]]:
    """Return the window of a strip of so many samples, the length of its transform, and where its bands lie."""
    from scipy.fft import next_fast_len

    n = next_fast_len(length, real=True)
    hz = np.fft.rfftfreq(n, 1 / FS)
    edges_hz = [*(low for low, _ in _BANDS_HZ), _BANDS_HZ[-1][1]]
    return np.hanning(length).astype(np.float32), n, np.searchsorted(hz, edges_hz).tolist()
