"""What a predictor is given, what it is, and which are installed.

A predictor is code for one task (the ``task`` of a model's manifest); it registers how it is made in `PREDICTORS`, and
from then on every model of that task, shipped or a user's, answers.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ecg_core.artefacts import MANIFEST, Artefact, find_model, list_models, load_artefact
from ecg_core.beat_classes import BeatClasses
from ecg_core.beats import Beats
from ecg_core.errors import EcgError
from ecg_core.measurements import Measurements, Part
from ecg_core.pacing import Pacing
from ecg_core.predictors.value import DEFAULT_POINT, Identity, OperatingPoint, Prediction
from ecg_core.quality import Quality
from ecg_core.quality.reversals import Reversals
from ecg_core.recording import Recording, Subject
from ecg_core.registry import Registry
from ecg_core.rhythm import Rhythm
from ecg_core.waves import Waves

_KEPT = 16


@dataclass(frozen=True, eq=False)
class Context:
    """One recording, and what the steps before the predictors know of it."""

    recording: Recording
    quality: Quality
    reversals: Reversals
    pacing: Pacing
    beats: Beats
    classes: BeatClasses
    waves: Waves
    part: Part
    """The part of the recording that waves and measurements speak of."""
    measurements: Measurements
    rhythm: Rhythm | None = None
    """As told from one lead, where it was asked for."""

    begun: Mapping[str, Any] = field(default_factory=dict)
    """What predictors set to work on before the steps (`Beginner.begin`), by the name of the model."""

    @property
    def subject(self) -> Subject:
        """What is said about the person."""
        return self.recording.subject

    @cached_property
    def figures(self) -> Mapping[str, float]:
        """The figures that boosted trees read, NaN where there is none: see `ecg_core.predictors.figures`."""
        from ecg_core.predictors.figures import measure_figures

        return measure_figures(self)


class Predictor(Protocol):
    """A model that is ready to answer."""

    @property
    def identity(self) -> Identity:
        """Name, version and sha256."""
        ...

    def predict(self, contexts: Sequence[Context], operating_point: OperatingPoint = DEFAULT_POINT) -> list[Prediction]:
        """Answer for each recording, in order; networks are run on all recordings together.

        A model without operating points of that kind ignores ``operating_point``.
        """
        ...


@runtime_checkable
class Beginner(Protocol):
    """A predictor that can set to work as soon as the quality of a recording is known, beside the other steps."""

    def begin(self, recording: Recording, quality: Quality) -> Any:
        """Return what it finds in `Context.begun` when it is asked to predict; None where it has not begun."""
        ...


PREDICTORS: Registry[Callable[[Artefact], Predictor]] = Registry("task of a predictor")
"""Task of a model (its manifest's ``task``) to what makes a predictor of it."""


def identity_of(artefact: Artefact) -> Identity:
    """Return which model an artefact is."""
    return Identity(artefact.name, artefact.version, artefact.sha256)


def predictors() -> dict[str, Predictor]:
    """Return every installed model that has a predictor, by name, each in its highest version.

    A model that cannot be used stays in the list and answers every recording with the reason why it cannot.
    """
    found: dict[str, list[Path]] = {}
    for model in list_models():
        if _task(model.path) in PREDICTORS:
            found.setdefault(model.name, []).append(model.path)
    newest = {name: paths[0] if len(paths) == 1 else find_model(name).path for name, paths in found.items()}
    return {name: _predictor(path) for name, path in newest.items()}


@dataclass(frozen=True)
class Unusable:
    """Stands for a model that is installed but cannot be used."""

    identity: Identity
    reason: str

    def predict(
        self,
        contexts: Sequence[Context],
        operating_point: OperatingPoint = DEFAULT_POINT,  # noqa: ARG002 (there is none to choose)
    ) -> list[Prediction]:
        """Answer that it cannot answer."""
        return [Prediction(self.identity, out_of_scope=(self.reason,)) for _ in contexts]


def _predictor(folder: Path) -> Predictor:
    try:
        return _made(load_artefact(folder))
    except EcgError as error:
        return Unusable(Identity(folder.parent.name, folder.name, ""), f"the model cannot be used: {error}")


@lru_cache(_KEPT)
def _made(artefact: Artefact) -> Predictor:
    return PREDICTORS[artefact.manifest["task"]](artefact)


def _task(folder: Path) -> str | None:
    """Return the task that a manifest states, without reading the model; None where it states none."""
    try:
        return _task_of(folder, (folder / MANIFEST).stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(256)
def _task_of(folder: Path, _changed: int) -> str | None:
    try:
        task = tomllib.loads((folder / MANIFEST).read_text("utf-8")).get("task")
    except (OSError, ValueError):
        return None
    return task if isinstance(task, str) else None
