"""What is said of the class of each beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

BeatClass = Literal["N", "S", "V", "F", "Q"]
CLASSES: tuple[BeatClass, ...] = get_args(BeatClass)
TITLES: Mapping[BeatClass, str] = {
    "N": "normal, bundle branch block or escape beat",
    "S": "supraventricular ectopic beat",
    "V": "ventricular ectopic beat",
    "F": "fusion of a normal and a ventricular beat",
    "Q": "paced or unclassifiable beat",
}


@dataclass(frozen=True, eq=False)
class BeatClasses:
    """The class of each beat, or the reason why there is none."""

    classes: tuple[BeatClass, ...]
    """One a beat, in their order; empty where none are stated."""
    probabilities: np.ndarray
    """Of `CLASSES`, float64, shape (n_beats, 5), or (0, 5) where none are stated; read-only."""
    leads: tuple[str, ...]
    """Leads that were read."""
    reason: str | None = None
    """Why there are no classes, where there are none."""
    beats_method: str | None = None
    """The detector whose beats were classed."""
    model: Mapping[str, str] | None = field(default=None, hash=False)
    """Name, version and sha256 of the model."""

    def __post_init__(self) -> None:
        values = np.array(self.probabilities, np.float64).reshape(-1, len(CLASSES))
        values.setflags(write=False)
        object.__setattr__(self, "probabilities", values)
        if self.model is not None:
            object.__setattr__(self, "model", MappingProxyType(dict(self.model)))

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def counts(self) -> dict[BeatClass, int]:
        """Beats of each class."""
        return {name: self.classes.count(name) for name in CLASSES}

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "classes": list(self.classes),
            "probabilities": self.probabilities.tolist(),
            "counts": dict(self.counts),
            "leads": list(self.leads),
            "reason": self.reason,
            "beats_method": self.beats_method,
            "model": dict(self.model) if self.model else None,
        }
