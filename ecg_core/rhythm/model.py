"""The model ``rhythm``: boosted trees on figures of a strip, and on what a network that reads the strip says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.engine import Network, network_of
from ecg_core.errors import ModelError
from ecg_core.recording import Recording
from ecg_core.rhythm.strip import measure_strip, network_rows
from ecg_core.rhythm.value import LABELS

MODEL = "rhythm"
WEIGHTS = "weights.json"
TREES = "trees.onnx"
LOGITS = "logits"
"""Output of the network: one number a statement of PTB-XL."""
_BATCH = 16
_LEAST_PROBABILITY = 1e-5


class RhythmModel:
    """The model, ready to use."""

    def __init__(self, artefact: Artefact) -> None:
        """Take the weights and limits out of the artefact."""
        self.artefact = artefact
        weights, manifest = artefact.json(WEIGHTS), artefact.manifest
        try:
            self._features = tuple(weights["features"])
            self._statements = tuple(weights["statements"])
            self._calibration = Calibration(
                float(weights["calibration"]["slope"]), np.array(weights["calibration"]["offset"], np.float64)
            )
            self.decision = np.array([manifest["thresholds"][label] for label in LABELS], np.float64)
            self.prior = np.array([manifest["prior"]["stated"][label] for label in LABELS], np.float64)
            self.stay = float(manifest["episodes"]["stay"])
            self.window_s = float(manifest["episodes"]["window_s"])
            inputs = manifest["inputs"]
            self.beats_method = str(inputs["beats"])
            self.least_fs = float(inputs["least_fs"])
            self.least_s = float(inputs["least_duration_s"])
            self.longest_strip_s = float(inputs["longest_strip_s"])
            self.least_beats = int(inputs["least_beats"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error
        self._trees, self._network = network_of(artefact, TREES), network_of(artefact)

    @property
    def identity(self) -> Mapping[str, str]:
        """Name, version and sha256."""
        return {"name": self.artefact.name, "version": self.artefact.version, "sha256": self.artefact.sha256}

    def probabilities(self, strips: Sequence[np.ndarray], times_s: Sequence[np.ndarray]) -> np.ndarray:
        """Return the probabilities of `LABELS`, shape (n_strips, 4), at the stated prior.

        Parameters
        ----------
        strips
            As `ecg_core.rhythm.strip.prepare` returns them.
        times_s
            The beats of each, seconds from its first sample.
        """
        said = read_statements(self._network, self._statements, strips)
        figures = [
            measure_strip(strip, times) | statements
            for strip, times, statements in zip(strips, times_s, said, strict=True)
        ]
        return self._calibration(self._trees(feature_rows(figures, self._features))["probabilities"])

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the number of the label of each row, shape (n,)."""
        return np.asarray((probabilities * self.decision).argmax(axis=1))


class Calibration:
    """How the trees' answers become probabilities at the stated prior: a slope on their logarithms, and offsets."""

    def __init__(self, slope: float, offset: np.ndarray) -> None:
        """Take the slope, and the offset of each label."""
        self.slope, self.offset = slope, offset

    def __call__(self, trees: np.ndarray) -> np.ndarray:
        """Return probabilities, shape (n, 4), from the probabilities of the trees."""
        logit = self.slope * np.log(np.maximum(trees.astype(np.float64), _LEAST_PROBABILITY)) + self.offset
        share = np.exp(logit - logit.max(axis=1, keepdims=True))
        return np.asarray(share / share.sum(axis=1, keepdims=True))


def feature_rows(figures: Sequence[Mapping[str, float]], features: Sequence[str]) -> np.ndarray:
    """Return the figures of each strip in the order of ``features``, float32, NaN where it has none."""
    return np.array([[row.get(name, np.nan) for name in features] for row in figures], np.float32)


def read_statements(
    network: Network, statements: Sequence[str], strips: Sequence[np.ndarray]
) -> list[dict[str, float]]:
    """Return what the network says of each strip: each statement's mean and greatest logit over the windows."""
    windows = [network_rows(strip) for strip in strips]
    rows = np.concatenate(windows)
    logits = np.concatenate([network(rows[at : at + _BATCH])[LOGITS] for at in range(0, len(rows), _BATCH)])
    found = []
    for part in np.split(logits, np.cumsum([len(window) for window in windows])[:-1]):
        mean, most = part.mean(axis=0).tolist(), part.max(axis=0).tolist()
        found.append(
            {f"{name}_mean": value for name, value in zip(statements, mean, strict=True)}
            | {f"{name}_max": value for name, value in zip(statements, most, strict=True)}
        )
    return found


def rhythm_model(version: str | None = None) -> RhythmModel:
    """Return the model, in its highest version unless one is named."""
    return _model(load_model(MODEL, version))


@lru_cache(4)
def _model(artefact: Artefact) -> RhythmModel:
    return RhythmModel(artefact)


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    from ecg_core.beats import detect_beats
    from ecg_core.rhythm.classify import classify_with

    model = _model(artefact)
    beats = detect_beats(recording, recording.leads[0], model.beats_method)
    found = classify_with(model, recording, beats, recording.leads[0])
    given = found.probabilities or dict.fromkeys(LABELS, np.nan)
    return {"probabilities": np.array([given[label] for label in LABELS])}


RUNNERS.register(MODEL, _run)
