"""What is recorded besides the heart, as it comes, before it is scaled to a stated SNR.

SNR is 10 log10 of the variance of the clean lead, over the whole recording, over the variance of the noise. It holds
exactly in I, II and V1..V6, which an electrocardiograph records; the other limb leads are computed from I and II, noise
and all, so that Einthoven's identities survive, and their SNR is whatever follows (`Truth.snr_db` states it).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.registry import Registry

Maker = Callable[..., np.ndarray]
"""(rng, channels, samples, fs, **its options) to arbitrary units of shape (channels, samples)."""


@dataclass(frozen=True)
class Noise:
    """A kind of disturbance."""

    title: str
    make: Maker | None
    """None for the faults at the electrodes (`electrodes`), which are no additive noise and have no SNR."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings of its own, with their defaults."""


def baseline(rng: np.random.Generator, channels: int, n: int, fs: float) -> np.ndarray:
    """Breathing and slow drift, 0.05-0.45 Hz."""
    time = np.arange(n) / fs
    total = np.zeros((channels, n))
    for frequency in rng.uniform([0.05, 0.12, 0.20, 0.30], [0.12, 0.20, 0.30, 0.45]):
        phase = rng.uniform(0, 2 * math.pi, (channels, 1))
        size = rng.uniform(0.5, 1.0, (channels, 1)) / (frequency / 0.1)
        total += size * np.sin(2 * math.pi * frequency * time + phase)
    return total


def mains(rng: np.random.Generator, channels: int, n: int, fs: float, *, mains_hz: float) -> np.ndarray:
    """Hum at ``mains_hz`` with second and third harmonics where the rate can hold them, swelling slowly."""
    if not 0 < mains_hz <= fs / 2:
        raise InvalidValue(
            "the rate cannot hold this hum", field="mains_hz", found=mains_hz, expected=f"up to fs / 2 = {fs / 2:g}"
        )
    time = np.arange(n) / fs
    total = np.zeros((channels, n))
    swell = 1 + 0.15 * np.sin(2 * math.pi * rng.uniform(0.05, 0.2) * time + rng.uniform(0, 2 * math.pi))
    for harmonic, size in ((1, 1.0), (2, 0.12), (3, 0.25)):
        phase = rng.uniform(0, 2 * math.pi, (channels, 1))
        if harmonic == 1 or harmonic * mains_hz < fs / 2:
            total += size * swell * np.sin(2 * math.pi * harmonic * mains_hz * time + phase)
    return total


def muscle(rng: np.random.Generator, channels: int, n: int, fs: float) -> np.ndarray:
    """Gaussian noise of 20-150 Hz (to 0.45 of the rate at most), swelling and ebbing over seconds."""
    from scipy.signal import butter, sosfilt

    high = min(150.0, 0.45 * fs)
    low = min(20.0, high / 2)
    bands = butter(4, (low, high), "bandpass", fs=fs, output="sos")
    settle = math.ceil(fs)
    raw = sosfilt(bands, rng.standard_normal((channels, n + settle)), axis=1)[:, settle:]
    time = np.arange(n) / fs
    swell = 1 + 0.4 * np.sin(
        2 * math.pi * rng.uniform(0.1, 0.3, (channels, 1)) * time + rng.uniform(0, 6.28, (channels, 1))
    )
    return np.asarray(raw * swell)


def motion(rng: np.random.Generator, channels: int, n: int, fs: float) -> np.ndarray:
    """Shifts of the baseline as electrodes are pushed and pulled: quick ramps that relax over a second."""
    return _events(rng, channels, n, fs, every_s=2.5, rise_s=(0.04, 0.35), decay_s=(0.5, 1.5))


def electrode_pop(rng: np.random.Generator, channels: int, n: int, fs: float) -> np.ndarray:
    """Sudden jumps of contact potential that decay within a fraction of a second."""
    return _events(rng, channels, n, fs, every_s=2.0, rise_s=(0.002, 0.004), decay_s=(0.05, 0.25))


def _events(
    rng: np.random.Generator,
    channels: int,
    n: int,
    fs: float,
    *,
    every_s: float,
    rise_s: tuple[float, float],
    decay_s: tuple[float, float],
) -> np.ndarray:
    """Add up ramps with exponential decay; every channel has one at least."""
    total = np.zeros((channels, n))
    for row in total:
        for at in rng.uniform(0, 0.9 * n / fs, 1 + rng.poisson(n / fs / every_s)):
            rise, decay = rng.uniform(*rise_s), rng.uniform(*decay_s)
            size = rng.choice((-1.0, 1.0)) * rng.uniform(0.4, 1.0)
            first = math.ceil(at * fs)
            time = np.arange(first, min(n, first + math.ceil((rise + 7 * decay) * fs))) / fs - at
            row[first : first + len(time)] += size * np.where(time < rise, time / rise, np.exp(-(time - rise) / decay))
    return total


NOISES: Registry[Noise] = Registry("noise")
for _name, _noise in {
    "baseline": Noise("Baseline wander", baseline),
    "mains": Noise("Mains hum", mains, {"mains_hz": 50.0}),
    "muscle": Noise("Muscle tremor", muscle),
    "motion": Noise("Motion", motion),
    "electrode_pop": Noise("Electrode pops", electrode_pop),
    "lead_off": Noise("A lead off", None, {"lead_off": ("V6",), "lead_off_mode": "nan"}),
    "lead_reversal": Noise("Swapped electrodes", None, {"lead_reversal": ("RA-LA",)}),
}.items():
    NOISES.register(_name, _noise)


def parse_noise(noise: str | Iterable[str] | Mapping[str, float], snr_db: float | None) -> dict[str, float | None]:
    """Return each noise asked for and its own SNR (dB), None for the faults.

    Several kinds under one ``snr_db`` share the power of the noise equally.
    """
    if isinstance(noise, Mapping):
        if snr_db is not None:
            raise InvalidValue("each noise has its own SNR already", field="snr_db", found=snr_db, expected="None")
        wanted: dict[str, float | None] = {
            name: None if NOISES[name].make is None else float(value) for name, value in noise.items()
        }
    else:
        names = dict.fromkeys((noise,) if isinstance(noise, str) else noise)
        additive = [name for name in names if NOISES[name].make is not None]
        if additive and snr_db is None:
            raise InvalidValue("how loud is the noise?", field="snr_db", found=snr_db, expected="decibels")
        if snr_db is not None and not additive:
            raise InvalidValue(
                "an SNR without additive noise",
                field="snr_db",
                found=snr_db,
                options=[name for name, kind in NOISES.items() if kind.make],
            )
        each = None if snr_db is None else float(snr_db) + 10 * math.log10(len(additive))
        wanted = {name: each if name in additive else None for name in names}
    if strange := [name for name, value in wanted.items() if value is not None and not math.isfinite(value)]:
        raise InvalidValue("not an SNR", field=f"snr_db of {strange[0]}", found=wanted[strange[0]], expected="decibels")
    return wanted


def add_noise(
    clean: np.ndarray,
    fs: float,
    levels: Mapping[str, float],
    options: Mapping[str, Any],
    seed: int,
    total_db: float | None,
) -> np.ndarray:
    """Return the noise (8, n; mV) for the clean independent leads (8, n; mV), each kind at its SNR.

    ``total_db`` fixes the SNR of the sum, which chance correlations between the kinds would shift a little otherwise. A
    lead without signal (a leg cable on an arm) gets the noise that the median lead gets.
    """
    power = clean.var(axis=1)
    alive = power > 1e-6
    total = np.zeros_like(clean)
    if not alive.any():
        raise InvalidValue(
            "no wave to measure an SNR by", field="duration_s", found=clean.shape[1] / fs, expected="more"
        )
    power = np.where(alive, power, np.median(power[alive]))[:, None]
    for number, (name, kind) in enumerate(NOISES.items()):
        level = levels.get(name)
        if level is None or kind.make is None:
            continue
        own = {option: options[option] for option in kind.options}
        channels, n = clean.shape
        made = kind.make(np.random.default_rng([seed, 1 + number]), channels, n, fs, **own)
        made -= made.mean(axis=1, keepdims=True)
        total += made * np.sqrt(power / made.var(axis=1, keepdims=True) * 10 ** (-level / 10))
    if total_db is not None:
        total *= np.sqrt(power / total.var(axis=1, keepdims=True) * 10 ** (-total_db / 10))
    return total
