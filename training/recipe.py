"""Recipes: one TOML file a model, naming the trainer (a module of this package) and everything it depends on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from ecg_core.errors import InvalidValue, UnknownName
from ecg_core.evaluation import Evaluation

FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """What a model is made of."""

    name: str
    path: Path
    settings: Mapping[str, Any]

    @classmethod
    def named(cls, name: str) -> Recipe:
        """Read the recipe of a model."""
        path = FOLDER / f"{name}.toml"
        if name not in recipes():
            raise UnknownName("no such recipe", field="model to train", found=repr(name), options=recipes())
        return cls(name, path, tomllib.loads(path.read_text("utf-8")))

    def __getitem__(self, key: str) -> Any:
        """Return one setting."""
        if key not in self.settings:
            raise InvalidValue("the recipe lacks a setting", file=self.path.name, field=key, options=self.settings)
        return self.settings[key]


class Trainer(Protocol):
    """What a trainer module offers."""

    def train(self, recipe: Recipe, root: Path | None, out: Path) -> Path:
        """Make the artefact under ``out``/name/version and return its folder."""

    def cross_validate(self, recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
        """Return out-of-fold metrics with ``k`` folds, the recipe's number for None."""


def recipes() -> list[str]:
    """Return the names of the models that can be trained."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def trainer_of(recipe: Recipe) -> Trainer:
    """Return the trainer that a recipe names."""
    return cast(Trainer, import_module(f"training.{recipe['trainer']}"))
