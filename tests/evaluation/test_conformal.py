"""Sets and intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.conformal import Cutoffs, interval_width, label_cutoffs, score_sets


def drawn(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return truths and probabilities that are far too sure of themselves: coverage must not lean on calibration."""
    truth = rng.random(n) < 0.3
    return truth, 1 / (1 + np.exp(-5 * rng.normal(1.5 * truth - 1, 1)))


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_sets_cover_either_class_as_stated_on_new_records(coverage):
    rng = np.random.default_rng(0)
    present, absent = [], []
    for _ in range(200):
        cutoffs = label_cutoffs(*drawn(rng, 120), coverage)
        truth, probability = drawn(rng, 400)
        present.append((probability[truth] >= cutoffs.present).mean())
        absent.append((probability[~truth] <= cutoffs.absent).mean())
    # At n calibration records of a class, coverage lies between what is stated and 1 / (n + 1) more.
    assert coverage - 0.01 <= np.mean(present) <= coverage + 1 / 36 + 0.01
    assert coverage - 0.01 <= np.mean(absent) <= coverage + 1 / 84 + 0.01


def test_too_few_records_promise_nothing_and_the_set_holds_all():
    truth = np.array([True] * 8 + [False] * 8)
    cutoffs = label_cutoffs(truth, np.linspace(0, 1, 16), 0.9)
    assert (cutoffs.present, cutoffs.absent) == (0.0, 1.0)


def test_width_of_errors_of_known_spread_is_that_of_theory():
    rng = np.random.default_rng(1)
    assert interval_width(np.abs(rng.laplace(0, 1, 20000)), 0.9) == pytest.approx(np.log(10), rel=0.03)
    with pytest.raises(InvalidValue, match="too few records"):
        interval_width(np.ones(5), 0.9)


def test_coverage_and_decided_sets_by_hand():
    truth = np.array([[1], [1], [0], [0], [0]], bool)
    probability = np.array([[0.9], [0.1], [0.5], [0.2], [0.8]])
    known = np.array([[1], [1], [1], [1], [0]], bool)
    found = measure(score_sets(truth, probability, known, [Cutoffs(0.4, 0.6)], ["a"]), [*"vwxyz"], resamples=20)
    # Sets: {present}, {absent}, both, {absent}; the truth is missed in the second.
    assert found["a.coverage_present"].value == pytest.approx(1 / 2)
    assert found["a.coverage_absent"].value == pytest.approx(1)
    assert found["coverage"].value == found["a.decided"].value == pytest.approx(3 / 4)


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(InvalidValue):
        label_cutoffs(np.zeros(3, bool), np.zeros(4), 0.9)
