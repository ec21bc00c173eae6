"""Figures that boosted trees read off a recording: what a cardiologist would measure, and how regular it all is.

Nothing here rests on what the model ``rhythm`` or any network of statements says, nor on the age and sex that are
stated: the figures come from beats, their classes, the marks of the waves and the signal itself. They mean the same at
every sampling rate: beats are taken to 10 ms and voltages are read at 100 Hz, as of the records that the trees learn
from. There is no figure for spikes of a pacemaker, which those records are too slow to show. A figure that cannot be
had is NaN.

Names: ``rr_cv`` is of the recording, ``V2.r_mv`` of one lead, and ``lead.r_mv`` of whichever lead trees for one lead
are given.

>>> from ecg_core.predictors.figures import FULL, ONE, row_of
>>> row_of(context.figures, FULL), row_of(context.figures, ONE, "II")
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.leads import CHEST, STANDARD_12
from ecg_core.predictors.figures_beats import BEAT_FIGURES, CLASS_FIGURES, measure_beats, measure_classes
from ecg_core.predictors.figures_strips import STRIP_FIGURES, measure_strip
from ecg_core.predictors.figures_voltages import LEAD_FIGURES, VOLTAGE_FIGURES, measure_voltages
from ecg_core.recording import Recording
from ecg_core.waves import WaveTable

if TYPE_CHECKING:
    from ecg_core.predictors.base import Context

STRIP_LEAD = "II"
"""The lead whose P waves and residue between the beats are looked at, if it can be; else it is the first that can.

With I and V1 besides, the AUC of trees rose by 0.0006 for AFIB and by nothing in the mean of eight labels."""
P_LEADS = ("I", "II", "V1")
ANY = "lead"
"""Stands for a lead in the names of `ONE`."""

_ST = ("q_mv", "r_mv", "s_mv", "st_j_mv", "st_60_mv", "t_max_mv", "t_min_mv")
_P = ("p_max_mv", "p_min_mv")
_RESTS_ON = {
    **dict.fromkeys(("total_mv", "st_up_mv", "st_down_mv", "t_inverted", "q_deep", "qrs_t_discordance"), STANDARD_12),
    **dict.fromkeys(("r_transition", "chest_r_mv", "chest_s_mv", "chest_low_mv"), CHEST),
    **dict.fromkeys(("sokolow_lyon_mv", "right_mv"), ("V1", "V5", "V6")),
    **dict.fromkeys(("cornell_mv", "cornell_product_mvms"), ("V3",)),
    "terminal_v1_mv": ("V1",),
}
"""Leads without which a figure of the recording cannot be had; limb leads follow from each other."""
_TIMES = {"r_time_ms": ("I", "aVL", "V1", "V5", "V6"), "r2_mv": ("V1", "V2"), "q_time_ms": ("II", "aVF", "V2", "V3")}

FULL: tuple[str, ...] = (
    *BEAT_FIGURES,
    *CLASS_FIGURES,
    *VOLTAGE_FIGURES,
    *(f"{lead}.{name}" for lead in STANDARD_12 for name in _ST),
    *(f"{lead}.{name}" for name, leads in _TIMES.items() for lead in leads),
    *(f"{lead}.{name}" for lead in P_LEADS for name in _P),
    *(f"{STRIP_LEAD}.{name}" for name in STRIP_FIGURES),
)
"""What trees for a whole recording read, in this order."""

ONE: tuple[str, ...] = (
    *BEAT_FIGURES,
    *(f"{ANY}.{name}" for name in LEAD_FIGURES),
    *(f"{ANY}.{name}" for name in STRIP_FIGURES),
)
"""What trees for one lead read, in this order."""


@dataclass(frozen=True, eq=False)
class Source:
    """What the figures are read off, all timed in seconds from the first sample of ``recording``."""

    recording: Recording
    beats_s: np.ndarray
    """Shape (n_beats,)."""
    stretch: np.ndarray
    """Number of the recorded stretch that each beat lies in, shape (n_beats,)."""
    marks: np.ndarray
    """Global marks, shape (n_rows, 3 waves, 3 instants), NaN where a wave is absent."""
    classes: np.ndarray
    """Probabilities of the classes of each beat, shape (n_beats, 5), or (0, 5) where there are none."""


def measure_figures(context: Context) -> dict[str, float]:
    """Return every figure of a recording that `FULL` and `ONE` name, by name, of its leads that can be trusted."""
    from ecg_core.preprocess import crop

    part, beats = context.part, context.beats
    trusted = context.quality.trusted_leads
    recording = context.recording
    if trusted and trusted != recording.leads:
        recording = recording.select(trusted)
    marks: WaveTable = context.waves.global_
    inside = np.ones(len(beats), bool)
    start = 0.0
    if part.reason is not None:
        recording, start = crop(recording, part.start_s, part.end_s), part.start_s
        inside = (beats.times_s >= part.start_s) & (beats.times_s < part.end_s)
    classes = context.classes.probabilities
    source = Source(
        recording,
        beats.times_s[inside] - start,
        beats.stretch[inside],
        marks.marks - start,
        classes[inside] if len(classes) == len(beats) else classes[:0],
    )
    return read_figures(source)


def read_figures(source: Source) -> dict[str, float]:
    """Return the figures of a source, see `measure_figures`."""
    recording = source.recording
    found = measure_beats(source.beats_s, source.stretch, source.marks)
    found |= measure_classes(source.classes)
    # One lead tells classes badly, and trees for one lead have learned from all of its beats.
    told = source.classes if recording.n_leads > 1 else source.classes[:0]
    found |= measure_voltages(recording, source.marks, source.beats_s, told)
    lead = STRIP_LEAD if STRIP_LEAD in recording.leads else recording.leads[0]
    strip = measure_strip(recording.lead(lead), recording.fs, source.beats_s)
    return found | {f"{lead}.{name}": value for name, value in strip.items()}


def row_of(figures: Mapping[str, float], names: Sequence[str], lead: str | None = None) -> np.ndarray:
    """Return the figures ``names`` as trees read them, float32, shape (n_names,); NaN for those that are missing.

    Parameters
    ----------
    lead
        Which one is meant by `ANY`.
    """
    if lead is not None:
        names = [name.replace(f"{ANY}.", f"{lead}.") for name in names]
    return np.array([figures.get(name, math.nan) for name in names], np.float32)


def without_leads(rows: np.ndarray, names: Sequence[str], lost: Sequence[str]) -> np.ndarray:
    """Return rows of figures (n, n_names) as they would roughly be without these leads: NaN for what rests on them."""
    gone = set(lost)
    blank = [name.split(".")[0] in gone or bool(gone.intersection(_RESTS_ON.get(name, ()))) for name in names]
    return np.asarray(np.where(blank, np.nan, rows), np.float32)
