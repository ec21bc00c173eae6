"""Models of other people, as their manifests describe them: tasks ``plugin`` and, with its own scope, ``ecg2af``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.errors import EcgError, ModelError
from ecg_core.guests.engine import guest_of
from ecg_core.guests.inputs import prepare
from ecg_core.guests.spec import parse_spec
from ecg_core.predictors.base import PREDICTORS, Context, identity_of
from ecg_core.predictors.guest_outputs import decode, select_outputs
from ecg_core.predictors.scope import cautions
from ecg_core.predictors.value import DEFAULT_POINT, Identity, OperatingPoint, Prediction

TASK = "plugin"


class PluginPredictor:
    """A guest that is ready to answer; its process, if it needs one, starts with the first recording."""

    def __init__(self, artefact: Artefact) -> None:
        manifest = artefact.manifest
        if missing := [key for key in ("engine", "weights", "heads") if key not in manifest]:
            raise ModelError("the manifest is incomplete", file=str(artefact.path), expected=", ".join(missing))
        self._identity = identity_of(artefact)
        self.spec = parse_spec(manifest, str(artefact.path))
        self._guest = guest_of(artefact, self.spec.input_name)

    @property
    def identity(self) -> Identity:
        """Name, version and sha256."""
        return self._identity

    def predict(
        self,
        contexts: Sequence[Context],
        operating_point: OperatingPoint = DEFAULT_POINT,  # noqa: ARG002 (the thresholds are the manifest's)
    ) -> list[Prediction]:
        """Answer for each recording, in order; where the model cannot be run, that is the answer."""
        found: dict[int, Prediction] = {}
        arrays, notes = {}, {}
        for at, context in enumerate(contexts):
            prepared = self._refusal(context) or prepare(context.recording, self.spec)
            if isinstance(prepared, str):
                found[at] = self._silent(prepared)
            else:
                arrays[at], notes[at] = prepared
        if arrays:
            try:
                outputs = self._guest.run(np.stack(list(arrays.values())))
                values = select_outputs(self.spec, outputs, self._guest.label)
            except EcgError as error:
                found |= {at: self._silent(f"the model cannot be used: {error}") for at in arrays}
            else:
                for row, at in enumerate(arrays):
                    found[at] = self._answer(contexts[at], values, row, notes[at])
        return [found[at] for at in range(len(contexts))]

    def _answer(self, context: Context, values: list[np.ndarray], row: int, notes: Sequence[str]) -> Prediction:
        try:
            heads = decode(self.spec, values, row, self._guest.label)
        except EcgError as error:
            return self._silent(f"the model cannot be used: {error}")
        return Prediction(
            self._identity,
            heads,
            leads=self.spec.leads,
            withheld={head.name: head.withheld for head in self.spec.heads if head.withheld},
            cautions=(*self.spec.cautions, *notes, *cautions(context)),
            accuracy=self.spec.accuracy,
        )

    def _silent(self, reason: str) -> Prediction:
        return Prediction(self._identity, out_of_scope=(reason,))

    def _refusal(self, context: Context) -> str | None:
        """Return why the recording is not to be read, if so."""
        least, age = self.spec.least_age, context.subject.age
        if least is not None and age is not None and age < least:
            return f"the model is for people of {least:g} years and over; stated: {age:g}"
        if context.pacing.paced and not self.spec.paced:
            return "the model is not for paced rhythms; spikes of a pacemaker are seen"
        read = [name for name in self.spec.leads if name in context.recording.leads]
        return context.quality.refusal(read) or context.quality.refusal()


PREDICTORS.register(TASK, PluginPredictor)
