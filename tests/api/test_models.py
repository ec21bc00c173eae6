"""The models that are installed, as the API lists and describes them."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest

from api.services.model_catalog import PARTS
from ecg_core.artefacts import MANIFEST, list_models, load_model
from ecg_core.guests.adding import add_guest
from ecg_core.guests.store import to_toml
from ecg_core.predictors import predictors
from tests.predictors.guest_models import ONNX_MANIFEST, onnx_toy

SHIPPED = [model.name for model in list_models()]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An empty folder of the user's models, and the files of one to add."""
    pytest.importorskip("onnx")
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "mine"))
    (tmp_path / "toy.onnx").write_bytes(onnx_toy())
    return tmp_path


def add_toy(mine, **changes):
    manifest = mine / "toy.toml"
    manifest.write_text(to_toml(copy.deepcopy(ONNX_MANIFEST) | changes))
    return add_guest("toy", mine / "toy.onnx", manifest).folder.path


def listed(client, **query) -> dict[tuple[str, str], dict]:
    found = client.get("/models", params=query).json()["models"]
    return {(model["name"], model["version"]): model for model in found}


# --- the list --------------------------------------------------------------------------------------------------------


def test_every_model_is_listed_with_what_it_is(client):
    found = listed(client)
    assert list(found) == [(model.name, model.version) for model in list_models()]
    for folder in list_models():
        model = found[folder.name, folder.version]
        artefact = load_model(folder.name, folder.version)
        assert (model["task"], model["title"]) == (artefact.manifest["task"], artefact.manifest["title"])
        assert model["sha256"] == artefact.sha256 == hashlib.sha256((folder.path / MANIFEST).read_bytes()).hexdigest()
        assert model["origin"] == "shipped"
        assert model["latest"] is True
        assert [data["licence"] for data in model["training_data"]] == [
            data["licence"] for data in artefact.manifest["training_data"]
        ]
    assert found["heart12", "1.0.0"]["licence"].startswith("weights under the licence")


def test_the_list_says_which_models_can_be_asked_and_why_others_cannot(client):
    found = listed(client)
    assert {name for (name, _), model in found.items() if model["answers"]} == set(predictors())
    assert found["beats", "1.0.0"]["reason"] == "a part of every analysis, which is not asked by name"
    assert found["heart12", "1.0.0"]["reason"] is None


def test_the_list_says_what_each_model_is_for_as_its_card_does(client):
    for model in listed(client).values():
        words = " ".join(load_model(model["name"]).files["card.md"].decode().split("## Use")[1].split())
        assert words.startswith(model["description"])
        assert len(model["description"]) > 50


def test_the_list_can_be_narrowed_down(client):
    def names(**query):
        return [name for name, _ in listed(client, **query)]

    assert names(search="afib") == ["heart12", "tabular"]
    assert names(search="R PEAKS") == ["beats"]
    assert names(task="rhythm") == ["rhythm"]
    assert set(names(answers=True)) | set(names(answers=False)) == set(SHIPPED)
    assert names(answers=True) == sorted(predictors())
    assert names(search="nothing of the kind") == []


# --- one model -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_a_model_is_described_by_its_own_files(client, name):
    found = client.get(f"/models/{name}").json()
    assert found == client.get(f"/models/{name}/{found['version']}").json()
    artefact = load_model(name)
    metrics = json.loads(artefact.files["metrics.json"])
    assert found["card"] == artefact.files["card.md"].decode()
    assert found["metrics"] == metrics["metrics"]
    assert found["measured_on"] == {key: metrics[key] for key in ("data", "split", "n")}
    assert found["inputs"] == artefact.manifest["inputs"]
    assert found["files"] == artefact.manifest["files"]
    assert [step["name"] for step in found["preprocessing"]] == [step.name for step in artefact.preprocessing]
    assert found["labels"]
    assert all(found["labels"].values())
    for part in PARTS:
        assert (found[part] is None) == (part in found["reasons"]), part


def test_the_labels_of_a_model_stand_by_head(client):
    assert client.get("/models/rhythm").json()["labels"] == {"rhythm": ["N", "A", "O", "~"]}
    heart12 = client.get("/models/heart12").json()
    assert len(heart12["labels"]["statements"]) == 71
    assert heart12["labels"]["sex"] == ["female"]
    assert heart12["outputs"]["age"] == {"unit": "years", "coverage": 0.9}
    assert heart12["views"]["limb"] == ["I", "II"]
    assert heart12["graphs"] == ["heart12", "heart12:trees", "heart12:trees_one"]
    assert client.get("/models/tabular").json()["labels"]["superclass"] == ["NORM", "MI", "STTC", "CD", "HYP"]


@pytest.mark.parametrize("view", [None, "full", "limb", "II"])
def test_operating_points_are_those_of_the_view_that_is_asked_for(client, view):
    found = client.get("/models/heart12", params={} if view is None else {"view": view}).json()["thresholds"]
    heads = load_model("heart12").json("heads.json")
    known = heads["views"][view or "full"]["labels"]
    assert found["view"] == (view or "full")
    assert found["prevalences"] == heads["prevalences"]
    assert list(found["labels"]) == list(known)
    for label, expected in known.items():
        assert found["labels"][label]["points"] == expected["points"]
        assert found["labels"][label]["experimental"] is expected["experimental"]
        assert found["labels"][label]["positives"] == expected["positives"]


def test_thresholds_of_models_without_operating_points_are_as_their_manifests_state(client):
    assert client.get("/models/quality").json()["thresholds"]["stated"] == {"unacceptable": 0.5}
    tabular = client.get("/models/tabular").json()["thresholds"]
    assert tabular["view"] is None
    assert tabular["labels"]["superclass.MI"]["points"]["se95"]["threshold"] == 0.0975825
    assert tabular["labels"]["statements.AFLT"] == {"points": {}, "n": 2173, "positives": 8, "experimental": True}
    waves = client.get("/models/waves").json()
    assert (waves["thresholds"], waves["reasons"]["thresholds"]) == (None, "the model calls no labels")


def test_curves_are_those_that_were_kept_and_none_is_made_up(client):
    heart12 = client.get("/models/heart12").json()["curves"]
    assert set(heart12) == {"roc", "precision_recall", "reliability", "decision"}
    assert heart12["roc"]["statements.AFIB"]["sensitivity"][-1] == 1.0
    assert set(client.get("/models/tabular").json()["curves"]) == set(heart12)
    beats = client.get("/models/beats").json()
    assert beats["curves"] is None
    assert beats["reasons"]["curves"] == "no curves were kept when the model was measured"


def test_parts_that_are_not_asked_for_are_left_out(client):
    found = client.get("/models/heart12", params={"parts": "card, curves"}).json()
    assert found["card"]
    assert found["curves"]
    assert (found["metrics"], found["thresholds"]) == (None, None)
    assert found["reasons"] == {"metrics": "not asked for", "thresholds": "not asked for"}


def test_card_and_metrics_come_as_they_are(client):
    artefact = load_model("heart12")
    card = client.get("/models/heart12/1.0.0/card")
    assert card.headers["content-type"] == "text/markdown; charset=utf-8"
    assert card.content == artefact.files["card.md"]
    metrics = client.get("/models/heart12/1.0.0/metrics")
    assert metrics.headers["content-type"] == "application/json"
    assert metrics.content == artefact.files["metrics.json"]
    assert {"subgroups", "robustness"} <= set(metrics.json())


@pytest.mark.parametrize("path", ["/models", "/models/rhythm", "/models/rhythm/1.0.0", "/models/rhythm/1.0.0/card"])
def test_what_the_client_has_is_not_sent_again(client, path):
    first = client.get(path)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/models/nonsense", "/models/rhythm/9.9.9", "/models/nonsense/1.0.0/card", "/models/rhythm/9.9.9/metrics"],
)
def test_an_unknown_model_is_answered_with_those_that_there_are(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_name")
    assert "rhythm/1.0.0" in answer.json()["options"]


@pytest.mark.parametrize(
    ("query", "options"),
    [({"view": "V9"}, ["full", "limb_v1", "limb", "I", "II"]), ({"parts": "card,price"}, list(PARTS))],
)
def test_what_a_model_does_not_have_is_refused_with_what_it_has(client, query, options):
    answer = client.get("/models/heart12", params=query)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")
    assert answer.json()["options"] == options


def test_models_are_for_those_who_are_signed_in(anonymous):
    for path in ("/models", "/models/rhythm", "/models/rhythm/1.0.0", "/models/rhythm/1.0.0/card"):
        assert anonymous.get(path).status_code == 401


# --- models that were added ------------------------------------------------------------------------------------------


def test_a_model_that_was_added_is_listed_and_described(client, mine):
    add_toy(mine, licence="CC BY 4.0", accuracy={"auroc": 0.9})
    summary = listed(client)["toy", "1"]
    assert (summary["origin"], summary["answers"], summary["licence"]) == ("added", True, "CC BY 4.0")
    assert summary["description"] is None
    found = client.get("/models/toy").json()
    assert found["labels"] == {"findings": ["A", "B"], "age": []}
    assert found["outputs"] == {"age": {"kind": "regression", "unit": "years"}}
    assert found["thresholds"]["stated"] == {"findings": {"A": 0.5}}
    assert found["accuracy"] == {"auroc": 0.9}
    assert set(found["reasons"]) == {"card", "metrics", "curves"}
    missing = client.get("/models/toy/1/card")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_the_highest_version_is_the_one_that_is_asked(client, mine):
    add_toy(mine, version="9")
    add_toy(mine, version="10")
    found = listed(client)
    assert (found["toy", "10"]["latest"], found["toy", "10"]["answers"]) == (True, True)
    assert (found["toy", "9"]["latest"], found["toy", "9"]["answers"]) == (False, False)
    assert found["toy", "9"]["reason"] == "a higher version is asked"
    assert client.get("/models/toy").json()["version"] == "10"
    assert client.get("/models/toy/9").json()["version"] == "9"


def test_a_damaged_model_is_listed_with_what_is_wrong_and_never_described(client, mine):
    folder = add_toy(mine)
    (folder / "model.onnx").write_bytes(b"something else")
    (mine / "mine" / "torn" / "1").mkdir(parents=True)
    (mine / "mine" / "torn" / "1" / MANIFEST).write_text("not TOML = = =")
    (mine / "mine" / "odd" / "1").mkdir(parents=True)
    (mine / "mine" / "odd" / "1" / MANIFEST).write_text("title = 'odd'\ntask = 'beats'\nlicence = [1]\n")
    found = listed(client)
    assert (found["toy", "1"]["answers"], found["torn", "1"]["answers"]) == (False, False)
    assert "toy/1/model.onnx: a file of the model is not what its manifest says" in found["toy", "1"]["reason"]
    assert str(mine) not in found["toy", "1"]["reason"]
    assert found["torn", "1"]["reason"] == "its manifest cannot be read"
    assert found["torn", "1"]["sha256"] is None
    assert found["odd", "1"]["reason"] == "its manifest is of another form"
    assert client.get("/models/toy").json()["code"] == "model_error"
    assert client.get("/models/torn").status_code == 500
