"""Points of reliability and decision curves."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.reliability import decision_points, reliability_points


def test_probabilities_that_are_right_lie_on_the_diagonal():
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 4, 5000)
    truth = rng.random(5000) < probability
    found = reliability_points(truth, probability)
    assert found["n"] == [500] * 10
    inside = [
        low <= said <= high for said, low, high in zip(found["predicted"], found["low"], found["high"], strict=True)
    ]
    assert sum(inside) >= 9
    assert found["predicted"] == sorted(found["predicted"])


def test_probabilities_that_are_too_high_lie_below_it():
    rng = np.random.default_rng(1)
    probability = rng.uniform(0.4, 1, 2000)
    found = reliability_points(rng.random(2000) < probability - 0.3, probability)
    assert all(high < said for said, high in zip(found["predicted"], found["high"], strict=True))


def test_interval_of_a_bin_is_that_of_wilson():
    # 3 of 10: the interval of Wilson's score is 0.1078 to 0.6032.
    found = reliability_points(np.arange(10) < 3, np.full(10, 0.3), bins=1)
    assert (found["low"][0], found["high"][0]) == pytest.approx((0.1078, 0.6032), abs=1e-4)


def test_fewer_records_than_bins_are_refused():
    with pytest.raises(InvalidValue, match="too few records"):
        reliability_points(np.ones(3, bool), np.ones(3))


def test_net_benefit_by_hand():
    truth = np.array([1, 1, 0, 0, 0], bool)
    found = decision_points(truth, np.array([0.9, 0.1, 0.8, 0.1, 0.0]), at=(0.05, 0.5))
    # At 0.05 a false alarm costs 1/19, at 0.5 it costs 1.
    assert found["model"] == pytest.approx([(2 - 2 / 19) / 5, 0.0], abs=1e-5)
    assert found["all"] == pytest.approx([0.4 - 0.6 / 19, -0.2], abs=1e-5)
