"""Fitting the beat network: a base on agreed beats alone, then tuned on marked ones; all are kept between runs."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecg_core.robust.inputs import FS
from training.beats_batches import as_faults, make_batches
from training.beats_examples import LABELLED, Example, read_labelled
from training.beats_network import HEADS, build, loss, served
from training.beats_pseudo import read_agreed
from training.beats_store import kept
from training.network import Schedule, checkpoints, fit, to_onnx, use_mixed_precision
from training.noise import NoiseBank, load_noise
from training.recipe import Recipe

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workshop:
    """A recipe with its data at hand."""

    recipe: Recipe
    root: Path | None

    @cached_property
    def agreed(self) -> list[Example]:
        """Recordings on whose beats the leads agree."""
        found = []
        for data, split in self.recipe["pseudo"].items():
            path = checkpoints("beats") / f"agreed-{data}-{split or 'all'}.npz"
            found += kept(path, lambda data=data, split=split: read_agreed(data, self.root, split or None))
        return found

    @cached_property
    def labelled(self) -> list[Example]:
        """Recordings whose beats people marked."""
        return [example for data in LABELLED for example in read_labelled(data, self.root)]

    @cached_property
    def noise(self) -> NoiseBank:
        """Recorded noise."""
        return load_noise(self.root, FS)

    def base(self) -> Path:
        """Return the weights of the network that has seen agreed beats alone."""
        return self._fitted("harden", self.agreed, self._fitted("base", self.agreed, None))

    def tuned(self, labelled: Sequence[Example]) -> Path:
        """Return the weights of the network tuned on these marked recordings, and on agreed beats."""
        return self._fitted("tune", [*self.agreed, *labelled], self.base())

    def network(self, weights: Path) -> bytes:
        """Return the graph that is served, of fitted weights."""
        model = self._model()
        model.load_weights(weights)
        return to_onnx(served(model))

    def _model(self) -> keras.Model:
        settings = self.recipe["network"]
        return build(tuple(settings["channels"]), tuple(settings["dilations"]), settings["dropout"])

    def _fitted(self, stage: str, examples: Sequence[Example], start: Path | None) -> Path:
        """Return the weights after a stage of the recipe, from where they are kept if they were fitted before."""
        settings: dict[str, Any] = self.recipe[stage]
        depends = {
            "network": self.recipe["network"],
            "stage": settings,
            "faults": {data: self.recipe["faults"][data] for data in settings["shares"]},
            "seed": self.recipe["seed"],
            "start": start.name if start else None,
            "records": sorted(f"{example.data}:{example.hash}" for example in examples),
        }
        key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]
        path = checkpoints("beats") / f"{stage}-{key}.weights.h5"
        if path.exists():
            return path
        import keras

        keras.utils.set_random_seed(self.recipe["seed"])
        use_mixed_precision()
        model = self._model()
        if start:
            model.load_weights(start)
        batches = make_batches(
            examples,
            settings["shares"],
            {data: as_faults(self.recipe["faults"][data]) for data in settings["shares"]},
            settings.get("reshape", {}),
            self.noise,
            settings["batch"],
            self.recipe["seed"],
        )
        schedule = Schedule(settings["steps"], settings["rate"], average=settings["average"])
        fit(
            model,
            batches,
            dict.fromkeys(HEADS, loss),
            schedule,
            checkpoint=path.with_suffix(".state"),
            save_every=100,
            loss_weights=dict(zip(HEADS, (1.0, 0.3, 0.2), strict=True)),
            report=lambda step, value: logger.info("%s %s: step %d, loss %.4f", stage, key, step, value),
        )
        part = path.with_name(f".{path.name.removesuffix('.weights.h5')}.part.weights.h5")
        model.save_weights(part)
        part.replace(path)
        return path
