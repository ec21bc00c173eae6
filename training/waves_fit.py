"""Fitting the network ``waves`` to some of the records, once: a fit that was made before is taken from the cache."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ecg_core.datasets import Entry, folds
from ecg_core.delineation.inputs import FS
from training.network import Schedule, checkpoints, fit, to_onnx, use_mixed_precision
from training.noise import NoiseBank, load_noise
from training.recipe import Recipe
from training.waves_batches import batches
from training.waves_data import Known, read_set
from training.waves_network import build, loss
from training.waves_synthetic import SyntheticExample, make_examples

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Material:
    """All that a recipe trains on."""

    recipe: Recipe
    root: Path | None
    sets: Mapping[str, Known]

    @cached_property
    def noise(self) -> NoiseBank:
        """Recorded noise."""
        return load_noise(self.root, FS)

    @cached_property
    def synthetic(self) -> list[SyntheticExample]:
        """ECGs of exact truth."""
        return make_examples(self.recipe["training"]["synthetic"], self.recipe["seed"])

    def dealt(self, k: int) -> list[dict[str, list[Entry[Any]]]]:
        """Return ``k`` parts of every set: records of LUDB with and without P waves are spread evenly."""
        parts: list[dict[str, list[Entry[Any]]]] = [{} for _ in range(k)]
        for name, known in self.sets.items():
            has_p = {entry.name: e.has_p for entry, e in zip(known.entries, known.examples, strict=True)}
            dealt = folds(
                known.entries, k, seed=self.recipe["seed"], stratum=lambda entry, has_p=has_p: has_p[entry.name]
            )
            for part, entries in zip(parts, dealt, strict=True):
                part[name] = entries
        return parts


def read_material(recipe: Recipe, root: Path | None) -> Material:
    """Read the sets of a recipe."""
    return Material(recipe, root, {name: read_set(name, root) for name in recipe["sets"]})


def fitted(material: Material, left_out: Mapping[str, Sequence[Entry[Any]]]) -> bytes:
    """Return the network, as a graph, that learned from all records but those left out."""
    recipe = material.recipe
    out = {name: {entry.name for entry in entries} for name, entries in left_out.items()}
    kept = {
        name: [at for at, entry in enumerate(known.entries) if entry.name not in out.get(name, ())]
        for name, known in material.sets.items()
    }
    hashes = {name: [material.sets[name].hashes[at] for at in rows] for name, rows in kept.items()}
    key = {name: recipe[name] for name in ("network", "training", "seed")} | {"records": hashes}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
    folder = checkpoints("waves") / digest
    graph = folder / "network.onnx"
    if graph.is_file():
        return graph.read_bytes()
    content = _fit(
        material, {name: [material.sets[name].examples[at] for at in rows] for name, rows in kept.items()}, folder
    )
    part = graph.with_suffix(".part")
    part.write_bytes(content)
    part.replace(graph)
    return content


def _fit(material: Material, sources: Mapping[str, Sequence[Any]], folder: Path) -> bytes:
    import keras

    recipe = material.recipe
    settings, network = recipe["training"], recipe["network"]
    keras.utils.set_random_seed(recipe["seed"])
    use_mixed_precision()
    model = build(network["channels"], network["kernel"])
    stream = batches(
        {**sources, "synthetic": material.synthetic},
        settings["groups"],
        settings["faults"],
        material.noise,
        recipe["seed"],
    )
    fit(
        model,
        stream,
        loss(settings["whole"], settings["marks"]),
        Schedule(settings["steps"], settings["rate"], average=settings["average"]),
        checkpoint=folder,
        save_every=100,
        report=lambda step, value: logger.info("step %d of %d: loss %.4f", step, settings["steps"], value),
    )
    final = build(network["channels"], network["kernel"])
    final.set_weights(model.get_weights())
    return to_onnx(final)
