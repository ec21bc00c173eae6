"""Values with bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.evaluation import bootstrap
from ecg_core.evaluation.bootstrap import Tally, measure, ratio


def mean_score(values: np.ndarray):
    tally = Tally([{"sum": value, "n": 1.0} for value in values])

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        return {"mean": ratio(sums["sum"], sums["n"])}

    return score


def names(n: int) -> list[str]:
    return [f"r{i}" for i in range(n)]


def test_interval_of_a_mean_is_that_of_theory():
    values = np.random.default_rng(0).normal(10, 2, 400)
    metric = measure(mean_score(values), names(400), resamples=4000)["mean"]
    assert metric.value == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert metric.low == pytest.approx(values.mean() - half, abs=0.03)
    assert metric.high == pytest.approx(values.mean() + half, abs=0.03)


def test_weighted_sums_equal_sums_over_the_drawn_records():
    rng = np.random.default_rng(0)
    records = [{"a": rng.random(), **({"b": rng.random()} if i % 3 else {})} for i in range(20)]
    drawn = rng.integers(20, size=(5, 20))
    weights = np.stack([np.bincount(row, minlength=20) for row in drawn]).astype(float)
    sums = Tally(records)(weights)
    for name in ("a", "b"):
        assert sums[name] == pytest.approx([sum(records[i].get(name, 0.0) for i in row) for row in drawn])
    assert sums["nobody has this"].tolist() == [0.0] * 5


def test_same_seed_same_interval_and_another_seed_another():
    score = mean_score(np.arange(30.0))
    assert measure(score, names(30), seed=3) == measure(score, names(30), seed=3)
    assert measure(score, names(30), seed=3) != measure(score, names(30), seed=4)


def test_interval_does_not_depend_on_how_many_resamples_are_held_at_a_time(monkeypatch):
    score = mean_score(np.arange(31.0))
    whole = measure(score, names(31), resamples=200)["mean"]
    monkeypatch.setattr(bootstrap, "_CHUNK", 31 * 7)
    parts = measure(score, names(31), resamples=200)["mean"]
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high))


def test_resamples_draw_whole_groups():
    values = np.repeat(np.random.default_rng(1).normal(size=20), 50)
    alone = measure(mean_score(values), names(1000))["mean"]
    grouped = measure(mean_score(values), [f"patient {i // 50}" for i in range(1000)])["mean"]
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 5 * (alone.high - alone.low)


def test_one_group_has_a_value_and_no_interval():
    metric = measure(mean_score(np.array([1.0, 3.0])), ["same", "same"])["mean"]
    assert (metric.value, metric.low, metric.high) == (2.0, None, None)


def test_undefined_value_is_none_and_resamples_without_it_stay_out_of_the_interval():
    tally = Tally([{"hit": 1.0, "rare": 1.0}] + [{"hit": 0.0}] * 4)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        return {"rare": ratio(sums["hit"], sums["rare"]), "never": ratio(sums["hit"], sums["no"])}

    metrics = measure(score, names(5))
    assert (metrics["rare"].value, metrics["rare"].low, metrics["rare"].high) == (1.0, 1.0, 1.0)
    assert metrics["never"].to_dict() == {"value": None, "low": None, "high": None}


def test_no_records_is_an_error():
    with pytest.raises(InvalidValue, match="no records"):
        measure(mean_score(np.array([])), [])
