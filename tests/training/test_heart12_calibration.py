"""Stacking and calibration of ``heart12`` on scores whose right calibration is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ecg_core.evaluation.calibration import calibration_error
from ecg_core.predictors.heads import Heads
from tests.predictors.heart12_model import HEADS as LABELS_OF_HEADS
from tests.predictors.heart12_model import OUTPUTS
from training.heart12_calibration import cross_fitted, fit_heads
from training.heart12_heads import COVERAGE, Answers, Layout, ages, probabilities, to_text
from training.heart12_stacking import choose_pull, fit_each, fit_shared, parts, probability

LAYOUT = Layout(OUTPUTS, LABELS_OF_HEADS)
N_LABELS = len(OUTPUTS) - 2
GRAPH = "trees.onnx"
STACKED = ["statements.AFIB", "superclass.NORM"]
RARE = "statements.TRIGU"
SLOPE, OFFSET = 0.6, -0.8
"""What the network's logits are to be multiplied by and shifted to be right."""


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def draw(seed: int, n: int = 2000, *, rare: float = -6.0) -> tuple[Answers, np.ndarray, np.ndarray]:
    """Return answers, targets and the right logits of labels whose trees know what the network does not."""
    rng = np.random.default_rng(seed)
    seen, unseen = rng.normal(-1.2, 1.5, (n, N_LABELS)), np.zeros((n, N_LABELS))
    seen[:, OUTPUTS.index(RARE)] += rare
    stacked = [OUTPUTS.index(name) for name in STACKED]
    unseen[:, stacked] = rng.normal(0, 1.5, (n, len(stacked)))
    right = seen + unseen
    truth = rng.random(right.shape) < sigmoid(right)
    spread = rng.uniform(-1.2, -0.4, n)
    median = rng.normal(0, 0.9, n)
    net = np.column_stack([(seen - OFFSET) / SLOPE, median, spread])
    age = 0.9 * median + 0.1 + 0.9 * rng.laplace(0, np.exp(spread))
    targets = np.column_stack([truth, age]).astype(np.float32)
    unknown = [OUTPUTS.index(name) for head in ("subclass", "superclass") for name in LAYOUT.heads[head].values()]
    targets[: n // 20, unknown] = -9
    targets[n // 20 : n // 10, -1] = -9
    return Answers(net, unseen[:, stacked] + 0.3), targets, right


@pytest.fixture(scope="module")
def heads() -> dict[str, Any]:
    said, targets, _ = draw(0)
    alone = Answers(said.net)
    return fit_heads(
        LAYOUT, {"full": said, "I": alone}, targets, {GRAPH: STACKED}, {"full": GRAPH}, features={GRAPH: ["rr_cv"]}
    )


def label(heads: Mapping[str, Any], name: str, view: str = "full") -> Mapping[str, Any]:
    return heads["views"][view]["labels"][name]


def test_scores_that_are_too_sure_and_shifted_are_brought_back(heads):
    plain = [name for name in LAYOUT.binary if name not in STACKED and not label(heads, name)["experimental"]]
    assert len(plain) > 10
    assert [label(heads, name)["net"] for name in plain] == pytest.approx([SLOPE] * len(plain), abs=0.12)
    assert [label(heads, name)["offset"] for name in plain] == pytest.approx([OFFSET] * len(plain), abs=0.3)


def test_new_records_get_the_right_probabilities(heads):
    said, targets, right = draw(1)
    found = probabilities(heads, "full", said)
    common = [at for at, name in enumerate(LAYOUT.binary) if not label(heads, name)["experimental"]]
    assert np.abs(found - sigmoid(right))[:, common].mean() < 0.02
    errors = [
        float(calibration_error(targets[known, at] > 0.5, found[known, at]))
        for at in common
        for known in [targets[:, at] > -5]
    ]
    assert np.mean(errors) < 0.02


def test_trees_count_where_they_know_more_and_the_network_answers_alone_where_they_are_missing(heads):
    for name in STACKED:
        assert label(heads, name)["trees"] == pytest.approx(1, abs=0.2)
        # Alone, the network's part of the truth is all that is left: its probabilities are less extreme.
        assert label(heads, name)["alone"]["net"] < label(heads, name)["net"]
    said, _, right = draw(2)
    gone = said.trees.copy()
    gone[::2] = np.nan
    found = probabilities(heads, "full", Answers(said.net, gone))
    stacked = [OUTPUTS.index(name) for name in STACKED]
    off = np.abs(found - sigmoid(right))[:, stacked]
    assert off[1::2].mean() < 0.03
    assert off[::2].mean() > 0.1
    np.testing.assert_allclose(found[::2], probabilities(heads, "full", Answers(said.net))[::2])


def test_a_view_without_trees_uses_none(heads):
    assert heads["views"]["I"]["trees"] is None
    assert all(row["trees"] == 0 and row["alone"] is None for row in heads["views"]["I"]["labels"].values())


def test_rare_labels_are_experimental_and_promise_nothing(heads):
    row = label(heads, RARE)
    assert row["positives"] < 20
    assert (row["experimental"], row["points"], row["conformal"]) == (True, {}, None)
    assert not any(label(heads, name)["experimental"] for name in LAYOUT.binary if name != RARE)


def test_unknown_truths_do_not_count(heads):
    assert label(heads, "superclass.MI")["n"] == 1900
    assert label(heads, "statements.AFIB")["n"] == 2000


def test_figures_beside_thresholds_are_those_of_records_left_out():
    said, targets, _ = draw(3, 400, rare=0.0)
    rng = np.random.default_rng(3)
    net = said.net.copy()
    net[:, :-2] = rng.normal(0, 1, (400, N_LABELS))
    at = OUTPUTS.index("statements.IMI")
    targets[:, at] = rng.random(400) < 0.06
    heads = fit_heads(LAYOUT, {"full": Answers(net)}, targets, {}, {})
    row = label(heads, "statements.IMI")
    found, truth = probabilities(heads, "full", Answers(net))[:, at], targets[:, at] > 0.5
    point = row["points"]["max_f1"]
    called = found >= point["threshold"]
    # Pure noise: chosen and judged on the same records, F1 looks better than calling everyone.
    inside = 2 * (called & truth).sum() / (called.sum() + truth.sum())
    outside = 2 * point["ppv"] * point["sensitivity"] / (point["ppv"] + point["sensitivity"])
    assert outside < inside


def test_predictive_values_are_stated_at_every_prevalence(heads):
    point = label(heads, "superclass.MI")["points"]["se95"]
    assert point["sensitivity"] == pytest.approx(0.95, abs=0.04)
    low, middle, high = point["ppv_at"]
    assert low < middle < high
    se, sp = point["sensitivity"], point["specificity"]
    assert middle == pytest.approx(0.05 * se / (0.05 * se + 0.95 * (1 - sp)), abs=1e-3)


def test_sets_cover_new_records_of_either_class(heads):
    said, targets, _ = draw(4, 4000)
    found = probabilities(heads, "full", said)
    for name in ("superclass.MI", "statements.AFIB", "sex.female"):
        at, row = OUTPUTS.index(name), label(heads, name)["conformal"]
        known = targets[:, at] > -5
        truth, said_so = targets[known, at] > 0.5, found[known, at]
        assert (said_so[truth] >= row["present"]).mean() == pytest.approx(COVERAGE, abs=0.035)
        assert (said_so[~truth] <= row["absent"]).mean() == pytest.approx(COVERAGE, abs=0.035)


def test_line_of_age_is_found_and_its_interval_covers(heads):
    row = heads["views"]["full"]["age"]
    assert row["slope"] == pytest.approx(0.9, abs=0.03)
    assert row["slope"] * 60 + row["offset"] == pytest.approx(60 + 17 * 0.1, abs=0.5)
    assert row["width"] == pytest.approx(np.log(10), rel=0.08)
    said, targets, _ = draw(5, 4000)
    years, half = ages(heads, "full", said)
    known = targets[:, -1] > -5
    covered = np.abs(60 + 17 * targets[:, -1] - years)[known] <= half[known]
    assert covered.mean() == pytest.approx(COVERAGE, abs=0.025)


def test_trees_that_know_more_of_age_narrow_it_and_are_read_alike(tmp_path):
    def with_age(seed: int) -> tuple[Answers, np.ndarray]:
        said, targets, _ = draw(seed, 3000)
        noise = np.random.default_rng(seed + 100).normal(0, 0.3, len(targets))
        of_trees = np.where(targets[:, -1] > -5, targets[:, -1], 0.0) + noise
        of_trees[:50] = np.nan
        return Answers(said.net, np.column_stack([of_trees, said.trees])), targets

    names = ["age.median", *STACKED]
    said, targets = with_age(8)
    fitted = fit_heads(LAYOUT, {"full": said}, targets, {GRAPH: names}, {"full": GRAPH}, features={GRAPH: ["rr_cv"]})
    new, truth = with_age(9)
    known = truth[:, -1] > -5
    stated = 60 + 17 * truth[:, -1]

    def error_and_width(answers: Answers) -> tuple[float, float, float]:
        years, half = ages(fitted, "full", answers)
        error = np.abs(years - stated)[known]
        return error.mean(), half[known].mean(), (error <= half[known]).mean()

    plain, both = error_and_width(Answers(new.net)), error_and_width(new)
    assert both[0] < 0.7 * plain[0]
    assert both[1] < plain[1]
    assert both[2] == pytest.approx(COVERAGE, abs=0.03)

    class Model:
        path = tmp_path

        def json(self, _: str) -> Any:
            return json.loads(to_text(fitted))

    view = Heads(Model()).views["full"]
    years, half = ages(fitted, "full", new)
    for at in (60, 61):
        median, low, _ = view.age.years(*new.net[at, -2:], new.trees[at])
        assert (median, median - low) == pytest.approx((years[at], half[at]))
    np.testing.assert_allclose(
        view.probabilities(new.net[60], new.trees[60]), probabilities(fitted, "full", new)[60], rtol=1e-9
    )


def test_what_is_written_is_read_and_applied_alike(heads, tmp_path):
    text = to_text(heads)
    assert json.loads(text) == json.loads(json.dumps(heads))

    class Model:
        path = tmp_path

        def json(self, _: str) -> Any:
            return json.loads(text)

    read = Heads(Model())
    said, _, _ = draw(6, 5)
    found, years = probabilities(heads, "full", said), ages(heads, "full", said)
    alone = probabilities(heads, "full", Answers(said.net))
    for at in range(5):
        view = read.views["full"]
        np.testing.assert_allclose(view.probabilities(said.net[at], said.trees[at]), found[at])
        np.testing.assert_allclose(view.probabilities(said.net[at], None), alone[at])
        median, low, _ = view.age.years(*said.net[at, -2:])
        assert (median, median - low) == pytest.approx((years[0][at], years[1][at]))


def test_cross_fitted_probabilities_do_not_know_the_truth_of_their_own_record():
    said, targets, _ = draw(7, 600)
    changed = targets.copy()
    held = parts(600, 5, 0)[0]
    changed[held, :N_LABELS] = np.where(targets[held, :N_LABELS] > -5, 1 - targets[held, :N_LABELS], -9)
    assert (changed[held] != targets[held]).any()
    # The pull is chosen over all records; with one strength of it, nothing else is shared.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.heart12_calibration.PULLS", (8.0,))
        first, second = (cross_fitted(LAYOUT, said, truth, STACKED) for truth in (targets, changed))
    np.testing.assert_allclose(first[held], second[held])
    others = np.setdiff1d(np.arange(600), held)
    assert np.abs(first[others] - second[others]).max() > 0.01


# --- the regressions themselves -------------------------------------------------------------------------------------


def test_a_label_with_few_records_stays_near_the_network_and_one_with_many_follows_them():
    rng = np.random.default_rng(8)
    right = rng.normal(-1, 1.5, (4000, 1))
    truth = (rng.random(right.shape) < sigmoid(right)).astype(float)
    net, known = right / 0.5, np.ones_like(right)
    few = fit_each(net[:40], None, truth[:40], known[:40], 100.0)
    many = fit_each(net, None, truth, known, 100.0)
    assert many.net[0] == pytest.approx(0.5, abs=0.05)
    assert few.net[0] > 0.6


def test_no_weight_is_negative():
    rng = np.random.default_rng(9)
    right = rng.normal(0, 2, (1000, 1))
    truth = (rng.random(right.shape) < sigmoid(right)).astype(float)
    net, against = (sign * right + rng.normal(0, 1, right.shape) for sign in (1, -1))
    found, without = (fit_each(net, trees, truth, np.ones_like(right), 2.0) for trees in (against, None))
    assert found.trees[0] == pytest.approx(0, abs=1e-6)
    assert found.net[0] == pytest.approx(without.net[0], abs=1e-3)
    backwards = fit_each(-right, None, truth, np.ones_like(right), 2.0)
    assert backwards.net[0] == pytest.approx(0, abs=1e-6)


def test_rare_labels_share_one_weight_and_one_offset():
    rng = np.random.default_rng(10)
    right = rng.normal(-4, 1.5, (3000, 6))
    truth = (rng.random(right.shape) < sigmoid(right)).astype(float)
    found = fit_shared((right + 0.5) / 0.5, None, truth, np.ones_like(right), 2.0)
    assert len(set(found.net)) == len(set(found.offset)) == 1
    assert found.net[0] == pytest.approx(0.5, abs=0.1)
    part = rng.normal(0, 1, right.shape)
    both = fit_shared(right - part, part, truth, np.ones_like(right), 2.0)
    assert (both.net[0], both.trees[0]) == pytest.approx((1, 1), abs=0.15)


def test_the_pull_is_strong_where_the_network_is_right_and_records_are_few():
    rng = np.random.default_rng(11)
    right = rng.normal(-2, 1.5, (150, 40))
    truth = (rng.random(right.shape) < sigmoid(right)).astype(float)
    folds = parts(150, 5, 0)
    known = np.ones_like(right)
    assert choose_pull(right, None, truth, known, (1.0, 1000.0), folds)[0] == 1000.0
    assert choose_pull(right / 0.3, None, truth, known, (1.0, 1000.0), folds)[0] == 1.0


def test_extreme_logits_stay_probabilities():
    assert probability(np.array([-1e6, 0, 1e6])) == pytest.approx([0, 0.5, 1])
