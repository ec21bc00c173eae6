"""`suspect_reversals`: electrodes that were probably exchanged, from the typical beat of a 12-lead recording.

Two ways:

- Exchanges among RA, LA and LL, and among V1 to V6, permute the potentials that the leads are made of and lose nothing.
  A small network, the model ``reversals``, says how much a beat looks like one recorded in order; the beat is shown to
  it as recorded and with each of `ARRANGEMENTS` undone, and the scores are compared. Nothing else is assumed, and P,
  QRS and T of all leads count together.
- The right leg carries no lead, and nearly the potential of the left one. A cable of an arm on it leaves a limb lead
  that is all but flat.

Nothing is ever corrected: a suspicion says what would undo it, and a technician decides. What cannot be told apart from
an unusual heart is not said: the limit is set by how often recordings that are in order raise an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.artefacts import RUNNERS, Artefact, load_model
from ecg_core.beats import Beats, detect_beats
from ecg_core.engine import network_of
from ecg_core.errors import ModelError
from ecg_core.quality.arrangements import ARRANGEMENTS, ELECTRODES, Arrangement, candidates
from ecg_core.quality.typical_beat import WIDTHS_S, limb_leads, typical_beat
from ecg_core.recording import Recording

MODEL = "reversals"
IN_ORDER = "in order"
"""Stands beside the kinds for a recording in which nothing was exchanged."""

FLAT = 0.15
"""A limb lead under this part of the size (root mean square) of the three bipolar ones is all but flat: of 19,599
records of folds 1 to 9 of PTB-XL, 11 have such a lead I or III, none such a lead II."""
NEXT_BEST = 0.2
"""Others that are as probable as this are named beside the most probable."""
_LIKELY_FLAT = 0.9
_SEARCHED = ("II", "V5", "V3", "I")
"""Leads that beats are looked for in."""
_SMALL = 0.4
"""Part of what half of the leads span, under which a lead is passed over."""

ON_RIGHT_LEG: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "I": ("RA-RL LA-LL", "both arm cables on the legs"),
        "II": ("RA-RL", "right arm and right leg exchanged"),
        "III": ("LA-RL", "left arm and right leg exchanged"),
    }
)
"""Kind and words of what leaves a lead flat."""


@dataclass(frozen=True)
class Suspicion:
    """An exchange of electrodes that may have happened."""

    kind: str
    """As in `Arrangement.kind`, ``"RA-LA"``."""
    title: str
    """What was done, in words."""
    leads: tuple[str, ...]
    """Leads that would not be what they are called."""
    confidence: float
    """Probability, where as many recordings are reversed as the model's card states; of a flat lead a fixed figure."""
    evidence: tuple[str, ...]
    undo: Mapping[str, tuple[int, str]] | None
    """What each of these leads should be, in terms of those recorded (sign, lead); None where a potential was lost, so
    that the recording has to be repeated."""

    def __post_init__(self) -> None:
        if self.undo is not None:
            object.__setattr__(self, "undo", MappingProxyType(dict(self.undo)))

    @property
    def advice(self) -> str:
        """What to do about it, in words."""
        if self.undo is None:
            return "check the cables and record again: what was lost cannot be computed"
        terms = ", ".join(f"{lead} from {'-' if sign < 0 else ''}{other}" for lead, (sign, other) in self.undo.items())
        return f"check the cables and record again; if confirmed, this undoes it: {terms}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "kind": self.kind,
            "title": self.title,
            "leads": list(self.leads),
            "confidence": self.confidence,
            "evidence": list(self.evidence),
            "undo": None if self.undo is None else {lead: list(term) for lead, term in self.undo.items()},
            "advice": self.advice,
        }


@dataclass(frozen=True)
class Reversals:
    """What is suspected of a recording."""

    suspected: tuple[Suspicion, ...]
    """The most probable first; they exclude each other. Empty where nothing is suspected."""
    reason: str | None = None
    """Why it could not be judged, where it could not."""
    model: Mapping[str, str] | None = None
    """Name, version and sha256 of the model that was asked."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "suspected": [suspicion.to_dict() for suspicion in self.suspected],
            "reason": self.reason,
            "model": dict(self.model) if self.model else None,
        }


class ReversalModel:
    """The model, ready to use."""

    def __init__(self, artefact: Artefact) -> None:
        """Take network, scale and limits out of the artefact."""
        self.artefact = artefact
        self._network = network_of(artefact)
        try:
            manifest = artefact.manifest
            self._scale = np.array(manifest["inputs"]["scale"], np.float64)
            self._most = float(manifest["inputs"]["most"])
            self.threshold = float(manifest["thresholds"]["reversed"])
            self._prior = np.log([manifest["prior"][name] for name in (IN_ORDER, *(a.kind for a in ARRANGEMENTS))])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "lacks what this model needs, or has it in another form", file=str(artefact.path), found=repr(error)
            ) from error

    def probabilities(self, beat: np.ndarray) -> np.ndarray:
        """Return the probability that a beat was recorded in order and of each of `ARRANGEMENTS`.

        Parameters
        ----------
        beat
            As from `typical_beat`, shape (9, n), or several, shape (n_beats, 9, n).

        Returns
        -------
        Float64, shape (1 + n_arrangements,), or (n_beats, 1 + n_arrangements).
        """
        shown = candidates(scaled(beat, self._scale, self._most))
        rows = shown.reshape(-1, shown.shape[-2] * shown.shape[-1])
        score = self._network(rows)["score"].reshape(shown.shape[:-2]).astype(np.float64) + self._prior
        score = np.exp(score - score.max(axis=-1, keepdims=True))
        return np.asarray(score / score.sum(axis=-1, keepdims=True))


def scaled(beat: np.ndarray, scale: np.ndarray, most: float) -> np.ndarray:
    """Return beats (..., 9, n) as the network reads them: of one size over all, each time by its usual size, bounded.

    Parameters
    ----------
    beat
        As from `typical_beat`.
    scale
        Usual size at each time, shape (n,).
    most
        Greatest value that is passed on.
    """
    power = (beat**2 * WIDTHS_S).sum(axis=(-2, -1), keepdims=True) / (WIDTHS_S.sum() * len(ELECTRODES))
    size = np.sqrt(np.maximum(power, np.finfo(float).tiny))
    return np.asarray(np.clip(beat / size / scale, -most, most))


@lru_cache(4)
def _model(artefact: Artefact) -> ReversalModel:
    return ReversalModel(artefact)


def suspect_reversals(recording: Recording, beats: Beats | None = None) -> Reversals:
    """Judge whether electrodes were exchanged.

    Parameters
    ----------
    recording
        V1 to V6 and two limb leads or more, at any rate from 100 Hz.
    beats
        Its beats; without them, those that the classical detector finds.
    """
    beat = typical_beat(recording, find_beats(recording) if beats is None else beats)
    if isinstance(beat, str):
        return Reversals((), beat)
    if (flat := flat_lead(beat)) is not None:
        return Reversals((_on_right_leg(flat, beat),))
    model = _model(load_model(MODEL))
    probability = model.probabilities(beat)
    artefact = model.artefact
    named = {"name": artefact.name, "version": artefact.version, "sha256": artefact.sha256}
    if 1 - probability[0] < model.threshold:
        return Reversals((), model=named)
    best_first = np.argsort(-probability[1:], kind="stable")
    chosen = [at for place, at in enumerate(best_first.tolist()) if place == 0 or probability[1 + at] >= NEXT_BEST]
    return Reversals(
        tuple(_exchanged(ARRANGEMENTS[at], float(probability[1 + at]), beat) for at in chosen), model=named
    )


def find_beats(recording: Recording) -> Beats:
    """Find the beats in the first of `_SEARCHED` that is not small: an exchange can leave II all but flat."""
    with_signal = [row for row in recording.signal if np.isfinite(row).any()]
    usual = float(np.median([_span(row) for row in with_signal])) if with_signal else 0.0
    for name in _SEARCHED:
        if name in recording.leads and np.isfinite(recording.lead(name)).any():
            if _span(recording.lead(name)) >= _SMALL * usual:
                return detect_beats(recording, name, method="fast")
    return detect_beats(recording, method="fast")


def _span(values: np.ndarray) -> float:
    """Return what a lead (mV) spans but for the outermost samples."""
    low, high = np.nanpercentile(values, (0.5, 99.5))
    return float(high - low)


def flat_lead(beat: np.ndarray) -> str | None:
    """Return which of I, II, III is all but flat in a typical beat, or None."""
    size = _sizes(beat)
    smallest = int(size.argmin())
    return tuple(ON_RIGHT_LEG)[smallest] if size[smallest] < FLAT else None


def _sizes(beat: np.ndarray) -> np.ndarray:
    """Return the sizes of I, II and III in terms of that of all three, shape (3,)."""
    power = (limb_leads(beat) ** 2 * WIDTHS_S).sum(axis=1)
    return np.asarray(np.sqrt(power / max(float(power.mean()), np.finfo(float).tiny)))


def _on_right_leg(lead: str, beat: np.ndarray) -> Suspicion:
    kind, title = ON_RIGHT_LEG[lead]
    share = float(_sizes(beat).min())
    return Suspicion(
        kind,
        title,
        ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"),
        _LIKELY_FLAT,
        (f"lead {lead} is all but flat: {share:.0%} of the size of the bipolar limb leads",),
        None,
    )


def _exchanged(arrangement: Arrangement, probability: float, beat: np.ndarray) -> Suspicion:
    undone = beat[arrangement.undoing]
    if arrangement.limb:
        pairs = [("I", "V6"), ("II", "V6")]
        before, after = (_limb_figures(values) for values in (beat, undone))
        evidence = [
            f"{a} follows {b} with a correlation of {old:.2f}, of {new:.2f} once undone"
            for (a, b), old, new in zip(pairs, before, after, strict=True)
        ]
    else:
        old, new = (_neighbours(values) for values in (beat, undone))
        evidence = [f"neighbours among V1 to V6 correlate by {old:.2f} on average, by {new:.2f} once undone"]
    return Suspicion(
        arrangement.kind,
        arrangement.title,
        tuple(arrangement.undo),
        probability,
        (f"P, QRS and T of all leads together look like this with a probability of {probability:.0%}", *evidence),
        arrangement.undo,
    )


def _limb_figures(beat: np.ndarray) -> list[float]:
    i, ii, _ = limb_leads(beat)
    return [_correlation(lead, beat[-1]) for lead in (i, ii)]


def _neighbours(beat: np.ndarray) -> float:
    return float(np.mean([_correlation(a, b) for a, b in pairwise(beat[3:])]))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation over the beat of two leads whose means over it are zero."""
    norm = float(np.sqrt((a**2 * WIDTHS_S).sum() * (b**2 * WIDTHS_S).sum()))
    return float((a * b * WIDTHS_S).sum()) / norm if norm else 0.0


def _run(artefact: Artefact, recording: Recording) -> dict[str, np.ndarray]:
    beat = typical_beat(recording, find_beats(recording))
    if isinstance(beat, str):
        return {"probability": np.full(1 + len(ARRANGEMENTS), np.nan)}
    return {"probability": _model(artefact).probabilities(beat)}


RUNNERS.register(MODEL, _run)
