"""The model of figures: what it says, what it holds back, and that its explanations are its answers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

xgboost = pytest.importorskip("xgboost")
pytest.importorskip("onnx")

from ecg_core.artefacts import load_artefact  # noqa: E402
from ecg_core.errors import InvalidValue, ModelError  # noqa: E402
from ecg_core.leads import STANDARD_12  # noqa: E402
from ecg_core.predictors import PREDICTORS  # noqa: E402
from ecg_core.predictors.chain import examine  # noqa: E402
from ecg_core.predictors.tabular import AGE, HEADS, LEAVES, SEX, TREES, Tabular, stated  # noqa: E402
from ecg_core.predictors.tree_shap import Leaves  # noqa: E402
from ecg_core.recording import Subject  # noqa: E402
from ecg_core.synthesis import synthesize  # noqa: E402
from training.artefact import to_json, write_artefact  # noqa: E402
from training.leaves import leaves_of  # noqa: E402
from training.trees import to_onnx_logits  # noqa: E402

FEATURES = ("rr_cv", "p_share", "pr_ms", "qrs_ms", "V2.r_mv", "sokolow_lyon_mv", AGE, SEX)
OUTPUTS = ("superclass.NORM", "superclass.MI", "statements.AFIB", "statements.LVH")
HEADED = {
    "normal": {"NORM": "superclass.NORM"},
    "superclass": {"NORM": "superclass.NORM", "MI": "superclass.MI"},
    "af": {"AFIB": "statements.AFIB"},
    "statements": {"AFIB": "statements.AFIB", "LVH": "statements.LVH"},
}


def rows(n=800, seed=0):
    rng = np.random.default_rng(seed)
    found = np.column_stack(
        [
            rng.uniform(0, 0.4, n),
            rng.uniform(0, 1, n),
            rng.normal(160, 30, n),
            rng.normal(95, 15, n),
            rng.uniform(0, 2, n),
            rng.uniform(0.5, 5, n),
            rng.uniform(18, 90, n),
            rng.integers(0, 2, n),
        ]
    ).astype(np.float32)
    found[rng.random(found.shape) < 0.15] = np.nan
    return found


def boosters(n_rounds=12, depth=4):
    x = rows()
    known = np.nan_to_num(x)
    truths = (
        known[:, 5] + 0.02 * known[:, 6] < 3.5,
        known[:, 4] < 0.5,
        (known[:, 0] > 0.15) & (known[:, 1] < 0.5),
        (known[:, 5] > 3.5) & (known[:, 7] < 0.5),
    )
    settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.4, "nthread": 1, "seed": 1}
    return [xgboost.train(settings, xgboost.DMatrix(x, truth.astype(float)), n_rounds) for truth in truths]


@pytest.fixture(scope="module")
def fitted():
    return boosters()


@pytest.fixture(scope="module")
def folder(fitted, tmp_path_factory):
    out = tmp_path_factory.mktemp("models")
    thresholds = {"max_f1": 0.5, "se95": 0.2, "sp95": 0.8}
    labels = {
        output: {
            "slope": 1.2,
            "offset": -0.1,
            "experimental": output == "statements.LVH",
            "thresholds": {} if output == "statements.LVH" else thresholds,
        }
        for output in OUTPUTS
    }
    manifest = {
        "name": "tabular",
        "version": "0.0.1",
        "title": "tiny",
        "task": "tabular",
        "labels": list(OUTPUTS),
        "preprocessing": [],
        "inputs": {"least_fs": 100.0, "least_duration_s": 5.0},
        "training_data": [],
    }
    heads = {"features": list(FEATURES), "outputs": list(OUTPUTS), "heads": HEADED, "labels": labels}
    files = {
        TREES: to_onnx_logits(fitted),
        LEAVES: leaves_of(fitted).pack(),
        HEADS: to_json(heads),
        "metrics.json": to_json({"metrics": {"superclass.macro_auc": {"value": 0.9, "low": 0.8, "high": 0.95}}}),
    }
    return write_artefact(out, manifest, files, [])


@pytest.fixture(scope="module")
def model(folder):
    return PREDICTORS["tabular"](load_artefact(folder))


@pytest.fixture(scope="module")
def context():
    return examine(synthesize(fs=250, seed=1).recording)


def of(context, **subject):
    return replace(context, recording=replace(context.recording, subject=Subject(**subject)))


def test_it_answers_for_each_head(model, context):
    (said,) = model.predict([of(context, age=60, sex="male")])
    assert {head: set(said.labels(head)) for head in HEADED} == {head: set(names) for head, names in HEADED.items()}
    answer = said.labels("superclass")["MI"]
    assert 0 < answer.probability < 1
    assert answer.positive is (answer.probability >= 0.5)
    assert said.labels("normal")["NORM"] == said.labels("superclass")["NORM"]
    assert said.accuracy["superclass.macro_auc"]["value"] == 0.9


def test_a_rare_label_is_never_called(model, context):
    answer = model.predict([of(context, age=60, sex="male")])[0].labels("statements")["LVH"]
    assert (answer.positive, answer.experimental, answer.threshold) == (None, True, None)
    assert answer.probability is not None


def test_operating_points_call_differently(model, context):
    person = of(context, age=60, sex="male")
    points = ("se95", "max_f1", "sp95")
    found = [model.predict([person], point)[0].labels("superclass")["NORM"] for point in points]
    assert [answer.threshold for answer in found] == [0.2, 0.5, 0.8]
    assert len({answer.probability for answer in found}) == 1
    with pytest.raises(InvalidValue, match="no such operating point"):
        model.predict([person], "best")


def test_stated_age_and_sex_are_read_and_may_be_unknown(model, context):
    said = [
        model.probabilities([of(context, age=age, sex=sex)])[0]
        for age, sex in ((25, "female"), (85, "female"), (None, None))
    ]
    assert not np.allclose(said[0], said[1])
    assert np.isfinite(said[2]).all()
    row = model.row(of(context))
    assert np.isnan(row[[FEATURES.index(AGE), FEATURES.index(SEX)]]).all()


def test_an_age_over_89_is_90():
    assert stated(Subject(facts={"age": "over 89"}))[AGE] == 90
    assert stated(Subject(age=97, sex="female")) == {AGE: 90, SEX: 1.0}
    assert stated(Subject(sex="male")) == {SEX: 0.0}


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_explanation_sums_to_the_answer(model, context, output):
    person = of(context, age=71, sex="female")
    found = model.explain(person, output)
    total = found.average + sum(item.log_odds for item in found.contributions)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-total)))
    assert found.probability == pytest.approx(model.probabilities([person])[0][OUTPUTS.index(output)], abs=1e-5)
    assert {item.figure for item in found.contributions} == set(FEATURES)
    sizes = [abs(item.log_odds) for item in found.contributions]
    assert sizes == sorted(sizes, reverse=True)
    age = next(item for item in found.contributions if item.figure == AGE)
    assert age.value == 71
    assert found.to_dict()["contributions"][0]["figure"] == found.contributions[0].figure


def test_an_unknown_figure_has_no_value_in_an_explanation(model, context):
    found = model.explain(of(context), "superclass.NORM")
    assert next(item for item in found.contributions if item.figure == AGE).value is None


def test_what_cannot_be_explained_is_refused(model, context):
    with pytest.raises(InvalidValue, match="no such output"):
        model.explain(context, "superclass.XYZ")
    two = examine(synthesize(fs=250, leads=("I", "II"), seed=1).recording)
    with pytest.raises(InvalidValue, match="cannot be read"):
        model.explain(two, "superclass.NORM")


def test_it_abstains_with_the_reason(model, context):
    short = examine(synthesize(fs=250, duration_s=4, seed=1).recording)
    two = examine(synthesize(fs=250, leads=("I", "II"), seed=1).recording)
    said = model.predict([of(context, age=12), short, two, of(context, age=50)])
    assert [prediction.abstains for prediction in said] == [True, True, True, False]
    assert "12 years old" in said[0].out_of_scope[0]
    assert "too short" in said[1].out_of_scope[0]
    assert said[2].out_of_scope[0].endswith("V1, V2, V3, V4, V5, V6 cannot be had")


def test_eight_leads_are_enough(model):
    leads = tuple(lead for lead in STANDARD_12 if lead not in ("III", "aVR", "aVL", "aVF"))
    assert not model.predict([examine(synthesize(fs=250, leads=leads, seed=1).recording)])[0].abstains


def test_in_a_paced_rhythm_infarction_and_normal_are_withheld(model):
    (said,) = model.predict([examine(synthesize("paced", fs=500, seed=2).recording)])
    assert said.labels("superclass")["MI"].probability is None
    assert "superclass.NORM" in said.withheld
    assert said.labels("af")["AFIB"].probability is not None


def test_a_model_without_its_parts_is_refused(folder, tmp_path):
    artefact = load_artefact(folder)
    heads = artefact.json(HEADS)
    del heads["labels"]["superclass.MI"]
    with pytest.raises(ModelError, match="lacks what this model needs"):
        Tabular(replace(artefact, files={**artefact.files, HEADS: to_json(heads)}))
    with pytest.raises(ModelError, match="not the leaves of trees"):
        Leaves.unpack(b"PK nothing")


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_shapley_values_are_those_of_xgboost(depth):
    made = boosters(8, depth)
    leaves = Leaves.unpack(leaves_of(made).pack())
    given = rows(40, seed=5)
    for answer, booster in enumerate(made):
        expected = booster.predict(xgboost.DMatrix(given), pred_contribs=True)
        found = np.stack([leaves.contributions(row, answer) for row in given])
        np.testing.assert_allclose(found, expected[:, :-1], atol=2e-5)
        assert leaves.expected[answer] == pytest.approx(expected[0, -1], abs=2e-5)
        logits = np.array([leaves.logits(row)[answer] for row in given])
        np.testing.assert_allclose(logits, booster.predict(xgboost.DMatrix(given), output_margin=True), atol=1e-5)
        np.testing.assert_allclose(found.sum(axis=1) + leaves.expected[answer], logits, atol=1e-9)


def test_the_exam_scores_what_it_makes_of_every_record_that_can_be_measured(folder, monkeypatch):
    from ecg_core.datasets import Item
    from ecg_core.datasets.ptbxl import PtbXlTruth
    from ecg_core.evaluation.exams import EXAMS
    from ecg_core.evaluation.exams import tabular as exam

    monkeypatch.setattr(exam, "load_model", lambda _name: load_artefact(folder))

    def item(classes, codes, **made):
        truth = PtbXlTruth(
            1, 50.0, False, "male", dict.fromkeys(codes, 100.0), frozenset(classes), frozenset(), 9, "", None
        )
        return Item("x", synthesize(fs=100, **made).recording, truth)

    items = [
        item(("NORM",), ("SR",), seed=1),
        item(("MI",), ("AFIB",), rhythm="af", seed=2),
        item(("MI",), ("SR",), leads=("I", "II"), seed=3),
    ]
    told = EXAMS["tabular"]["ptbxl"]
    answers = told.answer_many(items)
    assert [answer.abstains for answer in answers] == [False, False, True]
    assert np.isnan(answers[2].probability).all()
    found = told.score(answers)(np.ones((1, 3)))
    assert float(found["abstains"][0]) == pytest.approx(1 / 3)
    assert float(found["AFIB.auc"][0]) in (0.0, 1.0)
    assert "superclass.NORM.auc" in found
