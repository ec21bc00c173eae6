"""Boosted trees as ONNX: the answers of XGBoost itself, to the last digits."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue

onnxruntime = pytest.importorskip("onnxruntime")
xgboost = pytest.importorskip("xgboost")
pytest.importorskip("onnx")

from training.trees import INPUT, to_onnx_logits, to_onnx_trees  # noqa: E402

N = 600
FEATURES = 7


def rows(seed=0):
    rng = np.random.default_rng(seed)
    found = (rng.standard_normal((N, FEATURES)) * 10.0 ** rng.integers(-3, 4, FEATURES)).astype(np.float32)
    found[rng.random(found.shape) < 0.2] = np.nan
    # Values that the trees split at: which side they fall on shows.
    found[:, 0] = np.round(rng.standard_normal(N))
    return found


def fit(objective, label, n_rounds=25, **settings):
    data = xgboost.DMatrix(rows(), label=label)
    return xgboost.train(
        {"objective": objective, "max_depth": 5, "eta": 0.3, "nthread": 1, "seed": 1, **settings}, data, n_rounds
    )


def serve(content, features):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {INPUT: features})[0]


def classes(n):
    return np.random.default_rng(3).choice(n, N, p=np.arange(1, n + 1) / np.arange(1, n + 1).sum())


@pytest.mark.parametrize("settings", [{}, {"base_score": 0.2}, {"num_parallel_tree": 2, "subsample": 0.5}])
@pytest.mark.parametrize("missing", [False, True])
def test_classes_have_the_probabilities_that_xgboost_gives(settings, missing):
    booster = fit("multi:softprob", classes(5), num_class=5, **settings)
    features = rows(1) if missing else np.nan_to_num(rows(1))
    expected = booster.predict(xgboost.DMatrix(features))
    found = serve(to_onnx_trees(booster, 5), features)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert found.shape == (N, 5)
    assert np.ptp(found) > 0.5


@pytest.mark.parametrize("settings", [{}, {"base_score": 0.9}, {"scale_pos_weight": 5.0}])
def test_two_answers_have_the_probabilities_that_xgboost_gives(settings):
    booster = fit("binary:logistic", classes(2), **settings)
    features = rows(2)
    expected = booster.predict(xgboost.DMatrix(features))
    np.testing.assert_allclose(
        serve(to_onnx_trees(booster, 2), features), np.column_stack((1 - expected, expected)), rtol=0, atol=1e-6
    )


def test_regression_has_the_values_that_xgboost_gives():
    booster = fit("reg:squarederror", np.random.default_rng(0).normal(3, 1, N))
    features = rows(2)
    found = serve(to_onnx_trees(booster, 1), features)
    np.testing.assert_allclose(found[:, 0], booster.predict(xgboost.DMatrix(features)), rtol=1e-6, atol=1e-6)


def test_a_missing_value_takes_another_way_than_a_low_one():
    booster = fit("binary:logistic", classes(2))
    content = to_onnx_trees(booster, 2)
    missing, low = rows(4), rows(4)
    missing[:, 1], low[:, 1] = np.nan, -1e30
    assert not np.allclose(serve(content, missing), serve(content, low))
    np.testing.assert_allclose(serve(content, missing)[:, 1], booster.predict(xgboost.DMatrix(missing)), atol=1e-6)


def test_one_row_alone_and_a_single_leaf_are_served():
    booster = fit("multi:softprob", classes(3), 1, num_class=3, gamma=1e9)
    found = serve(to_onnx_trees(booster, 3), rows()[:1])
    np.testing.assert_allclose(found, booster.predict(xgboost.DMatrix(rows()[:1])), atol=1e-6)


def test_same_booster_gives_the_same_bytes():
    first, second = (to_onnx_trees(fit("multi:softprob", classes(3), num_class=3), 3) for _ in range(2))
    assert first == second


def test_rounds_after_the_best_one_are_left_out():
    data, other = xgboost.DMatrix(rows(), label=classes(2)), xgboost.DMatrix(rows(5), label=classes(2)[::-1])
    settings = {"objective": "binary:logistic", "eta": 0.5, "nthread": 1}
    booster = xgboost.train(settings, data, 60, evals=[(other, "other")], early_stopping_rounds=5, verbose_eval=False)
    best = booster.best_iteration + 1
    assert best < booster.num_boosted_rounds()
    expected = booster.predict(data, iteration_range=(0, best))
    np.testing.assert_allclose(serve(to_onnx_trees(booster, 2), rows())[:, 1], expected, atol=1e-6)
    first = booster.predict(data, iteration_range=(0, 1))
    np.testing.assert_allclose(serve(to_onnx_trees(booster, 2, rounds=1), rows())[:, 1], first, atol=1e-6)


@pytest.mark.parametrize(
    ("objective", "n_classes", "settings", "sentence"),
    [
        ("binary:logistic", 3, {}, "does not suit the booster; found: 3; expected: 2"),
        ("binary:hinge", 2, {}, "objective: cannot be written as ONNX; found: binary:hinge"),
        ("binary:logistic", 2, {"booster": "dart"}, "found: dart; expected: gbtree"),
    ],
)
def test_what_onnx_cannot_say_is_refused(objective, n_classes, settings, sentence):
    with pytest.raises(InvalidValue, match=sentence):
        to_onnx_trees(fit(objective, classes(2), 2, **settings), n_classes)


def test_boosters_together_have_the_log_odds_that_xgboost_gives():
    boosters = [
        fit("binary:logistic", classes(2), 7),
        fit("binary:logistic", 1 - classes(2), 11, base_score=0.2),
        fit("reg:squarederror", np.random.default_rng(0).normal(3, 1, N), 5),
    ]
    features = rows(6)
    expected = np.column_stack([b.predict(xgboost.DMatrix(features), output_margin=True) for b in boosters])
    np.testing.assert_allclose(serve(to_onnx_logits(boosters), features), expected, rtol=0, atol=1e-5)


def test_two_columns_may_be_of_one_booster():
    boosters = [fit("binary:logistic", classes(2), 3), fit("binary:logistic", 1 - classes(2), 4)]
    plain = serve(to_onnx_logits(boosters), rows(7))
    np.testing.assert_array_equal(serve(to_onnx_logits(boosters, [1, 0, 1]), rows(7)), plain[:, [1, 0, 1]])


def test_boosters_on_other_features_are_refused():
    other = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows()[:, :3], label=classes(2)), 2)
    with pytest.raises(InvalidValue, match="same features"):
        to_onnx_logits([fit("reg:squarederror", classes(2), 2), other])
