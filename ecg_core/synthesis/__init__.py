"""Synthetic 12-lead ECGs whose truth is known exactly, by construction.

>>> from ecg_core.synthesis import synthesize
>>> made = synthesize("af", "lbbb", rate_bpm=90, noise="muscle", snr_db=20, seed=3)
>>> made.recording, made.truth.qrs.onset_s
"""

from ecg_core.synthesis.cases import Case, bundled_cases
from ecg_core.synthesis.compose import OPTIONS, Synthetic, synthesize
from ecg_core.synthesis.noise import NOISES
from ecg_core.synthesis.rhythms import RHYTHMS
from ecg_core.synthesis.shapes import SHAPES
from ecg_core.synthesis.truth import ST_OFFSETS_MS, Episode, Truth, WaveTimes

__all__ = [
    "NOISES",
    "OPTIONS",
    "RHYTHMS",
    "SHAPES",
    "ST_OFFSETS_MS",
    "Case",
    "Episode",
    "Synthetic",
    "Truth",
    "WaveTimes",
    "bundled_cases",
    "synthesize",
]
