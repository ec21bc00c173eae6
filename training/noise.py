"""What goes wrong in a recording, done to one-lead strips in training.

Electrode motion, muscle noise and baseline wander are recorded ones, of the MIT-BIH Noise Stress Test Database; the
rest is made. Marks stay true: nothing here moves a wave but `crop`, which says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecg_core.datasets import DATASETS
from ecg_core.preprocess.resampling import resample_array

TRAINING_PART = 0.7
"""Of every noise recording, from its start; the rest is left for measuring how well models bear noise."""

_KINDS = ("bw", "em", "ma")
_LEAST_SIZE_MV = 0.05


@dataclass(frozen=True, eq=False)
class NoiseBank:
    """Recorded noise at one rate."""

    kinds: Mapping[str, np.ndarray]
    """``bw``, ``em`` or ``ma`` to float32 of shape (n_channels, n_samples)."""

    def draw(self, rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
        """Return ``n`` samples of a kind with no mean and an SD of 1, shape (n,)."""
        rows = self.kinds[kind]
        start = rng.integers(rows.shape[1] - n)
        piece = rows[rng.integers(len(rows)), start : start + n]
        piece = piece - piece.mean()
        return np.asarray(piece / max(float(piece.std()), 1e-6) * rng.choice((-1.0, 1.0)), np.float32)


@dataclass(frozen=True)
class Faults:
    """How often each fault is put on a strip, as a probability, and how badly."""

    noise: float = 0.7
    snr_db: tuple[float, float] = (-6.0, 18.0)
    """Of QRS-sized signal (see `signal_size`) over noise; where several kinds meet, of their sum."""
    patchy: float = 0.4
    """That noise comes only for a part of the strip."""
    wander: float = 0.3
    mains: float = 0.2
    spikes: float = 0.1
    steps: float = 0.1
    gain_steps: float = 0.1
    saturation: float = 0.05
    polarity: float = 0.2
    band: float = 0.3
    """That the strip is seen through a monitor's or a slower recorder's filters."""


def load_noise(root: Path | None, fs: float, part: tuple[float, float] = (0.0, TRAINING_PART)) -> NoiseBank:
    """Read the noise database and bring a part of each recording, from and to as shares of it, to ``fs``."""
    kinds = {}
    for entry in DATASETS["nstdb"].listing(root):
        recording = entry.load()
        first, last = (int(share * recording.n_samples) for share in part)
        kinds[entry.name] = np.nan_to_num(resample_array(recording.signal[:, first:last], recording.fs, fs))
    return NoiseBank({kind: kinds[kind] for kind in _KINDS})


def crop(signal: np.ndarray, start: float, n: int, stretch: float = 1.0) -> np.ndarray:
    """Return ``n`` samples of a lead from the sample ``start``, its time stretched.

    A mark at sample ``m`` of the lead is at ``(m - start) * stretch`` of the result. What lies outside the lead is NaN.
    """
    at = start + np.arange(n) / stretch
    return np.asarray(np.interp(at, np.arange(len(signal)), signal, np.nan, np.nan), np.float32)


def signal_size(strip: np.ndarray, fs: float) -> float:
    """Return the typical size in mV of the QRS complexes of a clean strip: a median of the range over 1.5 s."""
    width = int(1.5 * fs)
    pieces = strip[: len(strip) // width * width].reshape(-1, width)
    return max(float(np.nanmedian(np.ptp(pieces, axis=1))), _LEAST_SIZE_MV) if len(pieces) else _LEAST_SIZE_MV


def add_faults(
    strip: np.ndarray, fs: float, rng: np.random.Generator, bank: NoiseBank, faults: Faults = Faults()
) -> np.ndarray:
    """Return a strip with faults.

    Parameters
    ----------
    strip
        One lead in mV, float32, shape (n_samples,), without NaN.
    fs
        Samples per second, also of ``bank``.
    """
    n = len(strip)
    size = signal_size(strip, fs)
    result = np.array(strip, np.float32)
    if rng.random() < faults.noise:
        result += _noise(n, fs, rng, bank, faults, size)
    if rng.random() < faults.wander:
        time = np.arange(n, dtype=np.float32) / fs
        for _ in range(2):
            rate, phase = rng.uniform(0.05, 0.6), rng.uniform(0, 2 * np.pi)
            result += size * rng.uniform(0, 1.0) * np.sin(2 * np.pi * rate * time + phase).astype(np.float32)
    if rng.random() < faults.mains:
        hum = rng.choice((50.0, 60.0)) + rng.uniform(-0.3, 0.3)
        amplitude = size * rng.uniform(0.02, 0.4)
        result += (amplitude * np.sin(2 * np.pi * hum * np.arange(n) / fs + rng.uniform(0, 6.3))).astype(np.float32)
    if rng.random() < faults.spikes:
        for at in rng.integers(0, n - 3, rng.integers(1, 8)):
            result[at : at + rng.integers(1, 4)] += size * rng.uniform(0.5, 6.0) * rng.choice((-1, 1))
    if rng.random() < faults.steps:
        for at in rng.integers(0, n, rng.integers(1, 3)):
            decay = np.exp(-np.arange(n - at) / (fs * rng.uniform(0.05, 2.0)))
            result[at:] += (size * rng.uniform(0.5, 5.0) * rng.choice((-1, 1)) * decay).astype(np.float32)
    if rng.random() < faults.gain_steps:
        result[rng.integers(0, n) :] *= rng.uniform(0.3, 3.0)
    if rng.random() < faults.band:
        result = _through_filters(result, fs, rng)
    if rng.random() < faults.saturation:
        limit = size * rng.uniform(0.4, 1.5)
        result = np.clip(result, -limit, limit)
    if rng.random() < faults.polarity:
        result = -result
    return result


def _noise(n: int, fs: float, rng: np.random.Generator, bank: NoiseBank, faults: Faults, size: float) -> np.ndarray:
    shares = rng.dirichlet((0.5, 0.7, 0.7))
    total = np.zeros(n, np.float32)
    for kind, share in zip(_KINDS, shares, strict=True):
        total += np.float32(np.sqrt(share)) * bank.draw(rng, kind, n)
    if rng.random() < faults.patchy:
        length = int(n * rng.uniform(0.15, 0.7))
        start = rng.integers(0, n - length)
        edge = int(0.2 * fs)
        envelope = np.zeros(n, np.float32)
        envelope[start : start + length] = 1.0
        total *= np.convolve(envelope, np.full(edge, 1 / edge, np.float32), "same")
    # A QRS complex whose range is 1 has an RMS of about a quarter around it.
    level = 0.25 * size * 10 ** (-rng.uniform(*faults.snr_db) / 20)
    return total * np.float32(level)


def _through_filters(strip: np.ndarray, fs: float, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    low = rng.uniform(0.05, 0.7)
    high = min(rng.uniform(25.0, 100.0), 0.45 * fs)
    sections = butter(1, (low, high), "bandpass", fs=fs, output="sos")
    offset = strip[0]
    return np.asarray(sosfilt(sections, strip - offset), np.float32)
