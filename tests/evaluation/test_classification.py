"""Ranking, operating points, macro means and calibration, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.classification import (
    auc,
    average_precision,
    rates_at,
    score_cinc2017,
    score_labels,
    sensitivity_at,
    specificity_at,
    tally_cinc2017,
)

cases = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=25)


def columns(case):
    truth, score, times = (np.array(column) for column in zip(*case, strict=True))
    return truth.astype(bool), score / 6, times.astype(float)


def auc_of_pairs(truth, score):
    wins = [(p > n) + (p == n) / 2 for p in score[truth] for n in score[~truth]]
    return np.mean(wins) if wins else np.nan


def average_precision_by_threshold(truth, score):
    area = recall_before = 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        called = score >= threshold
        recall = (truth & called).sum() / truth.sum()
        area += (recall - recall_before) * (truth & called).sum() / called.sum()
        recall_before = recall
    return area


def sensitivity_by_threshold(truth, score, specificity):
    best = 0.0
    for threshold in score:
        called = score >= threshold
        if (~called & ~truth).sum() >= specificity * (~truth).sum() - 1e-9:
            best = max(best, (called & truth).sum() / truth.sum())
    return best


@settings(max_examples=200, deadline=None)
@given(cases)
def test_ranking_equals_its_definition_with_ties_and_repeated_records(case):
    truth, score, times = columns(case)
    repeated = np.repeat(np.arange(len(truth)), times.astype(int))
    weights = np.stack([np.ones(len(truth)), times])
    for row, drawn in enumerate((np.arange(len(truth)), repeated)):
        some, values = truth[drawn], score[drawn]
        found = float(auc(truth, score, weights)[row])
        assert found == pytest.approx(auc_of_pairs(some, values), nan_ok=True)
        precision = float(average_precision(truth, score, weights)[row])
        expected = average_precision_by_threshold(some, values) if some.any() else np.nan
        assert precision == pytest.approx(expected, nan_ok=True)
        for level in (0.5, 0.9):
            at = float(sensitivity_at(truth, score, level, weights)[row])
            both = some.any() and not some.all()
            expected = sensitivity_by_threshold(some, values, level) if both else np.nan
            assert at == pytest.approx(expected, nan_ok=True)


def test_without_weights_the_figure_has_no_dimension():
    found = auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.1]))
    assert (found.shape, float(found)) == ((), 0.5)


def test_specificity_at_stated_sensitivity():
    truth = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    score = np.array([0.9, 0.8, 0.7, 0.2, 0.75, 0.3, 0.1, 0.0])
    assert float(specificity_at(truth, score, 0.75)) == 0.75
    assert float(specificity_at(truth, score, 1.0)) == 0.5
    assert float(specificity_at(truth, score, 0.5)) == 1.0


def test_rates_at_a_threshold_that_is_itself_positive():
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    rates = rates_at(truth, np.array([0.9, 0.5, 0.4, 0.5, 0.1, 0.1, 0.1, 0.1]), 0.5)
    assert float(rates.sensitivity) == pytest.approx(2 / 3)
    assert float(rates.specificity) == pytest.approx(4 / 5)
    assert float(rates.ppv) == pytest.approx(2 / 3)
    assert float(rates.npv) == pytest.approx(4 / 5)
    assert float(rates.f1) == pytest.approx(2 / 3)


def test_predictive_value_at_a_stated_prevalence_is_bayes():
    truth = np.array([True] * 10 + [False] * 10)
    score = np.array([1.0] * 9 + [0.0] + [1.0] * 2 + [0.0] * 8)
    rates = rates_at(truth, score, 0.5)
    assert float(rates.ppv_at(0.5)) == pytest.approx(float(rates.ppv))
    assert float(rates.ppv_at(0.01)) == pytest.approx(0.9 * 0.01 / (0.9 * 0.01 + 0.2 * 0.99))
    with pytest.raises(InvalidValue, match="prevalence"):
        rates.ppv_at(2)


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(InvalidValue, match="1 of 2"):
        auc(np.array([True, False]), np.array([np.nan, 0.5]))
    with pytest.raises(InvalidValue, match="one truth, score and weight a record"):
        auc(np.array([True, False]), np.array([0.5]))


# --- macro means ----------------------------------------------------------------------------------------------------


def task():
    rng = np.random.default_rng(0)
    truth = np.zeros((60, 4), bool)
    truth[:30, 0] = True
    truth[20:25, 1] = True
    truth[:50, 2] = True
    score = rng.random(truth.shape) + 0.5 * truth
    return truth, score


def test_macro_mean_counts_labels_with_both_classes_among_records_with_any_label():
    truth, score = task()
    kept = truth.any(axis=1)
    assert kept.sum() == 50  # so that label c is positive throughout
    metrics = measure(score_labels(truth, score, "abcd"), [str(i) for i in range(60)])
    expected = [float(auc(truth[kept][:, at], score[kept][:, at])) for at in (0, 1)]
    assert [metrics[f"{label}.auc"].value for label in "ab"] == pytest.approx(expected)
    assert metrics["c.auc"].value is metrics["d.auc"].value is None
    assert metrics["macro_auc"].value == pytest.approx(np.mean(expected))
    assert metrics["macro_auc_10"].value == pytest.approx(expected[0])
    assert metrics["macro_auprc"].low < metrics["macro_auprc"].value < metrics["macro_auprc"].high


def test_other_metrics_can_be_asked_for():
    truth, score = task()
    found = score_labels(truth, score, "abcd", {"se_at_90_sp": lambda t, s, w: sensitivity_at(t, s, 0.9, w)})
    assert set(measure(found, [str(i) for i in range(60)], resamples=2)) == {
        *(f"{label}.se_at_90_sp" for label in "abcd"),
        "macro_se_at_90_sp",
        "macro_se_at_90_sp_10",
    }


def test_labels_that_do_not_fit_are_refused():
    truth, score = task()
    with pytest.raises(InvalidValue, match="do not fit"):
        score_labels(truth, score, "abc")


# --- CinC 2017 ------------------------------------------------------------------------------------------------------


def test_noisy_records_count_in_the_denominator_of_every_class():
    pairs = ["NN"] * 50 + ["AA"] * 8 + ["OO"] * 20 + ["~~"] * 3 + ["NO"] * 5 + ["AN"] * 2 + ["N~"] * 4 + ["~O"] * 6
    records = [tally_cinc2017(*pair) for pair in pairs]
    found = measure(score_cinc2017(records), [str(i) for i in range(len(pairs))], resamples=2)
    n, a, o = 2 * 50 / (59 + 52), 2 * 8 / (10 + 8), 2 * 20 / (20 + 31)
    assert found["f1_n"].value == pytest.approx(n)
    assert found["f1_a"].value == pytest.approx(a)
    assert found["f1_o"].value == pytest.approx(o)
    assert found["f1_noise"].value == pytest.approx(2 * 3 / (9 + 7))
    assert found["f1_noa"].value == pytest.approx((n + a + o) / 3)


def test_label_outside_the_challenge_is_refused():
    with pytest.raises(InvalidValue, match="options: N, A, O, ~"):
        tally_cinc2017("N", "B")


# --- calibration ----------------------------------------------------------------------------------------------------


def sample(n: int, seed: int, slope: float = 1.0, intercept: float = 0.0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * logit)))
    return truth, 1 / (1 + np.exp(-logit))


def test_plain_calibration_error_is_the_mean_gap_over_equal_mass_bins():
    probability = np.array([0.1, 0.2, 0.6, 0.8])
    truth = np.array([False, True, True, True])
    assert float(calibration_error(truth, probability, bins=2, debiased=False)) == pytest.approx(
        (abs(0.15 - 0.5) + abs(0.7 - 1)) / 2
    )


def test_equal_probabilities_share_a_bin():
    truth = np.array([False] * 50 + [True] * 50)
    assert float(calibration_error(truth, np.full(100, 0.5), debiased=False)) == 0.0


def test_debiasing_takes_off_most_of_what_chance_adds_and_keeps_true_error():
    plain, debiased = [], []
    for seed in range(30):
        truth, probability = sample(2000, seed)
        plain.append(float(calibration_error(truth, probability, debiased=False)))
        debiased.append(float(calibration_error(truth, probability)))
    assert np.mean(plain) > 0.012
    assert np.mean(debiased) < 0.6 * np.mean(plain)
    truth, probability = sample(2000, 0)
    shifted = np.clip(probability + 0.1, 0, 1)
    assert float(calibration_error(truth, shifted)) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.3), (2.0, -1.0)])
def test_calibration_line_finds_the_slope_and_intercept_that_made_the_labels(slope, intercept):
    found = calibration_line(*sample(60_000, 1, slope, intercept))
    assert [float(figure) for figure in found] == pytest.approx([slope, intercept], abs=0.06)


def test_calibration_of_resamples_equals_that_of_repeated_records():
    truth, probability = sample(300, 2)
    times = np.random.default_rng(0).integers(0, 4, (3, 300))
    errors = calibration_error(truth, probability, times, debiased=False)
    slopes, intercepts = calibration_line(truth, probability, times)
    for row in range(3):
        drawn = np.repeat(np.arange(300), times[row])
        slope, intercept = calibration_line(truth[drawn], probability[drawn])
        assert float(slopes[row]) == pytest.approx(float(slope))
        assert float(intercepts[row]) == pytest.approx(float(intercept))
        again = np.ones((1, len(drawn)))
        assert float(errors[row]) == pytest.approx(
            float(calibration_error(truth[drawn], probability[drawn], again, debiased=False)[0])
        )


@pytest.mark.parametrize(
    ("truth", "probability"),
    [
        ([True, True, True], [0.2, 0.5, 0.9]),
        ([True, False, True], [0.5, 0.5, 0.5]),
        ([False, False, True, True], [0.1, 0.2, 0.7, 0.8]),
    ],
    ids=["one class", "one probability", "classes apart"],
)
def test_calibration_line_is_undefined_where_no_line_fits_best(truth, probability):
    assert np.isnan(calibration_line(np.array(truth), np.array(probability))).all()


def test_what_is_no_probability_is_refused():
    with pytest.raises(InvalidValue, match="0 to 1"):
        calibration_error(np.array([True]), np.array([1.2]))
