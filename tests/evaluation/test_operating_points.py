"""Thresholds for a purpose, what happens at them, and thinned curves."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.classification import auc, average_precision
from ecg_core.evaluation.operating_points import (
    POINTS,
    choose_thresholds,
    precision_recall_points,
    predictive_value,
    roc_points,
    score_calls,
)


def rates(truth: np.ndarray, called: np.ndarray) -> tuple[float, float, float]:
    hits = (truth & called).sum()
    return hits / truth.sum(), (~truth & ~called).sum() / (~truth).sum(), 2 * hits / (truth.sum() + called.sum())


@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("seed", range(5))
def test_thresholds_are_the_best_of_all_that_part_the_records(seed, decimals):
    rng = np.random.default_rng(seed)
    truth = rng.random(300) < 0.2
    probability = np.round(1 / (1 + np.exp(-rng.normal(2.0 * truth - 1.5, 1.2))), decimals)
    found = choose_thresholds(truth, probability)
    values = np.unique(probability)
    possible = [0.0, *((values[1:] + values[:-1]) / 2), 1.1]
    every = np.array([rates(truth, probability >= limit) for limit in possible])
    chosen = {point: rates(truth, probability >= found[point]) for point in POINTS}
    assert chosen["max_f1"][2] == pytest.approx(every[:, 2].max())
    assert chosen["se95"][0] >= 0.95
    assert chosen["se95"][1] == pytest.approx(every[every[:, 0] >= 0.95, 1].max())
    assert chosen["sp95"][1] >= 0.95
    assert chosen["sp95"][0] == pytest.approx(every[every[:, 1] >= 0.95, 0].max())


def test_threshold_lies_between_the_probabilities_that_it_parts():
    found = choose_thresholds(np.array([0, 0, 1, 1], bool), np.array([0.1, 0.2, 0.6, 0.9]))
    assert found["max_f1"] == found["se95"] == pytest.approx(0.4)


def test_nobody_is_called_where_the_most_probable_are_too_often_negative():
    truth = np.array([True] + [False] * 9)
    assert choose_thresholds(truth, np.full(10, 0.3))["sp95"] > 0.3


def test_predictive_value_by_hand():
    assert predictive_value(0.9, 0.9, 0.5) == pytest.approx(0.9)
    assert predictive_value(0.9, 0.9, 0.01) == pytest.approx(0.009 / (0.009 + 0.099))
    assert predictive_value(0.0, 1.0, 0.2) is None


def test_calls_are_counted_where_the_truth_is_known():
    truth = np.array([[1, 1], [1, 0], [0, 0], [0, 0], [1, 1]], bool)
    called = np.array([[1, 1], [0, 1], [1, 0], [0, 0], [1, 0]], bool)
    known = np.array([[1, 1], [1, 1], [1, 1], [1, 1], [0, 1]], bool)
    found = measure(score_calls(truth, called, known, ("a", "b"), (0.05,)), [*"vwxyz"], resamples=50)
    assert found["a.sensitivity"].value == pytest.approx(1 / 2)
    assert found["a.specificity"].value == pytest.approx(1 / 2)
    assert found["a.f1"].value == pytest.approx(1 / 2)
    assert found["b.sensitivity"].value == pytest.approx(1 / 2)
    assert found["b.ppv"].value == pytest.approx(1 / 2)
    assert found["b.npv"].value == pytest.approx(2 / 3)
    assert found["b.ppv_at_0.05"].value == pytest.approx(predictive_value(1 / 2, 2 / 3, 0.05))


def test_thinned_curves_keep_their_ends_and_nearly_their_area():
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.1
    score = rng.normal(1.8 * truth, 1.0)
    roc = roc_points(truth, score, 25)
    x, y = roc["false_positive_rate"], roc["sensitivity"]
    assert len(x) <= 25
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(float(auc(truth, score)), abs=0.01)
    curve = precision_recall_points(truth, score, 25)
    assert curve["sensitivity"][-1] == 1
    assert curve["ppv"][-1] == pytest.approx(0.1, abs=0.05)
    area = np.trapezoid(curve["ppv"], curve["sensitivity"])
    assert area == pytest.approx(float(average_precision(truth, score)), abs=0.03)
