"""AF-like traits as a percentile, with the evidence for it; and the table that it is read from."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from ecg_core.artefacts import load_artefact
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.predictors.value import Identity, LabelAnswer, Prediction
from ecg_core.risk import af_score, find_signature, tree_score
from tests.predictors.heart12_model import a_recording, context_of, make_model
from training.heart12_signature import signature_table

TABLE = {
    "score_quantiles": np.linspace(-6, -1, 101).tolist(),
    "source": "toy",
    "n": 1000,
    "n_positive": 20,
    "auroc": 0.8,
    "low": 0.7,
    "high": 0.9,
    "age_auroc": 0.65,
}
MODEL = Identity("heart12", "1.0.0", "0" * 64)


@pytest.mark.parametrize(
    ("score", "percentile"), [(-6.5, 0.0), (-6, 0), (-3.5, 50), (-3.475, 50.5), (-1, 100), (3, 100)]
)
def test_percentile_is_the_share_of_tracings_that_are_less_af_like(score, percentile):
    found = find_signature(score, TABLE)
    assert found.percentile == pytest.approx(percentile)
    assert found.evidence["auroc"] == 0.8
    assert "score_quantiles" not in found.evidence


def test_a_score_that_many_tracings_share_stands_in_their_middle():
    table = TABLE | {"score_quantiles": [-6.0] * 41 + np.linspace(-5, -1, 60).tolist()}
    assert find_signature(-6.0, table).percentile == 20.0


def test_with_a_reason_there_is_no_percentile_but_the_evidence():
    found = find_signature(-3.0, TABLE, ("a pacemaker is at work", "poor"))
    assert (found.percentile, found.reason) == (None, "a pacemaker is at work")
    assert found.evidence["n_positive"] == 20


def test_without_a_score_there_is_no_percentile():
    assert find_signature(None, TABLE).reason == "the model gave no score of AF"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score_quantiles": [0.0] * 100}, "101 rising numbers"),
        ({"score_quantiles": np.linspace(1, 0, 101).tolist()}, "101 rising numbers"),
    ],
)
def test_a_damaged_table_is_refused(change, sentence):
    with pytest.raises(ModelError, match=sentence):
        find_signature(0.0, TABLE | change)
    with pytest.raises(ModelError, match="incomplete; expected: auroc"):
        find_signature(0.0, {key: value for key, value in TABLE.items() if key != "auroc"})


@pytest.mark.parametrize(("probability", "score"), [(0.5, 0.0), (0.02, math.log(0.02 / 0.98)), (None, None)])
def test_the_score_is_the_logit_of_the_probability_of_af(probability, score):
    prediction = Prediction(MODEL, {"af": {"AFIB": LabelAnswer(probability)}})
    assert af_score(prediction) == (score if score is None else pytest.approx(score))


def test_probabilities_at_the_ends_have_finite_scores():
    for probability in (0.0, 1.0):
        assert math.isfinite(af_score(Prediction(MODEL, {"af": {"AFIB": LabelAnswer(probability)}})))
    assert af_score(Prediction(MODEL, out_of_scope=("poor",))) is None


def test_a_table_of_trees_is_read_with_what_the_trees_say(tmp_path):
    pytest.importorskip("onnx")
    model = load_artefact(make_model(tmp_path))
    known = context_of(a_recording(), figures={"rr_cv": 0.25})
    assert tree_score(known, model) == pytest.approx(2.5)
    assert tree_score(context_of(a_recording()), model) is None


# --- the table ------------------------------------------------------------------------------------------------------


def simulated(shift: float, n: int = 1200, seed: int = 0) -> dict[str, np.ndarray]:
    """Return scores that lie ``shift`` higher where the patient has AF elsewhere, and rise with age."""
    rng = np.random.default_rng(seed)
    elsewhere = (np.arange(n) < 40).astype(float)
    ages = rng.normal(60, 12, n) + 5 * elsewhere
    scores = rng.normal(-4, 1, n) + 0.02 * (ages - 60) + shift * elsewhere
    elsewhere[n // 2 :] = np.nan
    ages[100:150] = np.nan
    return {"scores": scores, "elsewhere": elsewhere, "ages": ages}


def made(**arrays: np.ndarray) -> dict:
    n = len(arrays["scores"])
    return signature_table(
        **arrays, records=[str(at) for at in range(n)], fold="out of fold", source="toy", resamples=200
    )


def test_a_table_holds_what_its_reader_needs():
    data = simulated(1.5)
    table = json.loads(json.dumps(made(**data), allow_nan=False))
    assert (table["n"], table["n_judged"], table["n_positive"]) == (1200, 600, 40)
    assert table["low"] < table["auroc"] < table["high"]
    assert table["auroc"] == pytest.approx(0.86, abs=0.05)
    assert table["age_auroc"] < 0.7
    assert find_signature(float(np.median(data["scores"])), table).percentile == pytest.approx(50, abs=0.2)
    assert "names no patients" in table["grouping"]
    assert table["score_of"] == "trees"


def test_scores_that_only_know_the_age_are_exposed_by_the_checks():
    data = simulated(0.0)
    known = np.where(np.isnan(data["ages"]), 60.0, data["ages"])
    data["scores"] = known + np.random.default_rng(2).normal(0, 2, len(known))
    checks = made(**data)["checks"]
    assert checks["score"]["value"] > 0.6
    assert checks["score_at_same_age"]["low"] < 0.5 < checks["score_at_same_age"]["high"]
    assert checks["score_less_age"]["value"] == pytest.approx(0, abs=0.03)


def test_scores_that_know_more_than_age_add_to_it():
    checks = made(**simulated(1.5))["checks"]
    assert checks["score_at_same_age"]["low"] > 0.7
    assert checks["score_less_age"]["low"] > 0
    assert checks["score_and_age"]["value"] > checks["age"]["value"]


def test_shuffled_truth_gives_half():
    data = simulated(1.5)
    rng = np.random.default_rng(1)
    judged = np.flatnonzero(~np.isnan(data["elsewhere"]))
    found = []
    for _ in range(5):
        data["elsewhere"][judged] = rng.permutation(data["elsewhere"][judged])
        found.append(made(**data)["auroc"])
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_truth_of_one_class_is_refused():
    data = simulated(0.0)
    with pytest.raises(InvalidValue, match="only one of the two classes"):
        made(**data | {"elsewhere": np.zeros(1200)})
    with pytest.raises(InvalidValue, match="one finite score"):
        made(**data | {"scores": np.full(1200, np.nan)})
