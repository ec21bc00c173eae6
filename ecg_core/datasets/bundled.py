"""The bundled set: synthetic ECGs of known truth, graded by noise, at hand wherever the library is.

Nobody recorded these: they come from `ecg_core.synthesis`, in memory, the same in every process. They show what noise
costs a model on rhythms and shapes that are exactly known, and that an installation works. How good a model is on
people, the real sets say.

Every heart of `HEARTS` stands in every grade: without noise, then at six signal-to-noise ratios, with beats and noise
of its own each time. Half of the hearts are in twelve leads, half in one. The noise is a mixture as recordings have it
(baseline wander, muscle tremor, motion, mains hum, electrode pops), by turns that of a resting, of an exercised and of
an ambulatory recording; its kinds share its power equally. ``wandering`` hearts ride on a drift 12 dB stronger than
themselves, beside the noise of the grade.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ecg_core.beats import PREFERRED_LEAD
from ecg_core.datasets.base import DATASETS, DataSet, Entry, Listing, Split
from ecg_core.datasets.fetch import Origin, Progress, Report
from ecg_core.errors import InvalidValue
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording
from ecg_core.synthesis import Synthetic, Truth, synthesize

GRADES: dict[str, float | None] = {
    "clean": None,
    "24dB": 24.0,
    "18dB": 18.0,
    "12dB": 12.0,
    "6dB": 6.0,
    "0dB": 0.0,
    "-6dB": -6.0,
}
"""Grade to the signal-to-noise ratio in dB (see `ecg_core.synthesis.noise`), from no noise to the most."""

DURATION_S = 10.0
"""Of every record."""

_MIXTURES = (
    ("baseline", "muscle", "mains"),
    ("baseline", "motion", "muscle", "mains"),
    ("baseline", "motion", "muscle", "electrode_pop"),
)
_WANDER_DB = -12.0
_NOTE = "synthetic, made in memory by the library itself: nothing to download or verify"


@dataclass(frozen=True)
class Heart:
    """One heart of the set."""

    rhythm: str
    shape: str = "normal"
    leads: tuple[str, ...] = STANDARD_12
    rate_bpm: float | None = None
    wanders: bool = False
    options: Mapping[str, Any] | None = None
    """Further ones of `synthesize`."""


HEARTS: dict[str, Heart] = {
    "sinus_12leads": Heart("sinus", rate_bpm=66),
    "tachycardia_12leads": Heart("tachycardia"),
    "af_12leads": Heart("af", rate_bpm=96),
    "flutter_12leads": Heart("flutter", rate_bpm=92, options={"conduction": "variable"}),
    "pac_12leads": Heart("pac"),
    "pvc_12leads": Heart("pvc"),
    "lbbb_12leads": Heart("sinus", "lbbb", rate_bpm=74),
    "block_2_to_1_12leads": Heart("block_2_to_1", "rbbb"),
    "paced_12leads": Heart("paced"),
    "infarction_12leads": Heart("sinus", "anterior_mi_acute", rate_bpm=98),
    "low_amplitude_12leads": Heart("sinus", rate_bpm=82, options={"gain": 0.2}),
    "wandering_12leads": Heart("sinus", "lvh", rate_bpm=61, wanders=True),
    "sinus_II": Heart("sinus", leads=("II",), rate_bpm=75),
    "bradycardia_I": Heart("bradycardia", leads=("I",)),
    "af_II": Heart("af", leads=("II",), rate_bpm=72),
    "af_V1": Heart("af", "rbbb", leads=("V1",), rate_bpm=134),
    "pac_I": Heart("pac", leads=("I",), rate_bpm=78),
    "pvc_V5": Heart("pvc", leads=("V5",), rate_bpm=84),
    "bigeminy_II": Heart("bigeminy", leads=("II",)),
    "lbbb_V2": Heart("sinus", "lbbb", leads=("V2",), rate_bpm=88),
    "paced_II": Heart("paced", leads=("II",), rate_bpm=62),
    "long_qt_V3": Heart("sinus", "long_qt", leads=("V3",), rate_bpm=58),
    "low_amplitude_I": Heart("sinus", leads=("I",), rate_bpm=70, options={"gain": 0.2}),
    "wandering_II": Heart("sinus", leads=("II",), rate_bpm=104, wanders=True),
}


@dataclass(frozen=True, eq=False)
class BundledTruth:
    """What is known about a record: everything."""

    grade: str
    """Its place in `GRADES`."""
    lead: str
    """The lead in which the beats are timed: II, or the first."""
    r_s: np.ndarray
    """Its largest deflection in each QRS, seconds, float64, shape (n_beats,)."""
    made: Truth
    """Waves, intervals, beat classes, episodes, pacing spikes."""


@cache
def make_record(heart: str, grade: str) -> Synthetic:
    """Make one record, once a process."""
    of = HEARTS[heart]
    number, level = list(HEARTS).index(heart), list(GRADES).index(grade)
    db = GRADES[grade]
    noise: dict[str, Any] = {}
    if db is not None:
        mixture = _MIXTURES[(number + level) % len(_MIXTURES)]
        noise = {"noise": mixture, "snr_db": db}
        if of.wanders:
            others = len(mixture) - 1
            noise = {"noise": dict.fromkeys(mixture, db + 10 * math.log10(others)) | {"baseline": _WANDER_DB}}
    return synthesize(
        of.rhythm,
        of.shape,
        duration_s=DURATION_S,
        rate_bpm=of.rate_bpm,
        leads=of.leads,
        seed=1000 * level + number,
        **noise,
        **(of.options or {}),
    )


def _load(heart: str, grade: str) -> Recording:
    return make_record(heart, grade).recording


def _truth(heart: str, grade: str) -> BundledTruth:
    made = make_record(heart, grade).truth
    lead = PREFERRED_LEAD if PREFERRED_LEAD in made.leads else made.leads[0]
    r_s = made.qrs.lead_peak_s[:, made.leads.index(lead)]
    return BundledTruth(grade, lead, np.sort(r_s[~np.isnan(r_s)]), made)


def _name(heart: str, grade: str) -> str:
    return f"{heart}_{grade}"


def grade_of(name: str) -> str:
    """Return the grade of a record by its name."""
    grade = name.rpartition("_")[2]
    if grade not in GRADES:
        raise InvalidValue("not a record of the bundled set", field="record", found=name, options=GRADES)
    return grade


def _about(grade: str) -> str:
    return "without noise" if GRADES[grade] is None else f"noise at a signal-to-noise ratio of {GRADES[grade]:g} dB"


def _in_grade(grade: str) -> Callable[[Entry[Any]], bool]:
    return lambda entry: grade_of(entry.name) == grade


class Bundled(DataSet[BundledTruth]):
    """Einthoven's own synthetic ECGs, graded by noise."""

    name = "bundled"
    title = "Bundled synthetic ECGs"
    about = "synthetic, 12 leads or 1, 10 s, 500 Hz, by grades of noise; beats, waves, rhythm, pacing"
    page = "ecg_core/datasets/bundled.py"
    licence = "Apache-2.0"
    citation = "Einthoven, ecg_core.synthesis: not recorded from people"
    origin = Origin(None, by_hand=_NOTE)
    in_memory = True
    splits: ClassVar[Mapping[str, Split]] = {grade: Split(_about(grade), _in_grade(grade)) for grade in GRADES}

    def is_here(self, folder: Path) -> bool:  # noqa: ARG002 (no folder holds it)
        """Return that it is, everywhere."""
        return True

    def find(self, root: str | Path | None = None) -> Path:  # noqa: ARG002 (no folder holds it)
        """Return the module that makes it, wherever one looks."""
        return Path(__file__)

    def listing(self, root: str | Path | None = None) -> Listing[BundledTruth]:
        """List the records, grade by grade; none is made before it is asked for."""
        entries = tuple(
            Entry(_name(heart, grade), partial(_load, heart, grade), partial(_truth, heart, grade), f"bundled:{heart}")
            for grade in GRADES
            for heart in HEARTS
        )
        return Listing(self.locate(root), entries)

    def download(self, root: str | Path | None = None, **_: Any) -> Report:
        """Return that there is nothing to fetch."""
        return Report(self.name, self.locate(root), 0, note=_NOTE)

    def verify(
        self,
        root: str | Path | None = None,
        progress: Callable[[Progress], None] | None = None,  # noqa: ARG002 (there is nothing to read)
    ) -> Report:
        """Return that there is nothing to verify."""
        return Report(self.name, self.locate(root), 0, note=_NOTE)


DATASETS.register(Bundled.name, Bundled())
