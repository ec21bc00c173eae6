"""How the trees of ``tabular`` and ``heart12`` are fitted: nothing of a record's own truth reaches its answer."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

from ecg_core.artefacts import shipped_models  # noqa: E402
from ecg_core.datasets.ptbxl import PtbXlTruth  # noqa: E402
from ecg_core.evaluation.classification import auc  # noqa: E402
from ecg_core.evaluation.exams.tabular import score_tabular  # noqa: E402
from ecg_core.predictors.figures import FULL  # noqa: E402
from ecg_core.predictors.tabular import AGE, SEX  # noqa: E402
from training import heart12_trees, tabular  # noqa: E402
from training.heart12_trees import SETTINGS, fit, out_of_fold  # noqa: E402
from training.recipe import Recipe  # noqa: E402
from training.trees import INPUT  # noqa: E402

QUICK = {
    **SETTINGS,
    "common": {**SETTINGS["common"], "rounds": 12, "eta": 0.3},
    "rare": {**SETTINGS["rare"], "rounds": 8, "eta": 0.3},
    "shared": {**SETTINGS["shared"], "colsample_bytree": 1.0},
}
N = 1600
NAMES = ("rr_cv", "II.r_mv", "V1.r_mv", "V5.r_mv", "sokolow_lyon_mv", "pr_ms")
OUTPUTS = ("statements.A", "statements.B", "subclass.A", "superclass.S", "statements.RARE", "statements.NEVER")


def material(seed=0):
    rng = np.random.default_rng(seed)
    figures = rng.standard_normal((N, len(NAMES))).astype(np.float32)
    a = figures[:, 0] + 0.3 * rng.standard_normal(N) > 0.8
    b = figures[:, 2] + 0.3 * rng.standard_normal(N) > 0.5
    diagnosed = rng.random(N) < 0.8
    rare = np.zeros(N)
    rare[np.argsort(-figures[:, 5])[:40]] = 1
    targets = np.stack([a, b, np.where(diagnosed, a, -9), np.where(diagnosed, a | b, -9), rare, np.zeros(N)], axis=1)
    return figures, targets.astype(np.float32)


def test_labels_of_the_same_truth_share_their_trees_and_rare_ones_are_left_out():
    figures, targets = material()
    trees = fit(figures, targets, OUTPUTS, np.arange(N), NAMES, QUICK)
    assert trees.outputs == OUTPUTS[:5]
    assert trees.columns == (0, 1, 0, 2, 3)
    served = onnxruntime.InferenceSession(trees.to_onnx()).run(None, {INPUT: figures})[0]
    np.testing.assert_allclose(served, trees.logits(figures), atol=1e-5)


def test_trees_tell_what_is_there_to_be_told():
    figures, targets = material()
    trees = fit(figures, targets, OUTPUTS, np.arange(1000), NAMES, QUICK)
    said, truth = trees.logits(figures[1000:]), targets[1000:] > 0
    for column, output in enumerate(trees.outputs):
        known = targets[1000:, OUTPUTS.index(output)] > -5
        assert auc(truth[known, OUTPUTS.index(output)], said[known, column]) > 0.85, output


def test_of_a_rare_label_the_negatives_left_out_still_count():
    figures, targets = material()
    few = {**QUICK, "least_negatives": 300, "most_negatives_each": 1, "few": 10}
    booster = heart12_trees.fit_one(figures, targets[:, 0], few)
    told = booster.predict(xgboost.DMatrix(figures))
    assert told.mean() == pytest.approx(targets[:, 0].mean(), abs=0.05)


def test_without_the_leads_that_tell_the_answer_stays_in_doubt():
    figures, targets = material()
    trees = fit(figures, targets, OUTPUTS, np.arange(N), NAMES, QUICK)
    blank = heart12_trees.without_leads(figures, NAMES, ("V1",))
    said = 1 / (1 + np.exp(-trees.logits(blank)[:, 1]))
    assert np.ptp(said) < 0.75
    assert abs(said.mean() - targets[:, 1].mean()) < 0.15


def test_out_of_fold_answers_come_from_the_other_parts():
    figures, targets = material()
    parts = [np.arange(at, N, 4) for at in range(4)]
    found = out_of_fold(figures, targets, OUTPUTS, parts, NAMES, QUICK)
    others = np.setdiff1d(np.arange(N), parts[2])
    alone = fit(figures, targets, OUTPUTS, np.concatenate([p for p in parts if p is not parts[2]]), NAMES, QUICK)
    np.testing.assert_array_equal(found[parts[2], 0], alone.logits(figures[parts[2]])[:, 0])
    assert np.isfinite(found[others, 0]).all()
    assert np.isnan(found[:, 5]).all()


def test_shuffled_truths_cannot_be_told():
    figures, targets = material()
    shuffled = np.random.default_rng(3).permutation(targets)
    trees = fit(figures, shuffled, OUTPUTS, np.arange(1000), NAMES, QUICK)
    assert auc(shuffled[1000:, 0] > 0, trees.logits(figures[1000:])[:, 0]) == pytest.approx(0.5, abs=0.08)


def test_age_and_sex_that_are_stated_are_features_of_the_model_and_none_of_heart12s():
    assert tabular.FEATURES == (*FULL, AGE, SEX)
    assert not {AGE, SEX} & set(FULL)


def test_stated_facts_are_read_as_service_reads_them():
    truths = [truth(age=None, over_89=True, sex="female"), truth(age=40.0, sex=None)]
    np.testing.assert_array_equal(tabular.stated_of(truths), np.array([[90, 1], [40, np.nan]], np.float32))


def truth(*, age=50.0, over_89=False, sex="male", fold=1, classes=(), codes=()):
    codes = dict.fromkeys(codes, 100.0)
    return PtbXlTruth(1, age, over_89, sex, codes, frozenset(classes), frozenset(), fold, None, None)


@dataclass(frozen=True)
class Tiny(Recipe):
    """The recipe, made quick."""


@pytest.fixture(scope="module")
def recipe():
    full = Recipe.named("tabular")
    heads = {"normal": {"NORM": "superclass.NORM"}, "superclass": {"NORM": "superclass.NORM", "MI": "superclass.MI"}}
    heads |= {"af": {"AFIB": "statements.AFIB"}, "statements": {"AFIB": "statements.AFIB", "RVH": "statements.RVH"}}
    return Tiny(full.name, full.path, {**full.settings, "heads": heads, "trees": QUICK})


@pytest.fixture(scope="module")
def examples(recipe):
    rng = np.random.default_rng(7)
    n = 2400
    rows = np.full((n, len(tabular.FEATURES)), np.nan, np.float32)
    place = [tabular.FEATURES.index(name) for name in ("rr_cv", "V2.r_mv", AGE, SEX)]
    rows[:, place] = rng.standard_normal((n, 4))
    norm = rows[:, place[1]] + 0.5 * rng.standard_normal(n) > 0
    af = rows[:, place[0]] + 0.3 * rng.standard_normal(n) > 1.2
    rare = rng.random(n) < 0.03
    folds = rng.integers(1, 10, n)
    targets = np.stack([norm, ~norm, af, rare], axis=1).astype(np.float32)
    truths = [
        truth(
            fold=int(fold),
            classes=("NORM",) if is_norm else ("MI",),
            codes=[code for code, said in (("AFIB", is_af), ("SR", not is_af), ("RVH", is_rare)) if said],
        )
        for fold, is_norm, is_af, is_rare in zip(folds, norm, af, rare, strict=True)
    ]
    assert tabular.outputs_of(recipe) == ["superclass.NORM", "superclass.MI", "statements.AFIB", "statements.RVH"]
    return tabular.Examples(rows, targets, folds, truths)


def test_folds_do_not_overlap(recipe, examples):
    folds = [set(recipe["folds"][name]) for name in ("fit", "choose", "report")]
    assert not folds[0] & folds[1]
    assert not (folds[0] | folds[1]) & folds[2]
    assert 10 not in folds[0] | folds[1] | folds[2]
    assert set(examples.folds[examples.of(recipe["folds"]["report"])].tolist()) == {9}


def test_what_is_fitted_is_calibrated_and_rare_labels_get_no_threshold(recipe, examples):
    trees = tabular.fit_trees(recipe, examples, examples.of(recipe["folds"]["fit"]))
    heads = tabular.calibrate(recipe, trees, examples, examples.of(recipe["folds"]["choose"]))
    assert heads["outputs"] == tabular.outputs_of(recipe)
    assert heads["labels"]["statements.RVH"]["experimental"]
    assert heads["labels"]["statements.RVH"]["thresholds"] == {}
    thresholds = heads["labels"]["superclass.NORM"]["thresholds"]
    assert thresholds["se95"] <= thresholds["max_f1"] <= thresholds["sp95"]
    found = tabular._metrics(recipe, trees, heads, examples, examples.of(recipe["folds"]["report"]), 40)
    assert found["metrics"]["superclass.NORM.auc"]["value"] > 0.85
    assert found["metrics"]["AFIB.auc"]["value"] > 0.9
    assert 0.5 < found["metrics"]["superclass.NORM.slope"]["value"] < 2
    assert "statements.RVH.sensitivity" not in found["metrics"]
    assert next(iter(found["importance"]["statements.AFIB"])) == "rr_cv"
    assert all(m["low"] <= m["value"] <= m["high"] for m in found["metrics"].values())


def test_the_score_leaves_out_records_without_a_label_of_the_task():
    heads = {"superclass": {"NORM": 0, "MI": 1}, "af": {"AFIB": 2}, "statements": {"AFIB": 2, "LVH": 3}}
    classes = [frozenset({"NORM"}), frozenset({"MI"}), frozenset(), frozenset({"NORM"})]
    codes = [frozenset({"AFIB"}), frozenset({"SR", "LVH"}), frozenset({"SR"}), frozenset()]
    said = np.array([[0.9, 0.2, 0.8, 0.1], [0.1, 0.7, 0.1, 0.6], [0.99, 0.99, 0.2, 0.2], [0.8, 0.1, 0.99, 0.3]])
    found = {name: float(v[0]) for name, v in score_tabular(classes, codes, said, heads)(np.ones((1, 4))).items()}
    assert found["superclass.NORM.auc"] == found["superclass.MI.auc"] == found["superclass.macro_auc"] == 1
    assert found["AFIB.auc"] == 1
    assert found["statements.LVH.auc"] == 1
    assert found["statements.AFIB.auc"] == pytest.approx(2 / 3)
    assert not any(name.startswith("statements..") for name in found)


SHIPPED = sorted((shipped_models() / "tabular").glob("*/metrics.json"))


@pytest.mark.skipif(not SHIPPED, reason="the model is not in models/")
def test_shipped_model_is_as_good_as_it_was():
    found = {name: m["value"] for name, m in json.loads(SHIPPED[-1].read_text())["metrics"].items()}
    assert found["superclass.macro_auc"] >= 0.93
    assert found["AFIB.auc"] >= 0.99
    assert found["superclass.ece"] <= 0.03


@pytest.mark.skipif(not SHIPPED, reason="the model is not in models/")
@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="needs PTB-XL: EINTHOVEN_DATA_DIR is not set")
def test_shipped_model_on_records_of_the_fold_it_was_reported_on():
    from ecg_core.artefacts import load_model
    from ecg_core.datasets import DATASETS
    from ecg_core.predictors.chain import examine
    from ecg_core.predictors.tabular import Tabular

    root = Path(os.environ["EINTHOVEN_DATA_DIR"]) / "ptbxl"
    if not root.is_dir():
        pytest.skip("PTB-XL is not in EINTHOVEN_DATA_DIR")
    model = Tabular(load_model("tabular"))
    at = model.outputs.index("superclass.NORM")
    said, normal = [], []
    for item in DATASETS["ptbxl"].iterate(root, "9", 40):
        context = examine(item.recording)
        if item.truth.superclasses and not model.refusals(context):
            said.append(model.probabilities([context])[0][at])
            normal.append("NORM" in item.truth.superclasses)
    assert auc(np.array(normal), np.array(said)) > 0.85
