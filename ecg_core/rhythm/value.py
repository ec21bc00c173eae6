"""What is said of the rhythm of one lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

Label = Literal["N", "A", "O", "~"]
LABELS: tuple[Label, ...] = get_args(Label)
TITLES: Mapping[str, str] = {
    "N": "normal rhythm",
    "A": "atrial fibrillation",
    "O": "other rhythm",
    "~": "too noisy to tell",
}


@dataclass(frozen=True)
class RhythmEpisode:
    """A stretch of one rhythm; seconds from the first sample."""

    start_s: float
    end_s: float
    label: Label
    probability: float
    """Of that rhythm, on average over the stretch."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"start_s": self.start_s, "end_s": self.end_s, "label": self.label, "probability": self.probability}


@dataclass(frozen=True, eq=False)
class Rhythm:
    """The rhythm of a recording, or the reason why none is stated."""

    label: Label | None
    """Of a strip, its rhythm; of a longer recording, the rhythm that lasted longest."""
    probabilities: Mapping[Label, float] | None
    """Of the four labels, where they are as frequent as the manifest says; of a longer recording, on average."""
    lead: str | None
    """The lead that was read."""
    reason: str | None = None
    """Why there is no label, where there is none."""
    episodes: tuple[RhythmEpisode, ...] = ()
    """In order of time; what could not be read lies in none."""
    af_burden: float | None = None
    """Share of the time with a readable rhythm that was atrial fibrillation."""
    unread_s: float = 0.0
    """Seconds of which nothing is said: not recorded, or without beats."""
    beats_method: str | None = None
    """The detector whose beats were read."""
    model: Mapping[str, str] | None = None
    """Name, version and sha256 of the model."""

    def __post_init__(self) -> None:
        for name in ("probabilities", "model"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, MappingProxyType(dict(value)))

    @property
    def probability(self) -> float | None:
        """Of the stated label."""
        return None if self.label is None or self.probabilities is None else self.probabilities[self.label]

    @property
    def title(self) -> str | None:
        """The label in words."""
        return None if self.label is None else TITLES[self.label]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "label": self.label,
            "title": self.title,
            "probability": self.probability,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
            "lead": self.lead,
            "reason": self.reason,
            "episodes": [episode.to_dict() for episode in self.episodes],
            "af_burden": self.af_burden,
            "unread_s": self.unread_s,
            "beats_method": self.beats_method,
            "model": None if self.model is None else dict(self.model),
        }
