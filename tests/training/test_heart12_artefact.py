"""The artefact ``heart12``, put together from a tiny network: whole, readable, and answering as its files say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecg_core.artefacts import RUNNERS, Artefact, load_artefact
from ecg_core.datasets import DATASETS
from ecg_core.predictors.heads import Heads
from ecg_core.preprocess import replay
from ecg_core.synthesis import synthesize
from tests.predictors.heart12_model import FEATURES, HEADS, OUTPUTS, STACKED, network_graph, trees_graph, weights
from training import heart12_artefact
from training.heart12_calibration import fit_heads
from training.heart12_heads import VIEWS, Answers, Layout
from training.heart12_metrics import PREFIXES
from training.recipe import Recipe

LAYOUT = Layout(OUTPUTS, HEADS)
GRAPHS = {"full": "trees.onnx", "I": "trees_one.onnx", "II": "trees_one.onnx"}
FOLDS = {fold: [f"{fold:02}{number:03}" for number in range(3)] for fold in range(1, 10)}


def metric(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def measured(heads: dict[str, Any]) -> dict[str, Any]:
    """Return figures that were made up, in the form in which they are measured."""
    names = ("superclass.macro_auc", "superclass.ece", "AFIB.auc", "sex.auc", "age.mae")
    found = {f"{prefix}{name}": metric(0.9) for prefix in PREFIXES.values() for name in names}
    found |= {"superclass.macro_auc": metric(0.9412), "superclass.NORM.auc": metric(0.9), "age.mae": metric(6.5)}
    of_point = {"threshold": 0.3, **{key: metric(0.8) for key in ("sensitivity", "specificity", "f1", "ppv", "npv")}}
    rows = {"superclass.MI": of_point | {"elsewhere": {"ppv_at_0.01": 0.1, "ppv_at_0.05": None, "ppv_at_0.2": 0.6}}}
    condition = {
        f"{name}{part}": metric(-0.02) for name in (*names, "superclass.MI.auc") for part in ("", ".difference")
    }
    lost = [{"kind": "leads lost", "level": f"{n} of 8", "dose": n, "metrics": condition} for n in (1, 2)]
    of_group = {"n": 60, "metrics": condition}
    return {
        "n": 27,
        "metrics": found,
        "undefined": [],
        "operating_points": {"max_f1": rows},
        "conformal": {"full": {"stated": 0.9, "superclass": {"coverage": metric(0.9), "decided": metric(0.7)}}},
        "subgroups": {"sex": {"female": of_group, "male": {"n": 3, "reason": "too few"}}},
        "robustness": {
            "n": 20,
            "records": "one in 3",
            "answers": "by the network alone",
            "noise": "the rest of each recording",
            "as recorded": condition,
            "conditions": lost,
        },
    }


@pytest.fixture(scope="module")
def heads() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    said = rng.normal(0, 1.5, (300, len(OUTPUTS)))
    targets = np.column_stack([rng.random((300, len(OUTPUTS) - 2)) < 0.3, said[:, -2]]).astype(np.float32)
    targets[20:, OUTPUTS.index("statements.TRIGU")] = 0
    answers = {view: Answers(said, said[:, :2] if view in GRAPHS else None) for view in VIEWS}
    trees = dict.fromkeys(FEATURES, STACKED)
    return fit_heads(LAYOUT, answers, targets, trees, GRAPHS, features=FEATURES)


@pytest.fixture(scope="module")
def artefact(heads, tmp_path_factory) -> Artefact:
    made = weights()
    head = io.BytesIO()
    np.savez(head, **{name: value for name, value in made.items() if name != "conv"})
    files = {
        "network.onnx": network_graph(made),
        "trees.onnx": trees_graph(),
        "trees_one.onnx": trees_graph(),
        "head.npz": head.getvalue(),
    }
    folder = heart12_artefact.write(
        tmp_path_factory.mktemp("models"),
        Recipe.named("heart12"),
        LAYOUT,
        files,
        heads,
        measured(heads),
        {"ptbxl": ["b", "a", "a"], "nstdb": ["c"]},
        FOLDS,
        split="fold 9, made up",
        signature={
            "n_positive": 21,
            "n_judged": 1362,
            "auroc": 0.81,
            "low": 0.7,
            "high": 0.9,
            "age_auroc": 0.65,
            "fold": "out of fold",
            "grouping": "by record",
            "says": "no risk over years is claimed",
        },
    )
    return load_artefact(folder)


def test_it_answers_from_its_files_as_when_it_was_made(artefact):
    with np.load(io.BytesIO(artefact.files["golden.npz"]), allow_pickle=False) as packed:
        arrays = dict(packed)
    outputs = [arrays[name] for name in arrays if name.endswith("out.probabilities")]
    assert len(outputs) == 9
    assert sum(np.isnan(values).all() for values in outputs) == 1
    from training.artefact import read_golden

    first = {key: arrays[f"0.{key}"] for key in ("signal", "fs", "leads")}
    found = RUNNERS["heart12"](artefact, read_golden(first))
    np.testing.assert_allclose(found["probabilities"], arrays["0.out.probabilities"], rtol=1e-5)


def test_what_it_says_names_the_accuracy_of_its_view_and_of_lost_leads(artefact):
    views = Heads(artefact).views
    assert views["full"].accuracy["metrics"]["superclass.macro_auc"]["value"] == 0.9412
    assert views["I"].accuracy["metrics"]["superclass.macro_auc"]["value"] == 0.9
    assert set(views["full"].lost) == {"1", "2"}
    assert views["limb"].lost == {}


def test_manifest_states_folds_views_thresholds_and_preparation_that_can_be_replayed(artefact):
    manifest = artefact.manifest
    assert manifest["split"]["folds"]["refit"] == list(range(1, 9))
    assert set(manifest["split"]["sha256"]) == {str(fold) for fold in range(1, 10)}
    assert manifest["views"]["limb_v1"] == ["I", "II", "V1"]
    assert "statements.TRIGU" not in manifest["thresholds"]
    assert 0 < manifest["thresholds"]["superclass.MI"] < 1
    prepared = replay(synthesize(fs=500, duration_s=10).recording, artefact.preprocessing)
    assert (prepared.fs, prepared.n_leads, prepared.n_samples) == (100.0, 8, 1000)


def test_checksum_of_a_fold_changes_with_its_records_and_not_with_their_order():
    name = heart12_artefact._checksum
    assert name(["a", "b"]) == name(["b", "a"]) != name(["a", "c"])


def test_every_set_that_was_used_is_named_with_licence_and_each_record_once(artefact):
    for entry in artefact.manifest["training_data"]:
        about = DATASETS[entry["name"]]
        assert (entry["licence"], entry["citation"]) == (about.licence, about.citation)
        assert len(artefact.trained_on(entry["name"])) == entry["n"]
        assert about.licence in artefact.files["card.md"].decode()


def test_card_has_its_headings_figures_limits_and_what_was_missed(artefact):
    card = artefact.files["card.md"].decode()
    for heading in (
        "## Use",
        "## Data",
        "## Metrics",
        "## Robustness",
        "## Subgroups",
        "## AF-like traits",
        "## Limits",
    ):
        assert heading in card
    assert "0.941 (0.931 to 0.951)" in card
    assert "Aimed at and reached: superclass.macro_auc 0.932; lead_I.superclass.macro_auc 0.82; age.mae 7." in card
    assert "superclass.NORM.auc 0.952 (it is 0.9000)" in card
    for phrase in (
        "undetermined age",
        "never excludes one",
        "likelihoods are flattened",
        "fails at other hospitals",
        "TRIGU",
        "0.10, -, 0.60",
        "not measured",
        "unconfirmed",
    ):
        assert phrase in card
    assert "{" not in card


def test_card_without_signature_or_robustness_says_so(heads):
    from training.heart12_card import card

    found = measured(heads)
    del found["robustness"]
    metrics = {"model": "heart12", "version": "1", "data": "ptbxl", "split": "none", **found}
    complete = heart12_artefact.with_accuracy(heads, metrics)
    manifest = heart12_artefact.manifest_of(Recipe.named("heart12"), LAYOUT, complete, {"ptbxl": ["a"]}, FOLDS)
    text = card(manifest, metrics, complete)
    assert "## Robustness\n\nNot measured." in text
    assert "AF-like" not in text
    assert "lost" not in complete["views"]["full"]


def test_figures_and_calibration_are_json_of_modest_size(artefact):
    assert json.loads(artefact.files["metrics.json"])["split"] == "fold 9, made up"
    assert json.loads(artefact.files["heads.json"])["outputs"] == list(OUTPUTS)


def test_writing_twice_gives_the_same_bytes(artefact, heads, tmp_path):
    files = {name: artefact.files[name] for name in ("network.onnx", "trees.onnx", "trees_one.onnx", "head.npz")}
    again = heart12_artefact.write(
        tmp_path,
        Recipe.named("heart12"),
        LAYOUT,
        files,
        heads,
        measured(heads),
        {"ptbxl": ["a", "b"], "nstdb": ["c"]},
        FOLDS,
        split="fold 9, made up",
    )
    for name in ("heads.json", "metrics.json", "golden.npz", "records.json"):
        assert (Path(again) / name).read_bytes() == artefact.files[name]
