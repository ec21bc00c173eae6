"""What goes wrong with recordings, done to whole ones at a stated dose, so that any model can be tried with it.

The same as `ecg_core.evaluation.robustness` does to strips of eight leads. Where a recording holds these eight, the
change is done to them and the other limb leads follow from I and II, as in an electrocardiograph. What was not recorded
stays so, and marks keep their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from ecg_core.datasets import DATASETS
from ecg_core.errors import DataSetError
from ecg_core.evaluation.robustness import (
    add_mains,
    add_noise,
    exchange_electrodes,
    scale,
    through_rate,
)
from ecg_core.leads import INDEPENDENT_8
from ecg_core.preprocess.resampling import resample_array
from ecg_core.recording import Recording
from ecg_core.synthesis.noise import baseline as wander
from ecg_core.synthesis.noise import motion, muscle

HELD_PART = 0.7
"""From this share on, no model that ships has seen the recordings of the Noise Stress Test in training."""
RECORDED_NOISE = (
    f"the last {1 - HELD_PART:.0%} of each recording of the MIT-BIH Noise Stress Test, which training leaves alone"
)
MADE_NOISE = "synthetic, since the MIT-BIH Noise Stress Test (`ecg data get nstdb`) is not at hand"
SNRS_DB = (24, 18, 12, 6, 0, -6)
FACTORS = (0.5, 0.7, 1.4, 2.0)
RATES_HZ = (62.5, 125.0, 250.0, 500.0)
MAINS_MV = (0.05, 0.1, 0.2, 0.5)
LOST = (1, 2, 3, 5)
EXCHANGED = ("RA-LA", "RA-LL", "LA-LL", "V1-V2", "V2-V3")
_MAINS_HZ, _LEAST_MAINS_FS = 50.0, 250.0
_NOISE_S = 540.0
_WORDS = {"em": "electrode motion", "ma": "muscle", "bw": "baseline wander"}
_LIMB = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}
"""Weights of I and II."""

Change = Callable[[Recording, np.random.Generator], Recording]


@dataclass(frozen=True)
class Trial:
    """Something done to recordings."""

    kind: str
    level: str
    dose: float
    change: Change
    needs: tuple[str, ...] = ()
    """Leads without which a recording is left out."""

    @property
    def name(self) -> str:
        """Kind and level."""
        return f"{self.kind}: {self.level}"


class Noise:
    """Noise to add to recordings of any rate: electrode motion, muscle and baseline wander."""

    def __init__(self, kinds: Mapping[str, np.ndarray], fs: float, about: str) -> None:
        """Take kind to noise, shape (n_channels, n_samples), at ``fs``."""
        self._kinds, self._fs, self.about = kinds, fs, about
        self._at: dict[float, dict[str, np.ndarray]] = {}

    @classmethod
    def find(cls, root: str | Path | None) -> Noise:
        """Return recorded noise where the Noise Stress Test is at hand, in ``root`` or beside it, else made noise."""
        places = [root, *([] if root is None else [Path(root).parent, None])]
        for place in places:
            try:
                listing = DATASETS["nstdb"].listing(place)
            except DataSetError:
                continue
            kinds, fs = {}, 0.0
            for entry in listing:
                recording = entry.load()
                fs = recording.fs
                kinds[entry.name] = np.nan_to_num(recording.signal[:, int(HELD_PART * recording.n_samples) :])
            if set(kinds) == set(_WORDS):
                return cls({kind: kinds[kind] for kind in ("bw", "em", "ma")}, fs, RECORDED_NOISE)
        return cls.made()

    @classmethod
    def made(cls) -> Noise:
        """Return synthetic noise, the same each time."""
        rng, fs = np.random.default_rng(0), 360.0
        makers = {"bw": wander, "em": motion, "ma": muscle}
        kinds = {kind: make(rng, 2, int(_NOISE_S * fs), fs) for kind, make in makers.items()}
        return cls(kinds, fs, MADE_NOISE)

    def at(self, fs: float, n: int) -> dict[str, np.ndarray]:
        """Return the noise at a rate, repeated until there are more than ``n`` samples."""
        if fs not in self._at:
            self._at[fs] = {kind: resample_array(rows, self._fs, fs) for kind, rows in self._kinds.items()}
        return {kind: np.tile(rows, (1, n // rows.shape[1] + 2)) for kind, rows in self._at[fs].items()}


def trials(noise: Noise) -> tuple[Trial, ...]:
    """Return what a model is tried with, kind by kind, in order of dose."""

    def noisy(kinds: tuple[str, ...], snr_db: float) -> Change:
        def change(signal: np.ndarray, fs: float, rng: np.random.Generator) -> np.ndarray:
            rows = noise.at(fs, signal.shape[2])
            return add_noise(signal, {kind: rows[kind] for kind in kinds}, snr_db, rng)

        return partial(_changed, change)

    def plain(change: Callable[..., np.ndarray], *settings: float | str) -> Change:
        return partial(_changed, lambda signal, _fs, _rng: change(signal, *settings))

    def hum(signal: np.ndarray, fs: float, rng: np.random.Generator, amplitude_mv: float) -> np.ndarray:
        return add_mains(signal, fs, _MAINS_HZ, amplitude_mv, max(fs, _LEAST_MAINS_FS), rng)

    def resampled(rate: float) -> Change:
        return partial(_changed, lambda signal, fs, _rng: through_rate(signal, fs, rate))

    return (
        *(Trial("all noise", f"{snr} dB", snr, noisy(tuple(_WORDS), snr)) for snr in SNRS_DB),
        *(Trial(words, f"{snr} dB", snr, noisy((kind,), snr)) for kind, words in _WORDS.items() for snr in (12, 0)),
        *(Trial("amplitude", f"times {by:g}", by, plain(scale, by)) for by in FACTORS),
        *(Trial("resampling", f"{rate:g} Hz and back", rate, resampled(rate)) for rate in RATES_HZ),
        *(
            Trial("mains", f"{_MAINS_HZ:g} Hz, {mv:g} mV", mv, partial(_changed, partial(hum, amplitude_mv=mv)))
            for mv in MAINS_MV
        ),
        *(Trial("leads lost", f"{lost} of 8", lost, partial(_without, lost), INDEPENDENT_8) for lost in LOST),
        *(
            Trial("electrodes exchanged", kind, 1, plain(exchange_electrodes, kind), INDEPENDENT_8)
            for kind in EXCHANGED
        ),
    )


def _changed(
    change: Callable[[np.ndarray, float, np.random.Generator], np.ndarray],
    recording: Recording,
    rng: np.random.Generator,
) -> Recording:
    """Return a recording whose leads, or eight where it holds these, went through ``change`` as one strip."""
    rows = _rows(recording)
    signal = np.array(recording.signal, np.float64)
    unrecorded = np.isnan(signal)
    signal[rows] = change(np.nan_to_num(signal[rows])[None], recording.fs, rng)[0]
    return _with(recording, signal, unrecorded)


def _without(lost: int, recording: Recording, rng: np.random.Generator) -> Recording:
    """Return a recording in which some of the eight leads, and what follows from them, were not recorded."""
    rows = np.array(_rows(recording))
    signal = np.array(recording.signal, np.float64)
    unrecorded = np.isnan(signal)
    unrecorded[rng.permutation(rows)[:lost]] = True
    signal[unrecorded] = np.nan
    return _with(recording, signal, unrecorded)


def _rows(recording: Recording) -> list[int]:
    leads = INDEPENDENT_8 if set(INDEPENDENT_8) <= set(recording.leads) else recording.leads
    return [recording.leads.index(lead) for lead in leads]


def _with(recording: Recording, signal: np.ndarray, unrecorded: np.ndarray) -> Recording:
    if set(INDEPENDENT_8) <= set(recording.leads):
        i, ii = (signal[recording.leads.index(lead)] for lead in ("I", "II"))
        for lead, (of_i, of_ii) in _LIMB.items():
            if lead in recording.leads:
                signal[recording.leads.index(lead)] = of_i * i + of_ii * ii
    signal[unrecorded] = np.nan
    return replace(recording, signal=signal.astype(np.float32))
