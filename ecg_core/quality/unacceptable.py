"""The probability that an expert would call a 12-lead recording unacceptable, by the model ``quality``.

The model is a logistic regression on a few statistics over the leads of the figures in `ecg_core.quality.figures`; its
artefact states them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.leads import LIMB
from ecg_core.preprocess import replay
from ecg_core.quality.figures import LeadFigures, measure_leads
from ecg_core.recording import Recording

MODEL = "quality"
WEIGHTS = "weights.json"

OVER: Mapping[str, Callable[[np.ndarray], float]] = {
    "min": lambda ordered: float(ordered[0]),
    "third_lowest": lambda ordered: float(ordered[2]),
    "median": lambda ordered: float(np.median(ordered)),
    "mean": lambda ordered: float(ordered.mean()),
    "max": lambda ordered: float(ordered[-1]),
}
"""Statistics over the values of the leads, which come in ascending order."""


@dataclass(frozen=True)
class Feature:
    """A statistic over the leads of one of their figures."""

    figure: str
    over: str
    log10_of: tuple[float, float] | None = None
    """Take the logarithm of the figure, kept within these bounds; None takes it as it is."""

    def of(self, figures: LeadFigures) -> float:
        """Return the feature of a recording."""
        values = getattr(figures, self.figure)
        if self.log10_of is not None:
            values = np.log10(np.clip(values, *self.log10_of))
        return OVER[self.over](np.sort(values))


@dataclass(frozen=True)
class Unacceptable:
    """A probability, or the reason why there is none."""

    probability: float | None
    reason: str | None = None


class UnacceptableModel:
    """The model, ready to use."""

    def __init__(self, artefact: Artefact) -> None:
        """Take the weights and limits out of the artefact."""
        self.artefact = artefact
        weights, manifest = artefact.json(WEIGHTS), artefact.manifest
        try:
            self._features = read_features(weights["features"])
            self._mean, self._scale, self._coefficients = (
                np.array([row[name] for row in weights["features"]], np.float64)
                for name in ("mean", "scale", "coefficient")
            )
            prior = manifest["prior"]
            self._intercept = float(weights["intercept"]) + log_odds(prior["stated"]) - log_odds(prior["trained_on"])
            self.threshold = float(manifest["thresholds"]["unacceptable"])
            inputs = manifest["inputs"]
            self._leads = tuple(inputs["leads"])
            self._least_fs = float(inputs["least_fs"])
            self._duration_s = (float(inputs["least_duration_s"]), float(inputs["greatest_duration_s"]))
            self._most_missing = float(inputs["most_missing"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error

    def estimate(self, recording: Recording, figures: LeadFigures) -> Unacceptable:
        """Return the probability for a recording, whose figures are at hand."""
        if reason := self._declines(recording):
            return Unacceptable(None, reason)
        if set(recording.leads) != set(self._leads):
            figures = measure_leads(replay(recording, self.artefact.preprocessing))
        missing = float(figures.missing.max())
        if missing > self._most_missing:
            return Unacceptable(
                None,
                f"{missing:.0%} of a lead was not recorded; the model reads at most {self._most_missing:.0%} missing",
            )
        if np.isnan(figures.agreement).any():
            return Unacceptable(None, "a lead shares its time with no other; the model compares the leads")
        row = np.array([feature.of(figures) for feature in self._features])
        logit = float((row - self._mean) / self._scale @ self._coefficients) + self._intercept
        return Unacceptable(float(1 / (1 + np.exp(-logit))))

    def _declines(self, recording: Recording) -> str | None:
        """Return why the model does not read such a recording, or None."""
        lacking = set(self._leads) - set(recording.leads)
        if lacking <= set(LIMB) and len(set(LIMB) & set(recording.leads)) >= 2:
            lacking = set()
        if lacking:
            absent = ", ".join(name for name in self._leads if name in lacking)
            return f"the model reads twelve leads, or the eight that determine them; {absent} not recorded"
        if recording.fs < self._least_fs:
            return f"{recording.fs:g} Hz is too slow; the model reads {self._least_fs:g} Hz or more"
        low, high = self._duration_s
        if not low <= recording.duration_s <= high:
            return f"{recording.duration_s:.1f} s; the model reads {low:g} to {high:g} s"
        return None


def quality_model(version: str | None = None) -> UnacceptableModel:
    """Return the model, in its highest version unless one is named."""
    return _model(load_model(MODEL, version))


@lru_cache(4)
def _model(artefact: Artefact) -> UnacceptableModel:
    return UnacceptableModel(artefact)


def read_features(rows: Sequence[Mapping[str, Any]]) -> tuple[Feature, ...]:
    """Read the features of a recipe or of the weights made by it."""
    features = tuple(
        Feature(row["figure"], row["over"], tuple(row["log10_of"]) if "log10_of" in row else None) for row in rows
    )
    for feature in features:
        for field, found, options in (
            ("figure", feature.figure, LeadFigures.__dataclass_fields__),
            ("over", feature.over, OVER),
        ):
            if found not in options:
                raise InvalidValue("no such part of a feature", field=field, found=found, options=options)
    return features


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds of a probability between 0 and 1."""
    if not 0 < probability < 1:
        raise InvalidValue("not a probability", field="prior", found=probability, expected="between 0 and 1")
    return float(np.log(probability) - np.log1p(-probability))


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    found = _model(artefact).estimate(recording, measure_leads(recording)).probability
    return {"unacceptable_probability": np.array(np.nan if found is None else found)}


RUNNERS.register(MODEL, _run)
