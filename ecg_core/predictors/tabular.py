"""``tabular``: boosted trees on measured figures and what is stated of the person, and what each figure adds.

A plain model beside the network `ecg_core.predictors.heart12`: everything that it knows has a name and a unit. Its
figures are those of `ecg_core.predictors.figures` for all leads, with the stated age and sex, either of which may be
unknown. `Tabular.explain` splits an answer into what each figure adds, exactly (`ecg_core.predictors.tree_shap`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact
from ecg_core.engine import network_of
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.predictors.base import PREDICTORS, Context, identity_of
from ecg_core.predictors.figures import row_of
from ecg_core.predictors.scope import Scope, judge
from ecg_core.predictors.tree_shap import Leaves
from ecg_core.predictors.value import (
    DEFAULT_POINT,
    OPERATING_POINTS,
    Identity,
    LabelAnswer,
    OperatingPoint,
    Prediction,
)
from ecg_core.predictors.windows import INPUTS, available
from ecg_core.recording import Recording, Subject

MODEL = "tabular"
TREES, LEAVES, HEADS = "trees.onnx", "leaves.npz", "heads.json"
AGE, SEX = "age_years", "sex_female"
"""Names of what is stated, after the figures."""
OVER_89 = 90.0
"""What stands for an age that is only said to be over 89; no greater age is known to the trees."""
_LOGITS = "logits"
_EXPERIMENTAL = "experimental: it was too rare in the data at hand to choose a threshold or to promise anything"
_BELIEVABLE = 60.0


@dataclass(frozen=True)
class Contribution:
    """What one figure adds to an answer."""

    figure: str
    value: float | None
    """As measured or stated, in the unit that the name ends with; None where it is not known."""
    log_odds: float
    """Added to the log odds, against what the answer is on average."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"figure": self.figure, "value": self.value, "log_odds": self.log_odds}


@dataclass(frozen=True)
class Explanation:
    """An answer as a sum: the log odds of its probability are ``average`` and all contributions added."""

    label: str
    probability: float
    average: float
    """Log odds where nothing is known."""
    contributions: tuple[Contribution, ...]
    """Of every figure, those that add or take off most first."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "label": self.label,
            "probability": self.probability,
            "average": self.average,
            "contributions": [item.to_dict() for item in self.contributions],
        }


class Tabular:
    """The model, ready to answer."""

    def __init__(self, artefact: Artefact) -> None:
        """Take features, trees, calibration and thresholds out of the artefact."""
        self.identity: Identity = identity_of(artefact)
        self.artefact = artefact
        heads = artefact.json(HEADS)
        try:
            self.features = tuple(heads["features"])
            self.outputs = tuple(heads["outputs"])
            self.heads: dict[str, dict[str, int]] = {
                head: {label: self.outputs.index(output) for label, output in labels.items()}
                for head, labels in heads["heads"].items()
            }
            fits = [heads["labels"][output] for output in self.outputs]
            self._slope = np.array([fit["slope"] for fit in fits], np.float64)
            self._offset = np.array([fit["offset"] for fit in fits], np.float64)
            self._experimental = [bool(fit["experimental"]) for fit in fits]
            self._thresholds = [dict(fit["thresholds"]) for fit in fits]
            self.least_fs = float(artefact.manifest["inputs"]["least_fs"])
            self.least_s = float(artefact.manifest["inputs"]["least_duration_s"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error
        self._trees = network_of(artefact, TREES)

    def predict(self, contexts: Sequence[Context], operating_point: OperatingPoint = DEFAULT_POINT) -> list[Prediction]:
        """Answer for each recording, in order, calling labels at the thresholds of an operating point."""
        if operating_point not in OPERATING_POINTS:
            raise InvalidValue(
                "no such operating point", field="operating_point", found=operating_point, options=OPERATING_POINTS
            )
        scopes = [judge(context) for context in contexts]
        refusals = [scope.refusals or self.refusals(c) for scope, c in zip(scopes, contexts, strict=True)]
        asked = [at for at, reasons in enumerate(refusals) if not reasons]
        found = dict(zip(asked, self.probabilities([contexts[at] for at in asked]), strict=True))
        predictions = []
        for at, (scope, reasons) in enumerate(zip(scopes, refusals, strict=True)):
            if reasons:
                predictions.append(Prediction(self.identity, out_of_scope=reasons, cautions=scope.cautions))
            else:
                predictions.append(self._say(contexts[at], scope, found[at], operating_point))
        return predictions

    def refusals(self, context: Context) -> tuple[str, ...]:
        """Return why this model, of all, has nothing to say of a recording; empty where it has."""
        recording = context.recording
        if recording.fs < self.least_fs:
            return (f"{recording.fs:g} Hz is too slow; the model reads {self.least_fs:g} Hz or more",)
        if recording.duration_s < self.least_s:
            return (f"{recording.duration_s:.1f} s are too short; the model reads {self.least_s:g} s or more",)
        here = available(context.quality.trusted_leads)
        if lost := [lead for lead in INPUTS if lead not in here]:
            return (f"the model measures all of {', '.join(INPUTS)}; {', '.join(lost)} cannot be had",)
        if context.waves.reason:
            return (f"nothing can be measured: {context.waves.reason}",)
        return ()

    def probabilities(self, contexts: Sequence[Context]) -> np.ndarray:
        """Return calibrated probabilities, shape (n, n_outputs), whatever may be said of the recordings."""
        if not contexts:
            return np.empty((0, len(self.outputs)))
        return self.calibrated(self._trees(np.stack([self.row(context) for context in contexts]))[_LOGITS])

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities for what the trees say, both of shape (n, n_outputs)."""
        odds = np.clip(self._slope * logits.astype(np.float64) + self._offset, -_BELIEVABLE, _BELIEVABLE)
        return np.asarray(1 / (1 + np.exp(-odds)))

    def row(self, context: Context) -> np.ndarray:
        """Return what the trees read of a recording, float32, shape (n_features,), NaN for what is not known."""
        return row_of({**context.figures, **stated(context.subject)}, self.features)

    def explain(self, context: Context, output: str) -> Explanation:
        """Return what each figure adds to one answer, such as ``"superclass.MI"``, whatever may be said of it.

        Raises
        ------
        InvalidValue
            There is no such answer, or the recording cannot be read.
        """
        if output not in self.outputs:
            raise InvalidValue("no such output", field="label", found=output, options=self.outputs)
        if reasons := self.refusals(context):
            raise InvalidValue("the recording cannot be read", field="recording", found="; ".join(reasons))
        at, row = self.outputs.index(output), self.row(context)
        added = self._slope[at] * self._leaves.contributions(row, at)
        average = float(self._slope[at] * self._leaves.expected[at] + self._offset[at])
        order = np.argsort(-np.abs(added), kind="stable").tolist()
        return Explanation(
            output,
            1 / (1 + math.exp(-(average + float(added.sum())))),
            average,
            tuple(
                Contribution(self.features[k], None if math.isnan(row[k]) else float(row[k]), float(added[k]))
                for k in order
            ),
        )

    def _say(self, context: Context, scope: Scope, probability: np.ndarray, point: OperatingPoint) -> Prediction:
        heads = {
            head: {label: self._answer(label, at, scope, float(probability[at]), point) for label, at in labels.items()}
            for head, labels in self.heads.items()
        }
        withheld = {
            f"{head}.{label}": reason
            for head, labels in self.heads.items()
            for label in labels
            if (reason := scope.reason(label)) is not None
        }
        cautions = list(scope.cautions)
        if context.subject.sex is None:
            cautions.append("the sex is not stated: limits of voltage and QT differ")
        if context.part.reason is not None:
            cautions.append(f"measured on {context.part.start_s:g} to {context.part.end_s:g} s: {context.part.reason}")
        return Prediction(
            self.identity,
            heads,
            leads=INPUTS,
            withheld=withheld,
            cautions=tuple(cautions),
            accuracy=self._accuracy,
        )

    def _answer(self, label: str, at: int, scope: Scope, probability: float, point: OperatingPoint) -> LabelAnswer:
        if reason := scope.reason(label):
            return LabelAnswer(None, reason=reason)
        threshold = self._thresholds[at].get(point)
        if self._experimental[at] or threshold is None:
            return LabelAnswer(probability, experimental=True, reason=_EXPERIMENTAL)
        return LabelAnswer(probability, threshold, probability >= threshold, point)

    @cached_property
    def _leaves(self) -> Leaves:
        return Leaves.unpack(self.artefact.files[LEAVES], str(self.artefact.path / LEAVES))

    @cached_property
    def _accuracy(self) -> Mapping[str, Any]:
        found = self.artefact.json("metrics.json")["metrics"]
        return MappingProxyType({name: metric for name, metric in found.items() if name.endswith(("auc", ".ece"))})


def stated(subject: Subject) -> Mapping[str, float]:
    """Return what is stated of a person, as the trees read it; what is not stated is absent."""
    found = {}
    if subject.age is not None:
        found[AGE] = min(subject.age, OVER_89)
    elif subject.facts.get("age") == "over 89":
        found[AGE] = OVER_89
    if subject.sex is not None:
        found[SEX] = float(subject.sex == "female")
    return found


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    from ecg_core.predictors.chain import examine

    model = Tabular(artefact)
    context = examine(recording)
    if model.refusals(context):
        return {
            "probabilities": np.full(len(model.outputs), np.nan),
            "normal_explained": np.full(len(model.features), np.nan),
        }
    explained = model.explain(context, model.outputs[0])
    by_name = {item.figure: item.log_odds for item in explained.contributions}
    return {
        "probabilities": model.probabilities([context])[0],
        "normal_explained": np.array([by_name[name] for name in model.features]),
    }


PREDICTORS.register(MODEL, Tabular)
RUNNERS.register(MODEL, _run)
