"""What holds for every model that ships: whole, unaltered, documented, and answering as when it was made."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

import ecg_core.evaluation.exams  # noqa: F401 (registers how every model is run)
from ecg_core.artefacts import MANIFEST, RUNNERS, list_models, load_artefact, shipped_models
from ecg_core.datasets import DATASETS
from ecg_core.preprocess.replay import STEPS
from training.artefact import NOT_RECORDED, STEP_MV, read_golden
from training.recipe import Recipe

MODELS = [model for model in list_models() if model.path.is_relative_to(shipped_models())]
pytestmark = pytest.mark.parametrize("folder", [m.path for m in MODELS], ids=[f"{m.name}-{m.version}" for m in MODELS])


def golden_of(artefact) -> tuple[list[dict], list[dict]]:
    """Return the recordings of the golden vectors, and what the model answered."""
    with np.load(io.BytesIO(artefact.files["golden.npz"]), allow_pickle=False) as packed:
        arrays = dict(packed)
    numbers = sorted({int(name.split(".")[0]) for name in arrays})
    inputs = [{key: arrays[f"{number}.{key}"] for key in ("signal", "fs", "leads")} for number in numbers]
    outputs = [
        {name.split(".out.")[1]: array for name, array in arrays.items() if name.startswith(f"{number}.out.")}
        for number in numbers
    ]
    return inputs, outputs


def test_manifest_lists_every_file_and_each_is_as_it_says(folder):
    artefact = load_artefact(folder)
    present = {path.name for path in folder.iterdir()}
    assert present == {MANIFEST, *artefact.files}
    assert {"card.md", "metrics.json", "golden.npz"} <= present


def test_golden_vectors_come_out_again(folder):
    artefact = load_artefact(folder)
    inputs, outputs = golden_of(artefact)
    assert len(inputs) >= 3
    for item, expected in zip(inputs, outputs, strict=True):
        found = RUNNERS[artefact.manifest["task"]](artefact, read_golden(item))
        assert set(found) == set(expected) != set()
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5, err_msg=name)


def test_golden_vectors_tell_inputs_apart(folder):
    _, outputs = golden_of(load_artefact(folder))
    for name in outputs[0]:
        assert len({values[name].tobytes() for values in outputs}) > 1, name


def test_golden_signals_are_plain_steps(folder):
    for item in golden_of(load_artefact(folder))[0]:
        assert item["signal"].dtype == np.int16
        recording = read_golden(item)
        np.testing.assert_array_equal(np.isnan(recording.signal), item["signal"] == NOT_RECORDED)
        assert np.nanmax(np.abs(recording.signal)) < STEP_MV * -NOT_RECORDED


def test_preprocessing_can_be_replayed(folder):
    for step in load_artefact(folder).preprocessing:
        assert step.name in STEPS


def test_data_it_was_trained_on_are_named_with_licence_citation_and_every_record(folder):
    artefact = load_artefact(folder)
    for data in artefact.manifest["training_data"]:
        about = DATASETS[data["name"]]
        assert (data["licence"], data["citation"], data["page"]) == (about.licence, about.citation, about.page)
        assert len(artefact.trained_on(data["name"])) == data["n"] > 0


def test_figures_stand_with_their_intervals_in_metrics_and_card(folder):
    artefact = load_artefact(folder)
    card = artefact.files["card.md"].decode()
    metrics = json.loads(artefact.files["metrics.json"])
    assert (metrics["model"], metrics["version"]) == (artefact.name, artefact.version)
    assert metrics["metrics"]
    for metric in metrics["metrics"].values():
        assert metric["low"] <= metric["value"] <= metric["high"]
    assert any(f"{m['value']:.3f} ({m['low']:.3f} to {m['high']:.3f})" in card for m in metrics["metrics"].values())
    for heading in ("## Use", "## Data", "## Metrics", "## Limits"):
        assert heading in card
    for data in artefact.manifest["training_data"]:
        assert data["licence"] in card
        assert data["citation"] in card


def test_recipe_that_made_it_still_stands(folder):
    artefact = load_artefact(folder)
    recipe = Recipe.named(artefact.name)
    assert artefact.manifest["created_by"] == f"training/recipes/{recipe.path.name}"
    assert artefact.manifest["seed"] == recipe["seed"]
