"""Fitting the network ``heart12``, each stage once: one that was done before is taken from the cache.

It learns in stages: most of the time on short pieces, which are four times as fast and never the same twice, then on
whole strips, as it is used. What ships goes on from what was measured, with the fold that chose it added.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import InvalidValue
from training.heart12_batches import batches
from training.heart12_data import FS, Material
from training.heart12_heads import UNKNOWN
from training.heart12_network import build, loss
from training.network import Schedule, checkpoints, fit, use_mixed_precision
from training.noise import NoiseBank
from training.recipe import Recipe

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

WHOLE = 1000
"""Samples of a strip as it is used."""
_SAVES, _LEAST_SAVED = 20, 100
"""How often a stage is saved on its way, and after how many steps at the earliest."""


@dataclass(frozen=True)
class Member:
    """One network of the committee: the recipe's settings, and where it has its own, those."""

    seed: int
    network: Mapping[str, Any]
    changes: Mapping[str, Any]
    loss: Mapping[str, float]
    stages: Sequence[Mapping[str, Any]]
    refit: Sequence[Mapping[str, Any]]

    @classmethod
    def all_of(cls, recipe: Recipe) -> list[Member]:
        """Return the members that a recipe names."""
        return [
            cls(
                own["seed"],
                *({**recipe[name], **own.get(name, {})} for name in ("network", "changes", "loss")),
                own.get("stages", recipe["stages"]),
                recipe["refit"],
            )
            for own in recipe["members"]
        ]


def selected(member: Member, recipe: Recipe, material: Material, bank: NoiseBank) -> Path:
    """Return the file of weights that learned from the training folds: those that are measured."""
    return fitted(member, material, bank, material.rows(recipe["folds"]["train"]), member.stages, None)


def refitted(member: Member, recipe: Recipe, material: Material, bank: NoiseBank) -> Path:
    """Return the file of weights that went on with the records of the fold that chose them: those that ship."""
    rows = material.rows([*recipe["folds"]["train"], *recipe["folds"]["select"]])
    return fitted(member, material, bank, rows, member.refit, selected(member, recipe, material, bank))


def network_of(member: Member, material: Material, weights: Path) -> keras.Model:
    """Return the network for whole strips, in float32, with these weights."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    model = build(WHOLE, len(material.layout.outputs), **member.network)
    model.load_weights(weights)
    return model


def fitted(
    member: Member,
    material: Material,
    bank: NoiseBank,
    rows: np.ndarray,
    stages: Sequence[Mapping[str, Any]],
    start: Path | None,
) -> Path:
    """Return the file of weights after all stages of learning from the records ``rows``, beginning with ``start``."""
    records = hashlib.sha256("\n".join(material.names[row] for row in rows).encode()).hexdigest()
    settings = {name: getattr(member, name) for name in ("network", "changes", "loss", "seed")}
    weights = start
    for stage in stages:
        came_from = None if weights is None else weights.parent.name
        key = {**settings, "records": records, "stage": dict(stage), "start": came_from}
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        folder = checkpoints("heart12") / digest
        made = folder / "network.weights.h5"
        if not made.is_file():
            _learn(member, material, bank, rows, stage, weights, folder)
        weights = made
    if weights is None:
        raise InvalidValue("nothing to learn by", field="stages", found="none", expected="one or more")
    return weights


def _learn(
    member: Member,
    material: Material,
    bank: NoiseBank,
    rows: np.ndarray,
    stage: Mapping[str, Any],
    start: Path | None,
    folder: Path,
) -> None:
    import keras

    keras.utils.set_random_seed(member.seed)
    use_mixed_precision()
    layout = material.layout
    n_samples = round(stage["seconds"] * FS)
    model = build(n_samples, len(layout.outputs), **member.network)
    if start is not None:
        model.load_weights(start)
    columns = {name: layout.columns(name) for name in ("statements", "subclass", "superclass", "sex")}
    columns["age"] = [len(layout.outputs) - 2, len(layout.outputs) - 1]
    steps = round(stage["epochs"] * len(rows) / stage["batch"])
    stream = batches(
        material.signal[rows],
        material.targets[rows],
        stage["batch"],
        n_samples,
        rng=np.random.default_rng(member.seed),
        bank=bank,
        changes=member.changes,
    )
    fit(
        model,
        stream,
        loss(member.loss, columns, UNKNOWN),
        Schedule(steps, stage["rate"], warm_up=stage["warm_up"], decay=stage["decay"], average=stage["average"]),
        checkpoint=folder,
        save_every=max(_LEAST_SAVED, steps // _SAVES),
        report=lambda step, value: logger.info("step %d of %d: loss %.4f", step, steps, value),
    )
    part = folder / "part.weights.h5"
    model.save_weights(part)
    part.replace(folder / "network.weights.h5")
