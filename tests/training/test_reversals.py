"""Training the reversal model: from a copy of PTB-XL to an artefact, with a network that stands in for the real one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from ecg_core.artefacts import load_artefact
from ecg_core.leads import STANDARD_12
from ecg_core.quality.arrangements import ARRANGEMENTS
from ecg_core.quality.reversals import ReversalModel
from ecg_core.quality.typical_beat import N_TIMES
from ecg_core.readers import READERS
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from training import reversals
from training.recipe import Recipe
from training.reversals_data import HARD, PLACED, batches

FOLDS = range(1, 10)
EACH = 4


def write_ptbxl(folder: Path) -> None:
    rows = ["ecg_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr"]
    for fold in FOLDS:
        for number in range(EACH):
            ecg_id = 10 * fold + number
            stem = f"records100/00000/{ecg_id:05d}_lr"
            made = synthesize(seed=ecg_id, fs=100, rate_bpm=55 + ecg_id % 40).recording
            (folder / stem).parent.mkdir(parents=True, exist_ok=True)
            for name, content in (
                READERS["wfdb"].write(Recording(made.signal, 100, STANDARD_12), Path(stem).name).items()
            ):
                ((folder / stem).parent / name).write_bytes(content)
            rows.append(f"{ecg_id},60,0,\"{{'NORM': 100.0}}\",{fold},{stem},{stem}")
    (folder / "ptbxl_database.csv").write_text("\n".join(rows) + "\n")


def stand_in(_recipe: Recipe, beats: np.ndarray) -> bytes:
    """Return a graph that scores a beat by its likeness to the mean of ``beats``."""
    from onnx import TensorProto, helper, numpy_helper

    mean = beats.mean(axis=0).reshape(-1, 1)
    weights = numpy_helper.from_array((2.0 * mean).astype(np.float32), "weights")
    nodes = [helper.make_node("MatMul", ["beat", "weights"], ["score"])]
    ends = [
        [helper.make_tensor_value_info("beat", TensorProto.FLOAT, ["n", len(mean)])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 1])],
    ]
    graph = helper.make_graph(nodes, "stand-in", *ends, [weights])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("sets")
    write_ptbxl(root / "ptbxl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path_factory.mktemp("kept")))
        patch.setattr(reversals, "train_network", stand_in)
        yield root, reversals.train(Recipe.named("reversals"), root, tmp_path_factory.mktemp("models"))


def test_artefact_names_its_records_and_its_figures(made):
    _, folder = made
    artefact = load_artefact(folder)
    assert len(artefact.trained_on("ptbxl")) == 8 * EACH
    metrics = json.loads(artefact.files["metrics.json"])
    assert (metrics["n"], metrics["split"]) == (EACH, "fold 9")
    assert metrics["metrics"]["se_ra_la"]["value"] > 0.5
    assert not any("_rl" in name for name in metrics["metrics"])
    assert artefact.manifest["thresholds"]["reversed"] <= 1
    assert sum(artefact.manifest["prior"].values()) == pytest.approx(1)


def test_what_was_measured_is_what_the_model_answers(made):
    _, folder = made
    model = ReversalModel(load_artefact(folder))
    rng = np.random.default_rng(0)
    probability = model.probabilities(rng.standard_normal((2, 9, N_TIMES)))
    assert probability.shape == (2, 1 + len(ARRANGEMENTS))
    np.testing.assert_allclose(probability.sum(axis=1), 1)


def test_out_of_fold_metrics_cover_every_record_once(made):
    root, _ = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reversals, "train_network", stand_in)
        result = reversals.cross_validate(Recipe.named("reversals"), root, 3)
    assert result.n == len(FOLDS) * EACH
    assert "3 parts" in result.split
    assert 0 <= result.metrics["specificity"].value <= 1


def test_batches_show_the_beat_in_order_first_and_otherwise_elsewhere():
    rng = np.random.default_rng(1)
    beats = rng.standard_normal((8, 9, N_TIMES)).astype(np.float32)
    settings = {"size": 8, "ways": 5, "hard": 3.0, "twice": 0.0, "gain": 0.0, "seed": 2}
    shown, right = next(batches(beats, **settings))
    assert shown.shape == (8, 5, 9 * N_TIMES)
    assert not right.any()
    known = {beat.tobytes() for beat in beats}
    otherwise = {beat[rows].tobytes() for beat in beats for rows in PLACED[1:]}
    assert {beat.tobytes() for beat in shown[:, 0]} <= known
    assert {beat.tobytes() for beat in shown[:, 1:].reshape(-1, 9 * N_TIMES)} <= otherwise
    again, _ = next(batches(beats, **settings))
    np.testing.assert_array_equal(shown, again)


def test_every_exchange_that_is_called_hard_is_one():
    assert set(HARD) <= {arrangement.kind for arrangement in ARRANGEMENTS}


def test_recipe_deals_every_fold_once():
    recipe = tomllib.loads(Recipe.named("reversals").path.read_text("utf-8"))
    assert sorted([*recipe["train_splits"], recipe["choose_split"], recipe["report_split"]]) == [str(f) for f in FOLDS]
