"""`classify_beats`, and the model behind it: boosted trees on features that compare a beat with the person's usual one.

A long recording is read in pieces of half an hour, each with a little of its neighbours: what is usual changes over a
day, and memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.beat_classes.features import beat_features, feature_matrix
from ecg_core.beat_classes.inputs import choose_leads, spikes_before
from ecg_core.beat_classes.value import CLASSES, BeatClasses
from ecg_core.beats import Beats, detect_beats
from ecg_core.engine import network_of
from ecg_core.errors import ModelError
from ecg_core.pacing import Pacing, find_pacing
from ecg_core.preprocess import replay
from ecg_core.recording import Recording

MODEL = "beat_classes"
FEATURES = "features.json"
_PIECE_S = 1800.0
_CONTEXT_S = 30.0
_FILTER_S = 10.0
"""More signal at either end of a piece, for the filters."""


class BeatClassModel:
    """The model, ready to use."""

    def __init__(self, artefact: Artefact) -> None:
        """Take the graph, weights and limits out of the artefact."""
        self.artefact = artefact
        manifest = artefact.manifest
        try:
            self._features = tuple(artefact.json(FEATURES))
            self.prior = np.array([manifest["prior"][name] for name in CLASSES], np.float64)
            self._thresholds = [
                (float(row["up_to_s"]) or np.inf, np.array([row[name] for name in CLASSES], np.float64))
                for row in manifest["thresholds"]
            ]
            self.least_fs = float(manifest["inputs"]["least_fs"])
            self.least_beats = int(manifest["inputs"]["least_beats"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error
        self._trees = network_of(artefact)

    @property
    def identity(self) -> Mapping[str, str]:
        """Name, version and sha256."""
        return {"name": self.artefact.name, "version": self.artefact.version, "sha256": self.artefact.sha256}

    def factors(self, duration_s: float) -> np.ndarray:
        """Return what `decide` weighs the classes by in a recording of this length, shape (5,)."""
        return next(factors for up_to_s, factors in self._thresholds if duration_s <= up_to_s)

    def probabilities(
        self, recording: Recording, leads: tuple[str, ...], beats: Beats, spike: np.ndarray
    ) -> np.ndarray:
        """Return the probabilities of `CLASSES`, float64, shape (n_beats, 5).

        Parameters
        ----------
        recording
            Of any length, with at least one beat.
        leads
            One or two of its leads, see `choose_leads`.
        spike
            From `spikes_before`.
        """
        n_pieces = max(1, round(recording.duration_s / _PIECE_S))
        piece_of = np.minimum(beats.times_s * n_pieces / recording.duration_s, n_pieces - 1).astype(np.int64)
        found = np.empty((len(beats), len(CLASSES)))
        for piece in np.unique(piece_of):
            own = np.flatnonzero(piece_of == piece)
            first = np.searchsorted(beats.times_s, beats.times_s[own[0]] - _CONTEXT_S)
            stop = np.searchsorted(beats.times_s, beats.times_s[own[-1]] + _CONTEXT_S, side="right")
            start = max(0, int((beats.times_s[first] - _FILTER_S) * recording.fs))
            end = int((beats.times_s[stop - 1] + _FILTER_S) * recording.fs)
            rows = np.stack([recording.lead(name)[start:end] for name in leads])
            prepared = replay(Recording(rows, recording.fs, leads), self.artefact.preprocessing)
            features = beat_features(
                prepared.signal,
                beats.times_s[first:stop] - start / recording.fs,
                beats.stretch[first:stop],
                spike[first:stop],
            )
            raw = self._trees(feature_matrix(features, self._features)[own - first])["probabilities"] * self.prior
            found[own] = raw / raw.sum(axis=1, keepdims=True)
        return found


@lru_cache(4)
def model_of(artefact: Artefact) -> BeatClassModel:
    """Return the model of an artefact, made once."""
    return BeatClassModel(artefact)


def classify_beats(recording: Recording, beats: Beats, pacing: Pacing | None = None) -> BeatClasses:
    """Tell the classes of beats apart, by ANSI/AAMI EC57: N, S, V, F, Q.

    Parameters
    ----------
    recording
        As it was recorded, with any leads: one is enough, and two are read where there are more.
    beats
        Its beats, by whatever method.
    pacing
        Its pacing spikes where they are known; otherwise they are looked for.

    Returns
    -------
    A class for each beat; none, and the reason, where there is too little to go by.
    """
    model = model_of(load_model(MODEL))
    if reason := _declines(model, recording, beats):
        return _unstated(reason, beats, model)
    leads = choose_leads(recording, beats)
    if not leads:
        return _unstated("no lead holds a signal around the beats", beats, model)
    spike = spikes_before(beats.times_s, find_pacing(recording, beats) if pacing is None else pacing)
    probabilities = model.probabilities(recording, leads, beats, spike)
    classes = tuple(CLASSES[number] for number in decide(probabilities, model.factors(recording.duration_s)))
    return BeatClasses(classes, probabilities, leads, None, beats.method, model.identity)


def decide(probabilities: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return the number of the class of each beat, int64, shape (n_beats,).

    A beat is V where V, weighed by its factor, is more likely than any other class; else what is likeliest once S is
    weighed by its own. So that S is called readily costs no V.

    Parameters
    ----------
    probabilities
        Shape (n_beats, 5).
    factors
        One a class, shape (5,); 1 leaves a probability as it is.
    """
    s, v = CLASSES.index("S"), CLASSES.index("V")
    plain = np.array(probabilities)
    plain[:, v] *= factors[v]
    is_v = plain.argmax(axis=1) == v
    plain[:, v] = 0.0
    plain[:, s] *= factors[s]
    return np.where(is_v, v, plain.argmax(axis=1))


def _declines(model: BeatClassModel, recording: Recording, beats: Beats) -> str | None:
    if not len(beats):
        return beats.reason or "no beat was found"
    if recording.fs < model.least_fs:
        return f"{recording.fs:g} Hz is too slow to tell beats apart; {model.least_fs:g} Hz are needed"
    if len(beats) < model.least_beats:
        found = f"only {len(beats)} beat{'s were' if len(beats) > 1 else ' was'} found"
        return f"{found}; a beat is compared with others, {model.least_beats} in all at least"
    return None


def _unstated(reason: str, beats: Beats, model: BeatClassModel) -> BeatClasses:
    return BeatClasses((), np.empty((0, len(CLASSES))), (), reason, beats.method, model.identity)


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    """Class the beats that the classical detector finds, so that no other model has a part in it."""
    model = model_of(artefact)
    beats = detect_beats(recording, method="fast")
    leads = choose_leads(recording, beats) if len(beats) else ()
    if not leads:
        return {"probabilities": np.full((0, len(CLASSES)), np.nan), "classes": np.empty(0, np.int64)}
    spike = spikes_before(beats.times_s, find_pacing(recording, beats))
    probabilities = model.probabilities(recording, leads, beats, spike)
    return {"probabilities": probabilities, "classes": decide(probabilities, model.factors(recording.duration_s))}


RUNNERS.register(MODEL, _run)
