"""What goes wrong with recordings, done to eight-lead strips at a stated dose: to measure how answers bear it.

Strips are millivolts, shape (n_records, 8, n_samples), in the order of `ecg_core.leads.INDEPENDENT_8`;
nothing is missing from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ecg_core.preprocess.resampling import resample_array
from ecg_core.quality.arrangements import ARRANGEMENTS

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Strips -> strips."""


@dataclass(frozen=True)
class Condition:
    """Something done to recordings."""

    kind: str
    """What it belongs to, as the points of a curve do."""
    level: str
    """The dose, in words."""
    dose: float
    """The dose, to draw a curve by."""
    change: Change

    @property
    def name(self) -> str:
        """Kind and level."""
        return f"{self.kind}: {self.level}"


def add_noise(
    signal: np.ndarray, noise: Mapping[str, np.ndarray], snr_db: float, rng: np.random.Generator
) -> np.ndarray:
    """Return strips with recorded noise, each kind with the same power and each lead with a piece of its own.

    The ratio is that of the Noise Stress Test's ``nst``: the signal's power is the square of the size of its complexes
    over 8, as if they were a sine. The size of a lead is the median of what it spans in pieces of 1/8 of the strip.

    Parameters
    ----------
    noise
        Kind to recorded noise at the rate of the strips, shape (n_channels, n_noise).
    """
    n, leads, length = signal.shape
    pieces = signal[:, :, : length // 8 * 8].reshape(n, leads, 8, -1)
    size = np.median(np.ptp(pieces, axis=3), axis=2)
    level = size / np.sqrt(8) * 10 ** (-snr_db / 20) / np.sqrt(len(noise))
    result = np.array(signal, np.float64)
    for rows in noise.values():
        channel = rng.integers(len(rows), size=(n, leads, 1))
        start = rng.integers(rows.shape[1] - length, size=(n, leads, 1))
        drawn = rows[channel, start + np.arange(length)].astype(np.float64)
        drawn -= drawn.mean(axis=2, keepdims=True)
        result += level[:, :, None] * drawn / np.maximum(drawn.std(axis=2, keepdims=True), 1e-6)
    return result


def scale(signal: np.ndarray, factor: float) -> np.ndarray:
    """Return strips of another amplitude."""
    return signal * factor


def through_rate(signal: np.ndarray, fs: float, other_fs: float) -> np.ndarray:
    """Return strips that were brought to another rate and back."""
    rows = signal.reshape(-1, signal.shape[2])
    back = resample_array(resample_array(rows, fs, other_fs), other_fs, fs)
    return back[:, : signal.shape[2]].reshape(signal.shape)


def add_mains(
    signal: np.ndarray, fs: float, mains_hz: float, amplitude_mv: float, recorded_fs: float, rng: np.random.Generator
) -> np.ndarray:
    """Return strips as if recorded at ``recorded_fs`` with mains in every lead, then brought to ``fs``.

    Each strip has its own phase, and a mains frequency up to 0.2 Hz off.
    """
    n, leads, length = signal.shape
    rows = resample_array(signal.reshape(-1, length), fs, recorded_fs).reshape(n, leads, -1)
    time = np.arange(rows.shape[2]) / recorded_fs
    rate = mains_hz + rng.uniform(-0.2, 0.2, (n, 1, 1))
    hum = amplitude_mv * np.sin(2 * np.pi * (rate * time + rng.random((n, 1, 1))))
    back = resample_array((rows + hum).reshape(n * leads, -1), recorded_fs, fs)
    return back[:, :length].reshape(signal.shape)


def lose_leads(signal: np.ndarray, lost: int, rng: np.random.Generator) -> np.ndarray:
    """Return strips in which ``lost`` leads, drawn anew for each strip, are missing (0)."""
    places = rng.permuted(np.tile(np.arange(signal.shape[1]), (len(signal), 1)), axis=1)
    kept = places >= lost
    return np.where(kept[:, :, None], signal, 0.0)


def exchange_electrodes(signal: np.ndarray, kind: str) -> np.ndarray:
    """Return what would have been recorded with electrodes exchanged, ``kind`` as in `ARRANGEMENTS`."""
    placed = {arrangement.kind: arrangement.placed for arrangement in ARRANGEMENTS}[kind]
    i, ii = signal[:, 0], signal[:, 1]
    # Against Wilson's terminal the potentials of RA, LA and LL add up to nothing.
    limb = np.stack([-(i + ii) / 3, (2 * i - ii) / 3, (2 * ii - i) / 3], axis=1)
    moved = np.concatenate([limb, signal[:, 2:]], axis=1)[:, placed]
    terminal = moved[:, :3].mean(axis=1, keepdims=True)
    return np.concatenate([moved[:, 1:2] - moved[:, :1], moved[:, 2:3] - moved[:, :1], moved[:, 3:] - terminal], axis=1)


def conditions(noise: Mapping[str, np.ndarray], fs: float) -> tuple[Condition, ...]:
    """Return what a model of eight leads at ``fs`` is tried with; ``noise`` has the kinds ``bw``, ``em`` and ``ma``."""
    words = {"em": "electrode motion", "ma": "muscle", "bw": "baseline wander"}

    def noisy(kinds: Mapping[str, np.ndarray], snr_db: float) -> Change:
        return lambda signal, rng: add_noise(signal, kinds, snr_db, rng)

    def scaled(factor: float) -> Change:
        return lambda signal, _: scale(signal, factor)

    def resampled(rate: float) -> Change:
        return lambda signal, _: through_rate(signal, fs, rate)

    def without(lost: int) -> Change:
        return lambda signal, rng: lose_leads(signal, lost, rng)

    def exchanged(kind: str) -> Change:
        return lambda signal, _: exchange_electrodes(signal, kind)

    def humming(amplitude_mv: float) -> Change:
        return lambda signal, rng: add_mains(signal, fs, 50.0, amplitude_mv, 250.0, rng)

    return (
        *(Condition("all noise", f"{snr} dB", snr, noisy(noise, snr)) for snr in (18, 12, 6, 0)),
        *(Condition(words[kind], "6 dB", 6, noisy({kind: noise[kind]}, 6)) for kind in words),
        *(Condition("amplitude", f"times {by:g}", by, scaled(by)) for by in (0.5, 2.0)),
        *(Condition("resampling", f"{rate:g} Hz and back", rate, resampled(rate)) for rate in (62.5, 500.0)),
        Condition("mains", "50 Hz, 0.2 mV, recorded at 250 Hz", 0.2, humming(0.2)),
        *(Condition("leads lost", f"{lost} of 8", lost, without(lost)) for lost in (1, 2, 3, 5, 7)),
        *(Condition("electrodes exchanged", kind, 1, exchanged(kind)) for kind in ("RA-LA", "LA-LL", "V1-V2")),
        # What follows came later: what is drawn at random above depends on its place.
        *(Condition("all noise", f"{snr} dB", snr, noisy(noise, snr)) for snr in (24, -6)),
        *(
            Condition(words[kind], f"{snr} dB", snr, noisy({kind: noise[kind]}, snr))
            for kind in words
            for snr in (12, 0)
        ),
        *(Condition("amplitude", f"times {by:g}", by, scaled(by)) for by in (0.7, 1.4)),
        *(Condition("resampling", f"{rate:g} Hz and back", rate, resampled(rate)) for rate in (125.0, 250.0)),
        *(Condition("mains", f"50 Hz, {mv:g} mV, recorded at 250 Hz", mv, humming(mv)) for mv in (0.05, 0.1, 0.5)),
        *(Condition("electrodes exchanged", kind, 1, exchanged(kind)) for kind in ("RA-LL", "V2-V3")),
    )
