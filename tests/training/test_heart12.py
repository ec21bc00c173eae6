"""Training heart12: from a small copy of PTB-XL to an artefact, and no leak on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("xgboost")
pytest.importorskip("onnx")

from ecg_core.artefacts import load_artefact, record_hash
from ecg_core.datasets import DATASETS
from ecg_core.evaluation.classification import auc
from ecg_core.predictors.figures import FULL, ONE
from tests.training.heart12_set import EACH, FOLDS, write_set
from training import heart12, heart12_fit
from training.heart12_data import NOT_KNOWN, read_material
from training.recipe import Recipe
from training.tabular_data import SINGLE, FigureTable

# Keras saves its weights through an interface that NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STAGE = {"seconds": 2.5, "batch": 16, "epochs": 2, "rate": 3e-3, "warm_up": 0.1, "decay": 0.0, "average": 0.9}
SMALL = {
    "network": {"widths": [8, 8], "depths": [1, 1], "kernel": 3, "heads": 1, "dropout": 0.0, "squeeze": 0},
    "members": [{"seed": 0}, {"seed": 1, "network": {"squeeze": 4}, "stages": [STAGE]}],
}


def small_recipe(settings: Mapping[str, Any] = MappingProxyType({})) -> Recipe:
    recipe = Recipe.named("heart12")
    stages = {
        "stages": [STAGE],
        "refit": [{**STAGE, "seconds": 10.0, "epochs": 1}],
        "signature": {"parts": 3, "stages": [STAGE]},
    }
    return Recipe(recipe.name, recipe.path, {**recipe.settings, **SMALL, **stages, **settings})


def figures_of(root: Path | None) -> FigureTable:
    """Return figures that tell AF a little, in place of those whose measuring takes long."""
    material = read_material(root)
    af = material.targets[:, material.layout.outputs.index("statements.AFIB")]
    rng = np.random.default_rng(2)

    def drawn(names: tuple[str, ...]) -> np.ndarray:
        rows = rng.standard_normal((len(af), len(names))).astype(np.float32)
        rows[:, names.index("rr_cv")] += 3 * af
        return rows

    return FigureTable(material.names, drawn(FULL), {lead: drawn(ONE) for lead in SINGLE})


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_set(folder)
    return folder


@pytest.fixture(scope="module")
def made(root, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path_factory.mktemp("kept")))
        patch.setattr(heart12, "figure_table", figures_of)
        return heart12.train(small_recipe(), root, tmp_path_factory.mktemp("models"))


def test_targets_follow_the_table(root):
    material = read_material(root)
    truth, row = material.truths[1], material.targets[1]
    column = {name: at for at, name in enumerate(material.layout.outputs)}
    on = {name for name in material.layout.binary if row[column[name]] == 1}
    expected = {"statements.IMI", "statements.AFIB", "subclass.IMI", "superclass.MI", "sex.female"}
    assert truth.sex == "female"
    assert on == expected
    assert row[column["age.median"]] * 17 + 60 == pytest.approx(truth.age)
    assert not (material.targets == NOT_KNOWN).any()
    assert np.abs(np.median(material.signal.astype(np.float32), axis=2)).max() < 2e-3


def test_folds_of_the_recipe_do_not_overlap_and_leave_the_tenth_alone():
    folds = Recipe.named("heart12")["folds"]
    every = [fold for part in folds.values() for fold in part]
    assert sorted(every) == list(range(1, 10))


def test_no_fold_is_learned_from_or_chosen_by_where_it_is_measured(root, monkeypatch, tmp_path):
    """Every fit is asked for the folds of its records; the shares by which folds change parts are the recipe's."""
    seen: dict[str, list[set[int]]] = {"network": [], "trees": [], "heads": [], "measured": []}
    material = read_material(root)

    def note(kind, function, rows_of):
        def noted(*args, **kwargs):
            seen[kind].append({int(material.folds[row]) for row in rows_of(*args)})
            return function(*args, **kwargs)

        return noted

    monkeypatch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(heart12, "figure_table", figures_of)
    monkeypatch.setattr(heart12_fit, "_learn", note("network", heart12_fit._learn, lambda *args: args[3]))
    monkeypatch.setattr(heart12, "_trees", note("trees", heart12._trees, lambda *args: args[2]))
    monkeypatch.setattr(heart12, "_heads", note("heads", heart12._heads, lambda *args: args[4]))
    monkeypatch.setattr(heart12.Model, "answers", note("measured", heart12.Model.answers, lambda *args: args[3]))
    found = heart12.cross_validate(small_recipe({"members": [{"seed": 0}]}), root, 3)
    assert found.n == len(FOLDS) * EACH
    measured = seen["measured"][1::2]
    assert sorted(fold for part in measured for fold in part) == list(FOLDS)
    for at, part in enumerate(measured):
        learned = [*seen["network"][at : at + 1], *seen["trees"][2 * at : 2 * at + 2]]
        assert all(not part & other for other in learned)
        assert not part & seen["heads"][at]
        assert all(not seen["heads"][at] & other for other in learned)


def test_artefact_says_what_it_has_seen_and_what_it_was_measured_on(made, root):
    artefact = load_artefact(made)
    recordings = {item.name: item.recording for item in DATASETS["ptbxl"].iterate(root, fs=100.0)}
    assert artefact.trained_on("ptbxl") == {record_hash(recording) for recording in recordings.values()}
    assert len(recordings) == len(FOLDS) * EACH
    metrics = json.loads(artefact.files["metrics.json"])
    assert metrics["n"] == EACH
    assert metrics["split"].startswith("fold 9")
    assert artefact.manifest["split"]["folds"]["report"] == [9]
    assert set(artefact.manifest["software"]) >= {"name", "version"}
    assert len(artefact.manifest["software"].get("commit", "0" * 40)) == 40


def test_shuffled_labels_teach_nothing():
    """The same fit that tells a planted shape cannot tell labels that are dealt at random."""
    import keras

    from training.heart12_batches import batches
    from training.heart12_network import build, loss
    from training.network import Schedule, fit

    rng = np.random.default_rng(4)
    n = 1200
    signal = rng.normal(0, 0.3, (n, 8, 128)).astype(np.float16)
    truth = rng.random(n) < 0.5
    signal[truth, :, 40:60] += np.float16(0.4)
    nothing = {
        **dict.fromkeys(("gain", "lead_gain", "soft", "short", "mixed"), 0.0),
        **dict.fromkeys(("only_first", "only_limb", "only_one", "some_lost"), 0.0),
        "noise": {},
    }

    def learned(labels: np.ndarray) -> float:
        keras.utils.set_random_seed(0)
        targets = np.column_stack([labels, np.full(n, NOT_KNOWN)]).astype(np.float32)
        model = build(128, 3, widths=(8, 8), depths=(1, 1), kernel=3, heads=1, dropout=0.0)
        stream = batches(
            signal[: n // 2],
            targets[: n // 2],
            32,
            128,
            rng=np.random.default_rng(0),
            bank=None,
            changes=nothing,
        )
        cost = loss({"superclass": 1.0, "age": 0.0}, {"superclass": [0], "age": [1, 2]}, -5.0)
        fit(model, stream, cost, Schedule(80, 1e-2, average=0.9))
        said = np.asarray(model(signal[n // 2 :].astype(np.float32).transpose(0, 2, 1)))[:, 0]
        return float(auc(labels[n // 2 :], said))

    assert learned(truth) > 0.95
    assert learned(rng.permutation(truth)) == pytest.approx(0.5, abs=0.1)
