from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ecg_core import artefacts
from ecg_core.errors import DuplicateName, UnknownName

ROOT = Path(__file__).parent.parent


def plant(root: Path, name: str, version: str) -> Path:
    folder = root / name / version
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(f'name = "{name}"\n')
    return folder


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "user"))
    monkeypatch.setattr(artefacts, "shipped_models", lambda: tmp_path / "shipped")
    return tmp_path


def test_shipped_and_user_models_stand_in_one_list(models):
    plant(models / "shipped", "beats", "1")
    plant(models / "user", "mine", "0.1")
    assert [(m.name, m.version) for m in artefacts.list_models()] == [("beats", "1"), ("mine", "0.1")]


def test_models_that_come_and_go_are_seen_whenever_the_list_is_asked_for(models, monkeypatch):
    monkeypatch.setattr(artefacts, "_SETTLED_NS", -(10**12))
    shipped = plant(models / "shipped", "beats", "1")
    assert len(artefacts.list_models()) == 1
    for version in ("1", "2"):
        mine = plant(models / "user", "mine", version)
    assert [m.version for m in artefacts.list_models()] == ["1", "1", "2"]
    (mine / "manifest.toml").unlink()
    assert [m.version for m in artefacts.list_models()] == ["1", "1"]
    shutil.rmtree(shipped)
    assert [m.name for m in artefacts.list_models()] == ["mine"]


def test_held_models_are_looked_for_once(models, monkeypatch):
    plant(models / "shipped", "beats", "1")
    loaded = []
    monkeypatch.setattr(artefacts, "load_artefact", lambda folder: loaded.append(folder.name) or folder.name)
    with artefacts.models_held():
        assert artefacts.load_model("beats") == "1"
        plant(models / "shipped", "beats", "2")
        with artefacts.models_held():
            assert artefacts.load_model("beats") == "1"
        assert artefacts.load_model("beats", "2") == "2"
    assert artefacts.load_model("beats") == "2"
    assert loaded == ["1", "2", "2"]


def test_highest_version_is_taken_by_number(models):
    for version in ("1.9", "1.10", "1.2"):
        plant(models / "shipped", "beats", version)
    assert artefacts.find_model("beats").version == "1.10"
    assert artefacts.find_model("beats", "1.2").version == "1.2"


def test_unknown_model_lists_those_that_exist(models):
    plant(models / "shipped", "beats", "1")
    with pytest.raises(UnknownName, match="beats/1"):
        artefacts.find_model("beets")


def test_user_model_can_not_shadow_a_shipped_one(models):
    plant(models / "shipped", "beats", "1")
    plant(models / "user", "beats", "1")
    with pytest.raises(DuplicateName, match="exists already"):
        artefacts.list_models()


def test_wheel_finds_its_models_as_a_checkout_does(tmp_path):
    checkout = tmp_path / "checkout"
    for name in ("ecg_core", "api", "cli", "dashboard", "models"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, checkout / name)
    plant(checkout / "models", "planted", "1")
    assert find_from(checkout, tmp_path) == checkout / "models" / "planted" / "1"
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=checkout,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    assert find_from(tmp_path / "site", tmp_path).is_relative_to(tmp_path / "site" / "ecg_core")


def find_from(where: Path, cwd: Path) -> Path:
    """Return the planted model's folder as a fresh interpreter with ``where`` on its path finds it."""
    code = "from ecg_core.artefacts import find_model; print(find_model('planted').path)"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(where)},
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(run.stdout.strip())
