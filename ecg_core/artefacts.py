"""Where models live: those that ship with Einthoven, and those that a user added.

A model is a folder ``<name>/<version>/`` with a ``manifest.toml``. The shipped ones lie in ``models/`` of a checkout,
or inside the installed package; a user's in the folder that ``EINTHOVEN_MODELS`` names, else in the user's data folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ecg_core.errors import DuplicateName, UnknownName


@dataclass(frozen=True)
class ModelFolder:
    """One version of one model, on disk."""

    name: str
    version: str
    path: Path


def user_models() -> Path:
    """Return the folder of user-added models (it need not exist)."""
    chosen = os.environ.get("EINTHOVEN_MODELS")
    return Path(chosen) if chosen else platformdirs.user_data_path("einthoven") / "models"


def shipped_models() -> Path:
    """Return the folder of the models that came with Einthoven."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def list_models() -> list[ModelFolder]:
    """Return every model version, by name and then version.

    Raises
    ------
    DuplicateName
        A user's model has the name and version of a shipped one, so that a name would not say which is meant.
    """
    found: dict[tuple[str, str], ModelFolder] = {}
    for root in (shipped_models(), user_models()):
        for manifest in sorted(root.glob("*/*/manifest.toml")):
            folder = manifest.parent
            key = (folder.parent.name, folder.name)
            if key in found:
                raise DuplicateName(
                    "a model of this name and version exists already", file=str(folder), found=found[key].path
                )
            found[key] = ModelFolder(*key, folder)
    return [found[key] for key in sorted(found)]


def find_model(name: str, version: str | None = None) -> ModelFolder:
    """Return one model, in its highest version unless one is named."""
    models = list_models()
    matching = [model for model in models if model.name == name and version in (None, model.version)]
    if not matching:
        wanted = name if version is None else f"{name}/{version}"
        raise UnknownName(
            "no such model", field="model", found=wanted, options=[f"{m.name}/{m.version}" for m in models]
        )
    return max(matching, key=lambda model: _as_numbers(model.version))


def _as_numbers(version: str) -> tuple[tuple[int, str], ...]:
    """Return a sortable form in which 10 comes after 9."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))
