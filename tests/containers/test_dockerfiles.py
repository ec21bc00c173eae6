from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.containers.dockerfile import FILES, ROOT, lineage, read_stages

each_file = pytest.mark.parametrize("name", FILES)
ML = ("onnx", "tensorflow", "keras", "torch", "xgboost", "scikit-learn", "scipy", "h5py")


@each_file
def test_stages_stand_on_one_base_image_with_a_version(name: str) -> None:
    stages = read_stages(name)
    bases = {stage.base for stage in stages.values()} - set(stages)
    assert bases == {"docker.io/library/python:${PYTHON}-slim-trixie"}
    assert "ARG PYTHON=3." in (ROOT / name).read_text(encoding="utf-8")


@each_file
def test_image_is_not_run_as_root_and_says_whether_it_is_well(name: str) -> None:
    final = lineage(read_stages(name), next(reversed(read_stages(name))))
    users = [user for stage in final for user in stage.all("USER")]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])
    assert any(stage.all("HEALTHCHECK") for stage in final)


@each_file
def test_dependencies_are_installed_before_any_code_is_copied(name: str) -> None:
    stages = read_stages(name)
    assert stages["requirements"].copied() == ["pyproject.toml"]
    assert stages["dependencies"].copied() == ["constraints.txt"]
    assert any("--constraint" in step and "--requirement" in step for step in stages["dependencies"].all("RUN"))


@each_file
def test_everything_copied_is_there_and_let_through_by_dockerignore(name: str) -> None:
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line.startswith("!")
    }
    for stage in read_stages(name).values():
        for source in stage.copied():
            assert (ROOT / source).exists(), source
            assert any(source == path or source.startswith(f"{path}/") for path in let_through), source


@each_file
def test_build_takes_nothing_but_the_checkout_and_packages(name: str) -> None:
    for stage in read_stages(name).values():
        assert not stage.all("ADD")
        for step in stage.all("RUN"):
            assert not re.search(r"\b(curl|wget|git|apt-get|index-url|trusted-host)\b|https?://", step), step


@each_file
def test_requirements_are_those_of_pyproject(name: str, tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (step,) = read_stages(name)["requirements"].all("RUN")
    code = re.fullmatch(r'python -c "(.*)" > /requirements\.txt', step)
    assert code is not None
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    run = subprocess.run(
        [sys.executable, "-c", code[1].replace("/pyproject.toml", str(tmp_path / "pyproject.toml"))],
        capture_output=True,
        text=True,
        check=True,
    )
    extra = project["optional-dependencies"][name.partition(".")[2]]
    library = project["dependencies"] if name == "Dockerfile.api" else []
    assert run.stdout.splitlines() == [*library, *extra]


def test_nothing_is_reported_to_anybody() -> None:
    """ONNX Runtime and Streamlit tell their makers of their use, unless they are told not to."""
    api = lineage(read_stages("Dockerfile.api"), "runtime")
    assert "ORT_DISABLE_TELEMETRY=1" in " ".join(env for stage in api for env in stage.all("ENV"))
    config = tomllib.loads((ROOT / "dashboard" / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["browser"]["gatherUsageStats"] is False


def test_dashboard_carries_its_own_room_and_the_schemas_alone() -> None:
    copied = [source for stage in lineage(read_stages("Dockerfile.dashboard"), "runtime") for source in stage.copied()]
    assert copied == ["api/__init__.py", "api/schemas", "dashboard"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for requirement in project["optional-dependencies"]["dashboard"]:
        assert not requirement.startswith(ML), requirement


def test_dashboard_starts_from_what_its_image_carries(tmp_path: Path) -> None:
    """Every module of the dashboard can be imported where only its image's files are."""
    for source in ("api/__init__.py", "api/schemas", "dashboard"):
        (tmp_path / source).parent.mkdir(exist_ok=True)
        (tmp_path / source).symlink_to(ROOT / source)
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((ROOT / "dashboard").rglob("*.py"))
        if path.name != "app.py" and "screens" not in path.parts
    ]
    code = (
        "import sys, importlib\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('ecg_core', 'cli', 'fastapi', 'sqlalchemy', 'pydantic_settings', 'scipy'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "", "HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
