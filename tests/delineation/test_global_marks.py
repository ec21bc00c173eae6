"""Global QRS marks settled on the median beat."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.delineation.global_marks import END_REACH_S, ONSET_REACH_S, WIDE_S, settle
from ecg_core.synthesis import SHAPES, Synthetic, synthesize
from ecg_core.waves import END, ONSET, PEAK, QRS, P
from tests.measurements.marks import waves_of

WIDE = np.array([-0.008, 0.0, 0.009])


def widened(made: Synthetic) -> tuple[np.ndarray, np.ndarray]:
    """Return true global marks, and the same with QRS as wide as referees have it."""
    truth = waves_of(made.truth).global_.marks
    wide = truth.copy()
    wide[:, QRS] += WIDE
    return truth, wide


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"wpw"}))
@pytest.mark.parametrize("noise", [{}, {"noise": ("muscle", "baseline"), "snr_db": 20.0}], ids=["clean", "20 dB"])
def test_qrs_is_as_wide_as_the_heart_has_it(shape, noise):
    made = synthesize(shape=shape, seed=21, **noise)
    truth, wide = widened(made)
    error = settle(made.recording, wide)[:, QRS] - truth[:, QRS]
    assert np.nanmax(np.abs(error[:, [ONSET, END]])) < 0.006
    np.testing.assert_array_equal(error[:, PEAK][~np.isnan(error[:, PEAK])], 0)


def test_where_p_runs_into_qrs_the_onset_stays():
    made = synthesize(shape="wpw", seed=21)
    truth, wide = widened(made)
    found = settle(made.recording, wide)
    np.testing.assert_array_equal(found[:, QRS, ONSET], wide[:, QRS, ONSET])
    np.testing.assert_allclose(found[1:-1, QRS, END], truth[1:-1, QRS, END], atol=0.006)


def test_marks_move_no_further_than_their_reach_and_all_alike():
    made = synthesize("pvc", noise="motion", snr_db=0.0, seed=22)
    _, wide = widened(made)
    moved = settle(made.recording, wide) - wide
    for place, reach in ((ONSET, ONSET_REACH_S), (END, END_REACH_S + 0.004)):
        shifts = moved[:, QRS, place]
        shifts = shifts[~np.isnan(shifts)]
        assert np.abs(shifts).max() <= reach
        assert np.ptp(shifts) < 1e-9
    p = moved[:, P, ONSET]
    np.testing.assert_allclose(p[~np.isnan(p)], WIDE_S[P, ONSET])


@pytest.mark.parametrize(("leads", "n"), [(("II",), 8), (("I", "II", "V5"), 2), (("I", "II", "V5"), 0)])
def test_too_few_leads_or_beats_settle_nothing(leads, n):
    made = synthesize(leads=leads, seed=23)
    _, wide = widened(made)
    np.testing.assert_array_equal(settle(made.recording, wide[:n]), wide[:n])
