"""The scorer of "unacceptable": against counting by hand, at the prevalence it states."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.quality import PREVALENCE, _to_prevalence, score_quality

TRUTH = np.array([True, True, True, True, False, False, False, False])


def score(probability: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    found = score_quality(TRUTH, np.atleast_2d(probability), threshold)(np.ones((1, len(TRUTH))))
    return {name: float(values[0]) for name, values in found.items()}


def test_counts_by_hand():
    found = score(np.array([0.9, 0.8, 0.6, 0.2, 0.7, 0.3, 0.1, 0.05]))
    assert found["sensitivity"] == 0.75
    assert found["specificity"] == 0.75
    assert found["auc"] == pytest.approx((4 + 4 + 3 + 2) / 16)
    assert found["ppv_at_23"] == pytest.approx(0.75 * 0.23 / (0.75 * 0.23 + 0.25 * 0.77))
    assert found["answered"] == 1


def test_repetitions_are_averaged():
    good = np.linspace(0.9, 0.1, 8)
    assert score(np.stack((good, 1 - good)))["auc"] == pytest.approx(0.5)


def test_a_record_that_the_model_declines_counts_as_not_answered_only():
    probability = np.array([0.9, 0.8, np.nan, 0.6, 0.3, 0.2, 0.1, 0.05])
    found = score(probability)
    assert found["auc"] == 1
    assert found["sensitivity"] == 1
    assert found["answered"] == pytest.approx(7 / 8)


def test_weights_reach_the_prevalence_whatever_the_sample():
    weights = np.random.default_rng(0).integers(1, 5, (3, 8)).astype(float)
    natural = _to_prevalence(TRUTH, weights)
    np.testing.assert_allclose(natural[:, TRUTH].sum(axis=1) / natural.sum(axis=1), PREVALENCE)


def test_one_class_has_no_auc():
    found = score_quality(np.ones(3, bool), np.full((1, 3), 0.9), 0.5)(np.ones((1, 3)))
    assert np.isnan(found["auc"][0])
    assert found["sensitivity"][0] == 1
