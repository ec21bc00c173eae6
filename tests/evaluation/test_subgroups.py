"""Gaps between subgroups, and between conditions, with intervals of their own."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.classification import auc
from ecg_core.evaluation.subgroups import age_bands, compare_conditions, compare_with_rest

N = 1500


def scorer(truth: np.ndarray, score: np.ndarray):
    return lambda rows: lambda weights: {"auc": auc(truth[rows], score[rows], weights)}


def cases(gap: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, score and membership; scores of members separate the classes by ``gap`` less."""
    rng = np.random.default_rng(0)
    member = rng.random(N) < 0.3
    truth = rng.random(N) < 0.4
    return truth, rng.normal((2 - gap * member) * truth, 1), member


def names() -> list[str]:
    return [str(at) for at in range(N)]


def test_a_planted_gap_is_found_with_its_size():
    truth, score, member = cases(1.2)
    found = measure(compare_with_rest(scorer(truth, score), member, ("auc",)), names(), resamples=300)
    assert found["auc"].value == pytest.approx(float(auc(truth[member], score[member])))
    difference = found["auc.difference"]
    assert difference.value == pytest.approx(
        float(auc(truth[member], score[member]) - auc(truth[~member], score[~member]))
    )
    assert difference.high < -0.08


def test_no_gap_leaves_no_difference_in_its_interval():
    truth, score, member = cases(0.0)
    difference = measure(compare_with_rest(scorer(truth, score), member, ("auc",)), names(), resamples=300)[
        "auc.difference"
    ]
    assert difference.low < 0 < difference.high


def test_conditions_on_the_same_records_are_resampled_together():
    truth, score, _ = cases(0.0)
    rng = np.random.default_rng(1)
    make, worse = scorer(truth, score), scorer(truth, score + rng.normal(0, 0.4, N))
    every = np.arange(N)
    paired = measure(compare_conditions(worse(every), make(every), ("auc",)), names(), resamples=300)
    alone = paired["auc"].high - paired["auc"].low
    assert paired["auc.difference"].high < 0
    assert paired["auc.difference"].high - paired["auc.difference"].low < 0.7 * alone


def test_a_figure_that_the_rest_does_not_have_is_undefined():
    truth, score, _ = cases(0.0)
    found = measure(compare_with_rest(scorer(truth, score), truth | (score > 0), ("auc",)), names(), resamples=20)
    assert found["auc"].value is not None
    assert found["auc.difference"].value is None


def test_bands_share_no_age_and_leave_out_none_that_is_known():
    ages = np.array([17.0, 39.9, 40, 59.5, 60, 90, np.nan])
    bands = age_bands(ages, (40, 60))
    assert list(bands) == ["under 40", "40 to 59", "60 and over"]
    np.testing.assert_array_equal(np.sum([*bands.values()], axis=0), [1, 1, 1, 1, 1, 1, 0])
    assert bands["40 to 59"][3]
