"""What is said of two recordings beside one another; every part has its JSON-ready form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ecg_core.comparison.noise import Level

Verdict = Literal["changed", "within noise", "cannot be told"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
Fate = Literal["appeared", "disappeared", "stays", "cannot be told"]
FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True)
class Change:
    """One figure in two recordings, beside what it differs by where nothing changed."""

    before: float | None
    after: float | None
    difference: float | None
    """After less before, in the figure's own unit (an angle the shorter way round, a probability in log odds); None
    where either is missing."""
    verdict: Verdict
    """``"changed"`` where the difference is beyond the noise's limit. That a figure changed says neither why nor
    whether it matters."""
    noise: Level | None = None
    reason: str | None = None
    """Why nothing can be told, where nothing can."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {**vars(self), "noise": self.noise.to_dict() if self.noise else None}


@dataclass(frozen=True)
class StatementChange:
    """One finding that either analysis tells."""

    code: str
    text: str
    kind: str
    fate: Fate
    before: float | None
    """Calibrated probability of the statement, also where it was not called; None for what rests on a rule."""
    after: float | None
    beyond_noise: bool | None
    """Whether what it rests on (its log odds, or its measurements) changed beyond the noise. False beside
    ``"appeared"``: it crossed a limit that it lay close to. None where that cannot be told."""
    reason: str | None = None
    """Why its fate cannot be told, where it cannot."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return dict(vars(self))


@dataclass(frozen=True)
class Side:
    """What of one recording the comparison rests on."""

    sha256: str | None
    start: str | None
    duration_s: float
    leads: tuple[str, ...]
    quality: str
    rhythm: str | None
    """In words; None where none was told."""
    diagnosis: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {**vars(self), "leads": list(self.leads)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two recordings beside one another."""

    before: Side
    after: Side
    elapsed_s: float | None
    """From the start of the first to that of the second; None where either is not known."""
    warnings: tuple[str, ...]
    """Why they may not be what they are compared as, or less comparable than they look."""
    measurements: Mapping[str, Change]
    leads: Mapping[str, Mapping[str, Change]]
    labels: Mapping[str, Mapping[str, Change]]
    """Head of the 12-lead model to its labels: probabilities, with the difference in log odds."""
    age: Change
    """Years that the model estimates from the tracing."""
    statements: tuple[StatementChange, ...]
    """The findings of both, the critical first."""
    summary: str
    noise: Mapping[str, Any] = field(default_factory=dict)
    """``sources``: what the noise was measured on, what it includes and what it leaves out; ``checks``: what its limits
    were found to be worth elsewhere."""

    @property
    def changed(self) -> tuple[str, ...]:
        """Names of the measurements of the whole recording that changed, the farthest beyond their limit first."""
        found = [(name, item) for name, item in self.measurements.items() if item.verdict == "changed"]
        return tuple(name for name, item in sorted(found, key=lambda pair: -_beyond(pair[1])))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "elapsed_s": self.elapsed_s,
            "warnings": list(self.warnings),
            "summary": self.summary,
            "changed": list(self.changed),
            "measurements": {name: item.to_dict() for name, item in self.measurements.items()},
            "leads": {lead: {name: item.to_dict() for name, item in row.items()} for lead, row in self.leads.items()},
            "labels": {head: {name: item.to_dict() for name, item in row.items()} for head, row in self.labels.items()},
            "age": self.age.to_dict(),
            "statements": [item.to_dict() for item in self.statements],
            "noise": dict(self.noise),
        }


def _beyond(item: Change) -> float:
    """Return how many times its limit a figure changed."""
    return abs(item.difference or 0.0) / item.noise.limit if item.noise and item.noise.limit else 0.0
