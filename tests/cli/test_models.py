"""`ecg models`: what there is, its cards, and adding and removing other people's."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.artefacts import list_models
from ecg_core.guests.spec import EXAMPLE
from ecg_core.guests.store import to_toml
from tests.predictors.guest_models import ONNX_MANIFEST, onnx_toy


@pytest.fixture
def toy(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "mine"))
    (tmp_path / "toy.onnx").write_bytes(onnx_toy())
    (tmp_path / "toy.toml").write_text(to_toml(ONNX_MANIFEST))
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(app, ["models", *map(str, arguments)])


def add(toy, *more: object):
    return run("add", "toy", toy / "toy.onnx", "--manifest", toy / "toy.toml", *more)


def test_a_model_is_added_listed_shown_and_removed(toy):
    result = add(toy)
    assert result.exit_code == 0, result.stderr
    assert "added toy 1" in result.stdout
    assert "age: " in result.stdout
    assert "years" in result.stdout
    listed = {row["name"]: row for row in json.loads(run("list", "--json").stdout)["models"]}
    assert (listed["toy"]["yours"], listed["rhythm"]["yours"]) == (True, False)
    assert listed["toy"]["task"] == "plugin"
    assert "A toy" in run("list").stdout
    shown = run("show", "toy")
    assert shown.exit_code == 0, shown.stderr
    assert "kind multi_label" in shown.stdout
    assert run("remove", "toy").stdout == "removed toy 1\n"
    assert "toy" not in {model.name for model in list_models()}


def test_adding_twice_needs_to_be_asked_for(toy):
    add(toy)
    again = add(toy)
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr == "ecg: model: there is such a model already; found: toy/1\n"
    assert add(toy, "--replace").exit_code == 0


def test_what_was_said_on_trying_it_out_is_there_as_json(toy):
    found = json.loads(add(toy, "--json").stdout)
    assert (found["name"], found["version"], found["recognised"]) == ("toy", "1", None)
    assert set(found["trial"]) == {"findings", "age"}
    assert len(found["weights"]) == 64


def test_a_wrong_manifest_is_one_sentence_and_nothing_is_added(toy):
    manifest = to_toml({**ONNX_MANIFEST, "inputs": {**ONNX_MANIFEST["inputs"], "fs": "fast"}})
    (toy / "toy.toml").write_text(manifest)
    result = add(toy)
    assert result.exit_code == 2
    assert result.stderr.startswith("ecg: toy.toml: inputs.fs: of the wrong kind; found: fast; expected: samples per")
    assert "toy" not in {model.name for model in list_models()}


@pytest.mark.parametrize("name", ["quality", "rhythm"])
def test_a_shipped_model_shows_its_card_and_metrics(name):
    shown = run("show", name)
    assert shown.exit_code == 0, shown.stderr
    assert "Metrics" in shown.stdout
    found = json.loads(run("show", name, "--json").stdout)
    assert found["metrics"]["metrics"]
    assert found["manifest"]["name"] == name


def test_a_model_that_is_not_there_is_one_sentence(toy):
    for command in ("show", "remove"):
        result = run(command, "nothing")
        assert result.exit_code == 2
        assert "such model; found: nothing" in result.stderr


def test_the_example_can_be_saved_and_edited():
    assert run("example").stdout == EXAMPLE
