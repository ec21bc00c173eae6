"""What ``heart12`` is measured to be worth: names, planted gaps and losses, and what answers say of themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ecg_core.evaluation.robustness import Condition, scale
from tests.predictors.heart12_model import HEADS, OUTPUTS
from training.heart12_calibration import fit_heads
from training.heart12_heads import Answers, Layout
from training.heart12_metrics import People, accuracy, measure_heart12, truths_of
from training.heart12_robustness import LOST, accuracy_with_lost, measure_robustness
from training.heart12_text import entry, to_text

LAYOUT = Layout(OUTPUTS, HEADS)
N_LABELS = len(OUTPUTS) - 2
N = 800
MI = OUTPUTS.index("superclass.MI")


def people_of(targets: np.ndarray) -> People:
    female = targets[:, OUTPUTS.index("sex.female")].astype(float)
    quality = np.array(["good"] * (N - 10) + ["poor"] * 10)
    return People(60 + 17 * targets[:, -1], female, quality)


def draw(seed: int, *, blind: str | None = None) -> tuple[Answers, np.ndarray]:
    """Return answers and targets; with ``blind``, infarcts of that sex are not seen."""
    rng = np.random.default_rng(seed)
    right = rng.normal(-1.5, 2.0, (N, N_LABELS))
    right[:, OUTPUTS.index("statements.TRIGU")] -= 6
    right[:, OUTPUTS.index("sex.female")] += 1.5
    truth = rng.random(right.shape) < 1 / (1 + np.exp(-right))
    # Everybody has a statement, and those without a class are not diagnosed.
    truth[:, OUTPUTS.index("statements.SR")] |= ~truth[:, : len(HEADS["statements"])].any(axis=1)
    if blind:
        rows = truth[:, OUTPUTS.index("sex.female")] == (blind == "female")
        right[rows, MI] = rng.normal(-1.5, 2.0, rows.sum())
    age = rng.uniform(-2, 1.7, N)
    targets = np.column_stack([truth, age]).astype(np.float32)
    classes = LAYOUT.columns("superclass")
    undiagnosed = ~truth[:, classes].any(axis=1)
    targets[np.ix_(undiagnosed, [*LAYOUT.columns("subclass"), *classes])] = -9
    spread = np.full(N, -1.0)
    return Answers(np.column_stack([right, age + rng.laplace(0, np.exp(-1.0), N), spread])), targets


@pytest.fixture(scope="module")
def heads() -> dict[str, Any]:
    said, targets = draw(0)
    return fit_heads(LAYOUT, {"full": said, "I": said}, targets, {}, {})


def measured(heads: Mapping[str, Any], seed: int = 1, resamples: int = 40, **changes: Any) -> dict[str, Any]:
    said, targets = draw(seed, **changes)
    worse = Answers(said.net + np.random.default_rng(2).normal(0, 2, said.net.shape))
    return measure_heart12(LAYOUT, heads, {"full": said, "I": worse}, targets, people_of(targets), resamples=resamples)


@pytest.fixture(scope="module")
def metrics(heads) -> dict[str, Any]:
    found = {"model": "heart12", "version": "0", "data": "ptbxl", "split": "made up", **measured(heads)}
    return found | {"robustness": robust(heads)}


def robust(heads: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures of a network whose answers are written into the strips, under conditions of known effect."""
    said, targets = draw(3)
    strips = np.zeros((N, 8, 1000), np.float32)
    strips[:, 0, : said.net.shape[1]] = said.net

    def outputs(signal: np.ndarray) -> np.ndarray:
        assert signal.shape[1:] == (8, 1000)
        return signal[:, 0, : said.net.shape[1]]

    tried = (
        Condition("amplitude", "times 1", 1, lambda signal, _: scale(signal, 1)),
        Condition("noise", "3 mV", 3, lambda signal, rng: signal + rng.normal(0, 3, signal.shape)),
        *(Condition(LOST, f"{lost} of 8", lost, lambda signal, _, n=lost: signal * (n < 2)) for lost in (1, 2)),
    )
    return measure_robustness(outputs, tried, LAYOUT, heads, strips, targets, records=400, resamples=40)


def test_figures_have_the_names_of_the_exam_with_those_of_other_leads_under_their_own(metrics):
    wanted = {"superclass.macro_auc", "superclass.MI.auc", "superclass.MI.se_at_sp90", "superclass.ece", "AFIB.auc"}
    wanted |= {"statements.macro_auc_10", "subclass.macro_auc", "rhythm.macro_auc", "sex.auc", "age.mae", "AFIB.auprc"}
    wanted |= {"lead_I.AFIB.auc", "lead_I.superclass.macro_auc", "superclass.ece_crossfit", "statements.IMI.f1"}
    assert wanted <= metrics["metrics"].keys()
    assert not any("abstains" in name for name in metrics["metrics"])


def test_every_figure_lies_within_its_interval_and_what_is_undefined_is_said(metrics):
    for metric in metrics["metrics"].values():
        assert metric["low"] <= metric["value"] <= metric["high"]
    assert not set(metrics["undefined"]) & set(metrics["metrics"])
    assert metrics["positives"]["statements.TRIGU"] < 20
    assert metrics["n"] == N


def test_fewer_leads_are_worse_where_they_were_made_worse(metrics):
    found = metrics["metrics"]
    assert found["lead_I.superclass.macro_auc"]["high"] < found["superclass.macro_auc"]["low"]
    assert found["lead_I.age.mae"]["value"] > found["age.mae"]["value"]


def test_scores_that_are_right_are_found_calibrated_and_covered(metrics):
    assert metrics["metrics"]["superclass.slope"]["value"] == pytest.approx(1, abs=0.15)
    assert metrics["metrics"]["superclass.ece_crossfit"]["value"] < 0.03
    assert metrics["conformal"]["full"]["superclass"]["coverage"]["value"] == pytest.approx(0.9, abs=0.04)
    assert metrics["metrics"]["age.coverage"]["value"] == pytest.approx(0.9, abs=0.05)
    assert abs(metrics["metrics"]["age.bias"]["value"]) < 1.5


def test_operating_points_carry_intervals_and_values_elsewhere(metrics):
    row = metrics["operating_points"]["se95"]["superclass.MI"]
    assert row["sensitivity"]["value"] == pytest.approx(0.95, abs=0.1)
    assert set(row["elsewhere"]) == {"ppv_at_0.01", "ppv_at_0.05", "ppv_at_0.2"}
    assert "statements.TRIGU" not in metrics["operating_points"]["max_f1"]


def test_a_gap_between_the_sexes_is_found_and_none_where_there_is_none(heads, metrics):
    fair = metrics["subgroups"]["sex"]["female"]["metrics"]["superclass.MI.auc.difference"]
    assert abs(fair["value"]) < 0.12
    gap = measured(heads, blind="female")["subgroups"]["sex"]["female"]["metrics"]["superclass.MI.auc.difference"]
    assert gap["high"] < -0.15


def test_small_groups_are_not_measured_and_say_why(metrics):
    poor = metrics["subgroups"]["quality"]["poor"]
    assert poor["n"] == 10
    assert "metrics" not in poor
    assert "50 records" in poor["reason"]
    assert set(metrics["subgroups"]["age"]) == {"under 40", "40 to 59", "60 to 74", "75 and over"}


def test_conditions_are_compared_with_the_same_records_as_recorded(metrics):
    unchanged, noisy, one, two = metrics["robustness"]["conditions"]
    assert unchanged["metrics"]["superclass.macro_auc.difference"] == {"value": 0, "low": 0, "high": 0}
    assert noisy["metrics"]["superclass.macro_auc.difference"]["high"] < -0.05
    assert two["metrics"]["superclass.macro_auc"]["value"] == pytest.approx(0.5)
    assert metrics["robustness"]["n"] == 400
    assert one["dose"] == 1


def test_what_an_answer_says_of_its_accuracy_is_that_of_its_view_or_loss(metrics):
    whole, one = accuracy(metrics, "full"), accuracy(metrics, "I")
    assert whole["metrics"]["AFIB.auc"] == metrics["metrics"]["AFIB.auc"]
    assert one["metrics"]["AFIB.auc"] == metrics["metrics"]["lead_I.AFIB.auc"]
    lost = accuracy_with_lost(metrics, 2)
    assert lost["metrics"]["superclass.macro_auc"]["value"] == pytest.approx(0.5)
    assert "2 of 8 leads" in lost["split"]


def test_text_is_json_of_the_same_value_and_no_line_for_every_number(metrics):
    text = to_text(metrics)
    assert json.loads(text) == json.loads(json.dumps(metrics))
    assert text.count("\n") < 3000


def test_intervals_are_widened_to_hold_the_value():
    from ecg_core.evaluation.report import Metric

    assert entry(Metric(0.01, 0.02, 0.03)) == {"value": 0.01, "low": 0.01, "high": 0.03}
    assert entry(Metric(0.123456, 0.1, 0.2))["value"] == 0.12346
    assert entry(Metric(None)) == {"value": None, "low": None, "high": None}


def test_targets_are_told_as_the_table_has_them():
    targets = draw(1)[1]
    targets[0, :N_LABELS] = 0
    targets[0, [OUTPUTS.index(name) for name in ("statements.AFIB", "superclass.MI", "subclass.IMI")]] = 1
    targets[1, [OUTPUTS.index("sex.female"), -1]] = -9
    first, second = truths_of(LAYOUT, targets)[:2]
    assert (set(first.statements), first.superclasses, first.subclasses) == ({"AFIB"}, {"MI"}, {"IMI"})
    assert first.sex == "male"
    assert first.age == pytest.approx(60 + 17 * targets[0, -1])
    assert (second.sex, second.age) == (None, None)


def test_shuffled_truth_gives_chance():
    said, targets = draw(5)
    shuffled = np.random.default_rng(0).permutation(targets, axis=0)
    heads = fit_heads(LAYOUT, {"full": said}, shuffled, {}, {})
    other, truth = draw(6)
    truth = np.random.default_rng(1).permutation(truth, axis=0)
    found = measure_heart12(LAYOUT, heads, {"full": other}, truth, people_of(truth), resamples=40)["metrics"]
    for name in ("superclass.macro_auc", "sex.auc"):
        assert found[name]["low"] < 0.5 < found[name]["high"]
