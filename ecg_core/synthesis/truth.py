"""What is known about a synthetic ECG: every instant, interval, axis and level, by construction.

Conventions
-----------
- A P or T wave begins and ends where its spatial magnitude, the wave on its own and without noise, passes 5 % of its
  peak; a QRS complex, 1 % (15-40 uV). The bumps are steep at their edges: the whole support is 1-3 ms longer at either
  end of a QRS, 2-5 ms at the ends of P and at the end of T. The onset of T, which nature draws out, is 10-25 ms.
- The peak of a wave is the instant of its largest spatial magnitude; in one lead, of its largest deflection there.
- Axes are ``atan2(2 aVF / sqrt(3), I)`` of net areas between onset and end, ST deviation included.
- Axes, ST levels and peaks in a lead are the heart's, seen by rightly placed electrodes, whatever cables were swapped.
- An instant outside the recording, or of a wave that is absent, is NaN (null in JSON).
- A beat belongs to the recording when its QRS peak does; waves without such a beat (blocked P waves, waves at the
  edges) are listed apart, under `Truth.lone`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

ST_OFFSETS_MS = (0, 40, 60, 80)
"""ST levels are taken at J and this long after it."""


@dataclass(frozen=True, eq=False)
class WaveTimes:
    """Instants of n waves of one kind, in seconds from the first sample; NaN where absent or outside the recording."""

    onset_s: np.ndarray
    """Shape (n,)."""
    peak_s: np.ndarray
    """Shape (n,)."""
    end_s: np.ndarray
    """Shape (n,)."""
    lead_peak_s: np.ndarray
    """Largest deflection in each lead, shape (n, n_leads)."""

    def __len__(self) -> int:
        return len(self.onset_s)

    def take(self, rows: np.ndarray) -> WaveTimes:
        """Return the waves numbered ``rows``; a negative number stands for an absent wave."""
        picked = {}
        for item in fields(self):
            values = getattr(self, item.name)
            padded = np.concatenate([values, np.full((1, *values.shape[1:]), np.nan)])
            picked[item.name] = padded[np.where(rows < 0, len(values), rows)]
        return WaveTimes(**picked)

    def within(self, duration_s: float) -> WaveTimes:
        """Return the same waves with every instant outside [0, duration_s) replaced by NaN."""
        values = (getattr(self, item.name) for item in fields(self))
        return WaveTimes(*(np.where((v >= 0) & (v < duration_s), v, np.nan) for v in values))

    @property
    def visible(self) -> np.ndarray:
        """Whether any of onset, peak and end lies in the recording, shape (n,)."""
        known: np.ndarray = ~np.isnan(np.stack([self.onset_s, self.peak_s, self.end_s]))
        return np.asarray(known.any(axis=0))


@dataclass(frozen=True)
class Episode:
    """A stretch of one rhythm."""

    start_s: float
    end_s: float
    rhythm: str
    """Its name in `RHYTHMS`."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything that is known about a synthetic ECG of n beats."""

    rhythm: str
    shape: str
    leads: tuple[str, ...]
    symbol: tuple[str, ...]
    """AAMI class of each beat: N, S (supraventricular premature), V (ventricular premature), F or Q (paced)."""
    p: WaveTimes
    qrs: WaveTimes
    t: WaveTimes
    """Row i belongs to beat i."""
    lone: Mapping[str, WaveTimes]
    """``p``, ``qrs`` and ``t`` waves that belong to no beat of the recording."""
    p_axis_deg: np.ndarray
    qrs_axis_deg: np.ndarray
    t_axis_deg: np.ndarray
    """Frontal axes of each beat, shape (n,); NaN where the wave is absent."""
    pr_ms: np.ndarray
    p_ms: np.ndarray
    qrs_ms: np.ndarray
    qt_ms: np.ndarray
    """Intervals of each beat, shape (n,); known also where the edge of the recording cuts the beat."""
    st_mv: np.ndarray
    """Level against the isoelectric line at J, J+40, J+60 and J+80 ms, shape (n, 4, n_leads), without atrial waves."""
    episodes: tuple[Episode, ...]
    pacing_spikes_s: np.ndarray
    """Onsets of the pacing spikes within the recording."""
    statements: tuple[str, ...]
    """SCP-ECG statement codes, as PTB-XL uses them."""
    noise: Mapping[str, float]
    """Additive noise that was asked for, and the SNR (dB) of each on its own."""
    snr_db: Mapping[str, float]
    """Realised SNR of each lead: 10 log10 of var(clean lead) / var(noise); inf without noise."""
    reversal: tuple[str, ...]
    """Pairs of electrodes that were swapped."""
    leads_off: Mapping[str, tuple[float, float]]
    """Seconds from and to which a lead was off."""

    @property
    def r_s(self) -> np.ndarray:
        """Time of each beat (s, shape (n,)): the peak of its QRS."""
        return self.qrs.peak_s

    @property
    def rr_s(self) -> np.ndarray:
        """Time from each beat to the next, shape (n - 1,)."""
        return np.diff(self.r_s)

    @property
    def heart_rate_bpm(self) -> float:
        """Beats per minute over the mean RR; NaN with fewer than two beats."""
        return 60.0 / float(self.rr_s.mean()) if len(self.rr_s) else math.nan

    @property
    def dominant(self) -> np.ndarray:
        """Which beats the global figures speak of, shape (n,): the normal ones, or all where none is."""
        normal = np.array([symbol == "N" for symbol in self.symbol], dtype=bool)
        return normal if normal.any() else np.ones(len(self.symbol), dtype=bool)

    def interval_ms(self, name: str) -> float:
        """Return the median ``"pr"``, ``"p"``, ``"qrs"`` or ``"qt"`` (ms) of the dominant beats; NaN where absent."""
        values = getattr(self, f"{name}_ms")[self.dominant]
        return float(np.median(values[~np.isnan(values)])) if (~np.isnan(values)).any() else math.nan

    def axis_deg(self, name: str) -> float:
        """Return the mean ``"p"``, ``"qrs"`` or ``"t"`` axis (degrees) of the dominant beats; NaN where absent."""
        axes = np.radians(getattr(self, f"{name}_axis_deg")[self.dominant])
        axes = axes[~np.isnan(axes)]
        return float(np.degrees(np.arctan2(np.sin(axes).sum(), np.cos(axes).sum()))) if len(axes) else math.nan

    def st_level_mv(self, offset_ms: int = 0) -> dict[str, float]:
        """Return the mean ST level (mV) of the dominant beats in each lead, ``offset_ms`` after J."""
        level = self.st_mv[self.dominant, ST_OFFSETS_MS.index(offset_ms)]
        means = level.mean(axis=0) if len(level) else np.full(len(self.leads), np.nan)
        return dict(zip(self.leads, means.tolist(), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form; NaN and infinities become null."""
        names = ("p", "qrs", "t")
        values: dict[str, Any] = _plain(
            {
                "rhythm": self.rhythm,
                "shape": self.shape,
                "statements": self.statements,
                "leads": self.leads,
                "heart_rate_bpm": self.heart_rate_bpm,
                "rr_s": self.rr_s,
                **{f"{name}_ms": self.interval_ms(name) for name in ("pr", *names[:2], "qt")},
                **{f"{name}_axis_deg": self.axis_deg(name) for name in names},
                "st_mv": {f"J+{offset}" if offset else "J": self.st_level_mv(offset) for offset in ST_OFFSETS_MS},
                "beats": [self._beat(i) for i in range(len(self.symbol))],
                "lone": {name: [_times(waves, i) for i in range(len(waves))] for name, waves in self.lone.items()},
                "episodes": [vars(episode) for episode in self.episodes],
                "pacing_spikes_s": self.pacing_spikes_s,
                "noise": self.noise,
                "snr_db": self.snr_db,
                "reversal": self.reversal,
                "leads_off": self.leads_off,
            }
        )
        return values

    def _beat(self, i: int) -> dict[str, Any]:
        beat: dict[str, Any] = {"r_s": self.r_s[i], "symbol": self.symbol[i]}
        for name in ("p", "qrs", "t"):
            waves = getattr(self, name)
            beat[name] = _times(waves, i) if waves.visible[i] else None
        for name in ("pr_ms", "p_ms", "qrs_ms", "qt_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"):
            beat[name] = getattr(self, name)[i]
        return beat


def _times(waves: WaveTimes, i: int) -> dict[str, Any]:
    return {item.name: getattr(waves, item.name)[i] for item in fields(waves)}


def _plain(value: Any) -> Any:
    """Turn arrays, tuples and mappings into what JSON holds, and what is not finite into None."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
