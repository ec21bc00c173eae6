"""The features that beats are classed by: one row a beat, the same columns for any recording."""

from __future__ import annotations

import numpy as np

from ecg_core.beat_classes.families import FS, find_families
from ecg_core.beat_classes.shapes import shape_features
from ecg_core.beat_classes.timing import MINUTE, NEAR, running_median, shift, timing_features
from ecg_core.statistics import known_median, median

MOST_LEADS = 2
_OF_FAMILY = (
    "rr_before_to_normal",
    "rr_before_to_after",
    "rr_before_to_whole",
    "rr_pair_to_normal",
    "qrs_width_more_s.0",
    "qrs_likeness.0",
    "body_likeness.0",
    "p_likeness.0",
    "p_size.0",
    "clear_p_likeness.0",
    "clear_p_oddity.0",
    "t_area.0",
    "qrs_width_more_s.1",
    "body_likeness.1",
)
"""Also as the median over the beat's family, and over the dominant one."""
_OF_NEIGHBOURS = ("body_likeness.0", "qrs_width_more_s.0", "p_likeness.0", "qrs_distance.0", "clear_p_oddity.0")
"""Also of the beat before and of the beat after."""
_AROUND = ("p_likeness.0", "clear_p_likeness.0", "clear_p_oddity.0")
"""Also as the median over the beats around: where the atria fibrillate, no beat has its P wave."""


def beat_features(
    signal: np.ndarray, times_s: np.ndarray, stretch: np.ndarray, spike: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the features by name, float64, shape (n_beats,); NaN where one cannot be had.

    Parameters
    ----------
    signal
        Millivolts at `FS`, 0.5-40 Hz, shape (n_leads, n_samples) with one or two leads, NaN where not recorded.
    times_s
        Beats, seconds from the first sample, increasing, shape (n_beats,), at least one.
    stretch
        Number of the recorded stretch that each beat lies in.
    spike
        1 where a pacing spike drives the ventricles, 0 where none does, NaN where it cannot be said.
    """
    n = len(times_s)
    families = find_families(signal, np.rint(times_s * FS).astype(np.int64))
    dominant = families.dominant(times_s)
    alike = families.of_beat == dominant if len(families.templates) else np.zeros(n, bool)
    found = timing_features(times_s, stretch, alike)
    tails = families.tails(found["rr_usual_s"])
    windows = families.windows.transpose(1, 0, 2)
    templates = families.templates[dominant] if alike.any() else median(windows, 1)
    shapes = shape_features(windows, tails.transpose(1, 0, 2), templates, alike)
    for lead, known in enumerate(families.known.T):
        for name, values in shapes.items():
            found[f"{name}.{lead}"] = values[lead] if known.all() else np.where(known, values[lead], np.nan)
    found["spike"] = spike
    found["family_share"] = np.append(families.size, 0)[families.of_beat] / n
    found["family_is_dominant"] = alike.astype(np.float64)
    found["family_is_none"] = (families.of_beat == len(families.templates)).astype(np.float64)
    of_family = [name for name in _OF_FAMILY if name in found]
    table = np.stack([found[name] for name in of_family])
    members = [families.of_beat == family for family in range(len(families.templates))]
    middle = np.stack([*(known_median(table[:, own]) for own in members), np.full(len(table), np.nan)], axis=1)
    for name, values, usual in zip(of_family, middle[:, families.of_beat], known_median(table[:, alike]), strict=True):
        found[f"family_{name}"] = values
        found[f"dominant_{name}"] = np.full(n, usual)
    for name in _OF_NEIGHBOURS:
        found[f"last_{name}"], found[f"next_{name}"] = shift(found[name], 1), shift(found[name], -1)
    around = np.stack([found[name] for name in _AROUND])
    near, minute = running_median(around, NEAR), running_median(around, MINUTE)
    for row, name in enumerate(_AROUND):
        found[f"near_{name}"], found[f"minute_{name}"] = near[row], minute[row]
    return found


def feature_names() -> tuple[str, ...]:
    """Return the names of all features, those of a second lead included, in their order."""
    nothing = np.zeros(1)
    return tuple(beat_features(np.zeros((MOST_LEADS, int(FS))), nothing, nothing.astype(np.int64), nothing))


def feature_matrix(found: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Return the columns that ``names`` asks for, float32, shape (n_beats, n_features); NaN for those not found."""
    n = len(next(iter(found.values())))
    missing = np.full(n, np.nan)
    return np.ascontiguousarray(np.array([found.get(name, missing) for name in names], np.float32).T)
