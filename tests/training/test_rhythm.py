"""Training the rhythm model: from a copy of the set to an artefact, with a network that stands in for the real one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_core.artefacts import load_artefact
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.errors import DataSetError
from ecg_core.evaluation import evaluate
from ecg_core.rhythm import LABELS, Rhythm, RhythmEpisode
from ecg_core.rhythm.model import Calibration, RhythmModel
from ecg_core.rhythm.strip import NETWORK_LENGTH
from ecg_core.synthesis import synthesize
from training import rhythm
from training.recipe import Recipe
from training.rhythm_checks import classify, tally_episodes
from training.rhythm_fit import Shares, f1_noa, fit_calibration, fit_decision, weights_for

KINDS = {
    "N": {"rhythm": "sinus"},
    "A": {"rhythm": "af"},
    "O": {"rhythm": "pvc"},
    "~": {"noise": {"motion": -15, "muscle": -10}},
}
EACH = 8


def write_cinc2017(folder: Path) -> None:
    """Write strips of every label in the layout of the challenge."""
    folder.mkdir(parents=True)
    labels = []
    for number in range(EACH * len(KINDS)):
        label = LABELS[number % len(LABELS)]
        made = synthesize(**KINDS[label], fs=300, duration_s=12, leads=("I",), seed=number).recording
        steps = np.clip(np.rint(made.signal[0] * 1000), -32000, 32000).astype("<i2")
        name = f"A{number:05d}"
        head = np.array([10 * 3, 1, len(steps), 0, 4], "<i4").tobytes() + b"val\0"
        (folder / f"{name}.mat").write_bytes(head + steps.tobytes())
        (folder / f"{name}.hea").write_text(
            f"{name} 1 300 {len(steps)}\n{name}.mat 16+24 1000/mV 16 0 {steps[0]} 0 0 ECG\n"
        )
        labels.append(f"{name},{label}\n")
    (folder / "REFERENCE.csv").write_text("".join(labels))


def stand_in() -> bytes:
    """Return a graph with the inputs and outputs of the network: the size of the strip, weighed for two statements."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Abs", ["strip"], ["size"]),
        helper.make_node("ReduceMean", ["size", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weights"], ["logits"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([1]), "axes"),
        numpy_helper.from_array(np.array([[1.0, -1.0]], np.float32), "weights"),
    ]
    ends = [
        [helper.make_tensor_value_info("strip", TensorProto.FLOAT, ["n", NETWORK_LENGTH, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
    ]
    graph = helper.make_graph(nodes, "stand-in", *ends, constants)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, ir_version=8, opset_imports=opset).SerializeToString()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_cinc2017(folder / "cinc2017")
    return folder


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    whole = Recipe.named("rhythm")
    trees = {**whole["trees"], "rounds": 10, "min_child_weight": 0.1}
    return replace(whole, settings={**whole.settings, "trees": trees, "cv": {"folds": 4}})


@pytest.fixture(scope="module")
def made(recipe, root, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path_factory.mktemp("checkpoints")))
        patch.setattr(rhythm, "_network", lambda *_: (stand_in(), ["AFIB", "PVC"]))
        patch.setattr(rhythm, "hashes_of_statements", lambda *_: ["a", "b"])
        patch.setattr(rhythm, "hashes_of_noise", lambda *_: ["c"])
        return rhythm.train(recipe, root, tmp_path_factory.mktemp("models"))


def test_artefact_tells_what_it_was_trained_to_tell(made):
    model = RhythmModel(load_artefact(made))
    for label in ("N", "A", "O"):
        recording = synthesize(**KINDS[label], fs=300, duration_s=12, leads=("I",), seed=99).recording
        assert classify(model, recording, "I").label == label


def test_no_record_is_answered_by_trees_or_judged_by_fits_that_have_seen_it(recipe, root, monkeypatch):
    shown, fitted = [], []
    originals = rhythm.boost, rhythm.ask_trees, rhythm.fit_calibration

    def boost(settings, rows, labels, seed):
        shown.append({row.tobytes() for row in rows})
        return originals[0](settings, rows, labels, seed)

    def ask(booster, rows):
        assert not shown[-1] & {row.tobytes() for row in rows}
        return originals[1](booster, rows)

    def calibrate(trees, *rest):
        fitted.append(len(trees))
        return originals[2](trees, *rest)

    monkeypatch.setattr(rhythm, "_network", lambda *_: (stand_in(), ["AFIB", "PVC"]))
    monkeypatch.setattr(rhythm, "boost", boost)
    monkeypatch.setattr(rhythm, "ask_trees", ask)
    monkeypatch.setattr(rhythm, "fit_calibration", calibrate)
    result = rhythm.cross_validate(recipe, root, 2)
    assert len(shown) == 2
    assert fitted == [EACH * len(KINDS) // 2] * 2
    assert "2 folds" in result.split


def test_artefact_states_out_of_fold_figures_shares_and_records(made, recipe):
    artefact = load_artefact(made)
    metrics = artefact.json("metrics.json")
    assert metrics["split"] == "out of fold (4 folds by record)"
    assert {"f1_noa", "f1_n", "f1_a", "f1_o", "f1_noise", "f1_noa_natural"} <= metrics["metrics"].keys()
    assert metrics["metrics"]["f1_noa"]["value"] > 0.9
    assert {data: len(artefact.trained_on(data)) for data in ("cinc2017", "ptbxl", "nstdb")} == {
        "cinc2017": EACH * len(KINDS),
        "ptbxl": 2,
        "nstdb": 1,
    }
    assert artefact.manifest["prior"]["trained_on"] == dict.fromkeys(LABELS, 0.25)
    assert artefact.manifest["inputs"]["beats"] == recipe["inputs"]["beats"]


def test_card_says_what_was_not_measured(made):
    card = load_artefact(made).files["card.md"].decode()
    assert "not measured" in card
    assert "N 59 %, A 9 %, O 29 %, ~ 3 %" in card


def test_a_copy_without_a_label_cannot_be_trained_on(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(rhythm, "_network", lambda *_: (stand_in(), ["AFIB", "PVC"]))
    write_cinc2017(tmp_path / "cinc2017")
    reference = tmp_path / "cinc2017" / "REFERENCE.csv"
    lines = reference.read_text().splitlines(keepends=True)
    reference.write_text("".join(line for line in lines if not line.endswith("~\n")))
    with pytest.raises(DataSetError, match="found: A, N, O; expected: records of every label"):
        rhythm.cross_validate(recipe, tmp_path, None)


def test_exam_of_the_shipped_model_scores_records_that_are_new_to_it(root):
    found = evaluate("rhythm", "cinc2017", root, resamples=20)
    assert found.n == EACH * len(KINDS)
    assert found.trained_on == ()
    assert {"f1_noa", "f1_n", "f1_a", "f1_o", "f1_noise"} <= found.metrics.keys()
    assert found.metrics["f1_a"].value >= 0.95
    assert found.metrics["f1_noa"].value >= 0.9


# --- what is fitted beside trees and network ------------------------------------------------------------------------


def test_weights_give_the_labels_the_wanted_shares():
    labels = np.repeat(np.arange(4), (10, 20, 30, 40))
    wanted = np.array([0.59, 0.09, 0.29, 0.03])
    weights = weights_for(labels, wanted)
    np.testing.assert_allclose(np.bincount(labels, weights) / weights.sum(), wanted)


def test_calibration_undoes_what_is_too_sure_and_knows_the_shares():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=6000)
    logits = rng.standard_normal((6000, 4)) + np.eye(4)[labels]
    sure = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)
    natural = np.array([0.59, 0.09, 0.29, 0.03])
    calibration = fit_calibration(sure, labels, natural, 1.0)
    assert calibration.slope == pytest.approx(1 / 3, abs=0.05)
    told = np.average(calibration(sure), axis=0, weights=weights_for(labels, natural))
    np.testing.assert_allclose(told, natural, atol=0.01)


def test_calibration_of_impossible_answers_stays_a_probability():
    found = Calibration(2.0, np.zeros(4))(np.array([[1.0, 0, 0, 0]]))
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1)


def test_decision_is_at_least_as_good_as_none_for_the_shares_that_it_is_fitted_to():
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=3000)
    natural = np.array([0.59, 0.09, 0.29, 0.03])
    logits = rng.standard_normal((3000, 4)) + 1.2 * np.eye(4)[labels] + np.log(natural)
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    decision = fit_decision(probability, labels, [Shares(natural, 1.0)])
    weights = weights_for(labels, natural)
    plain = f1_noa(labels, probability.argmax(axis=1), weights)
    assert f1_noa(labels, (probability * decision).argmax(axis=1), weights) > plain


def test_score_of_the_challenge_by_hand():
    labels = np.array([0, 0, 1, 2, 3])
    answers = np.array([0, 1, 1, 2, 2])
    assert f1_noa(labels, answers, np.ones(5)) == pytest.approx(np.mean([2 / 3, 2 / 3, 2 / 3]))


# --- episodes of MIT-BIH --------------------------------------------------------------------------------------------


def test_time_in_fibrillation_is_compared_and_flutter_counts_neither_way():
    truth = MitdbTruth(
        np.empty(0), (), np.array([0, 100, 200, 230, 300]) * 10, ("N", "AFIB", "AFL", "AFIB", "N"), np.empty(0), ()
    )
    episodes = (RhythmEpisode(90, 150, "A", 0.9), RhythmEpisode(190, 210, "A", 0.9), RhythmEpisode(300, 330, "O", 0.9))
    found = tally_episodes(truth, Rhythm("N", None, "II", episodes=episodes), 10.0, 400.0)
    assert found == {"annotated": 170, "found": 70, "both": 60, "free": 200, "long": 2, "met": 1}


def test_metrics_are_json(made):
    assert json.loads((made / "metrics.json").read_text())["checks"]["mitdb"] == {"n": 0, "metrics": {}}
