"""Figures of one lead without regard to marked waves: P waves in step with the beats, shapes, and the residue."""

from __future__ import annotations

import numpy as np

from ecg_core.predictors.figures_beats import STEP_S
from ecg_core.rhythm.morphology import FS, cut_beats, measure_rest, measure_shapes
from ecg_core.rhythm.strip import prepare

STRIP_FIGURES = (
    *("p_coherence", "p_mv", "p_height", "p_up", "p_down", "p_place_s", "p_alike_median", "p_alike_q20"),
    *("p_alike_share", "p_left", "p_snr", "p_follow", "p_pr_slope", "p_of_others"),
    *("qrs_alike_mean", "qrs_alike_min", "qrs_alike_q10", "qrs_odd", "qrs_very_odd", "qrs_width_s", "qrs_spread_s"),
    *("qrs_spread_ratio", "qrs_area", "qrs_area_ratio", "qrs_size_cv", "qrs_steepness", "qrs_up_share"),
    *("odd_alike", "odd_spread_ratio", "odd_size_ratio", "odd_early", "early_alike", "early_spread_ratio"),
    *("t_coherence", "t_up", "t_down", "t_place_s", "st_level"),
    *("rest_rms", "rest_explained", "rest_f_share", "rest_low_share", "rest_high_share", "rest_f_hz", "rest_f_peak"),
    *("rest_entropy", "tq_rms", "tq_f_rms", "tq_f_mv", "tq_step", "tq_crossings"),
)
"""See `ecg_core.rhythm.morphology`; counts are left out, since they grow with the length of a recording."""


def measure_strip(values: np.ndarray, fs: float, beats_s: np.ndarray) -> dict[str, float]:
    """Return `STRIP_FIGURES` of a lead (mV, shape (n,), at ``fs``), without those that cannot be had.

    ``beats_s`` are its beats in seconds, shape (n_beats,).
    """
    if np.isnan(values).all():
        return {}
    strip = prepare(values, fs)
    sample = np.rint(np.rint(beats_s / STEP_S) * STEP_S * FS).astype(np.int64)
    shapes = cut_beats(strip, sample[(sample >= 0) & (sample < len(strip))])
    if shapes is None:
        return {}
    figures = measure_shapes(shapes)
    figures |= measure_rest(strip, shapes, figures["qrs_mv"])
    return {name: figures[name] for name in STRIP_FIGURES if name in figures}
