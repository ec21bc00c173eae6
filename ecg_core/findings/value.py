"""What is said of a recording in words: findings, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from ecg_core.predictors.value import Identity

Kind = Literal[
    "urgent",
    "quality",
    "rhythm",
    "infarct",
    "conduction",
    "hypertrophy",
    "ischaemia",
    "measurement",
    "normal",
    "risk",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order in which findings are told."""


def in_sentence(text: str) -> str:
    """Return a statement as it stands inside a sentence; what begins with an abbreviation or a name stays."""
    plain = text[1:2].islower() and not text.startswith(("Sokolow", "Cornell", "QT"))
    return text[:1].lower() + text[1:] if plain else text


Level = Literal["urgent", "abnormal", "borderline", "normal", "undetermined"]


@dataclass(frozen=True)
class Finding:
    """One suggested, unconfirmed statement and what it rests on."""

    code: str
    """Stable, for programs: an SCP code (``"CLBBB"``), or a word for what was measured (``"pr_ms_high"``)."""
    text: str
    kind: Kind
    confidence: float | None = None
    """Calibrated probability that people who read such a tracing would write the statement; None for what was measured
    or follows from a rule, since that is no guess."""
    evidence: tuple[str, ...] = ()
    """What speaks for it, or stands beside it."""
    against: tuple[str, ...] = ()
    """What speaks against it. It is shown, and changes no number."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Measurements that bear it out, by name."""
    borderline: bool = False
    """So near to what is usual that measuring again may undo it, or a variant of the normal."""
    model: Identity | None = None
    """Which model said so."""
    rule: str | None = None
    """Whose rule it is, where no model said so."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "code": self.code,
            "text": self.text,
            "kind": self.kind,
            "confidence": self.confidence,
            "evidence": list(self.evidence),
            "against": list(self.against),
            "values": dict(self.values),
            "borderline": self.borderline,
            "model": self.model.to_dict() if self.model else None,
            "rule": self.rule,
        }


@dataclass(frozen=True)
class Score:
    """How sure the leading statement is, and how much there is to look at."""

    confidence: float | None
    """Calibrated probability of the statement ``of``; None where none is calibrated."""
    level: Level
    of: str | None
    """The statement that it is the probability of."""
    means: str
    """What both say, and do not say."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return dict(vars(self))


@dataclass(frozen=True)
class Summary:
    """The findings in a line, in two figures, and in a few sentences."""

    diagnosis: str
    score: Score
    notes: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"diagnosis": self.diagnosis, "score": self.score.to_dict(), "notes": self.notes}
