"""What a model says of one recording, and what it holds back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

from ecg_core.errors import InvalidValue

OperatingPoint = Literal["max_f1", "se95", "sp95"]
OPERATING_POINTS: tuple[OperatingPoint, ...] = get_args(OperatingPoint)
DEFAULT_POINT: OperatingPoint = "max_f1"

Likely = Literal["present", "absent", "uncertain", "unlike"]


@dataclass(frozen=True)
class Identity:
    """Which model spoke."""

    name: str
    version: str
    sha256: str
    """Of its manifest, which lists the sha256 of all its files."""

    def to_dict(self) -> dict[str, str]:
        """Return the JSON-ready form."""
        return {"name": self.name, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True)
class LabelAnswer:
    """What is said of one label."""

    probability: float | None
    """Calibrated; of a statement that people would write, which is not that of a disease. None where withheld."""
    threshold: float | None = None
    """Probability from which it is positive; None where it is never called."""
    positive: bool | None = None
    """None where it is withheld or never called."""
    operating_point: str | None = None
    """What the threshold was chosen for."""
    experimental: bool = False
    """Too few positives were at hand to choose a threshold or to promise anything: never called positive."""
    reason: str | None = None
    """Why there is no probability or no call, where there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "probability": self.probability,
            "threshold": self.threshold,
            "positive": self.positive,
            "operating_point": self.operating_point,
            "experimental": self.experimental,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Quantity:
    """A number in its unit, with the interval that covers the truth as often as ``coverage`` says."""

    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    coverage: float | None = None
    """Share of records whose truth lies within, where the records are like those it was measured on."""
    reason: str | None = None
    """Why there is no value, where there is none."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "coverage": self.coverage,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Curve:
    """Values over a range, such as survival over time."""

    at: tuple[float, ...]
    values: tuple[float, ...]
    at_unit: str
    unit: str | None = None

    def __post_init__(self) -> None:
        if len(self.at) != len(self.values):
            raise InvalidValue("one value a place", field="curve", found=f"{len(self.at)}, {len(self.values)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"at": list(self.at), "values": list(self.values), "at_unit": self.at_unit, "unit": self.unit}


@dataclass(frozen=True)
class ConformalSet:
    """What a head's labels can be, at a stated coverage."""

    coverage: float
    """Share of records in whose sets each label's truth lies, for records like those it was measured on: not at
    another hospital."""
    labels: Mapping[str, Likely]
    """``present`` and ``absent`` where the set holds this alone, ``uncertain`` where it holds both, ``unlike`` where
    it holds neither. Labels without a claim are left out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", MappingProxyType(dict(self.labels)))

    def __reduce__(self) -> tuple[Any, ...]:
        return ConformalSet, (self.coverage, dict(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"coverage": self.coverage, "labels": dict(self.labels)}


Head = Mapping[str, LabelAnswer] | Quantity | Curve


@dataclass(frozen=True)
class Prediction:
    """What one model says of one recording."""

    model: Identity
    heads: Mapping[str, Head] = field(default_factory=dict)
    """Head to its labels, or to its number; empty where the model abstains."""
    view: str | None = None
    """Which leads were read, where the model has several ways."""
    leads: tuple[str, ...] = ()
    """Leads that were read, of those recorded and those derived."""
    conformal: Mapping[str, ConformalSet] = field(default_factory=dict)
    """By head."""
    out_of_scope: tuple[str, ...] = ()
    """Why the model abstains; empty where it answers."""
    withheld: Mapping[str, str] = field(default_factory=dict)
    """``"head.label"``, or ``"head"`` as a whole, to the reason why it is not said although the model answers."""
    cautions: tuple[str, ...] = ()
    """What to bear in mind with the answers."""
    accuracy: Mapping[str, Any] = field(default_factory=dict)
    """How good the model was measured to be at recordings read in this view, JSON-ready."""

    def __post_init__(self) -> None:
        heads = {name: head if isinstance(head, _PLAIN) else _frozen(head) for name, head in self.heads.items()}
        if taken := _RESERVED & set(heads):
            raise InvalidValue("no name for a head", field="heads", found=", ".join(sorted(taken)))
        object.__setattr__(self, "heads", MappingProxyType(heads))
        for name in ("conformal", "withheld", "accuracy"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a prediction cross a process boundary, which read-only mappings cannot."""
        return Prediction, tuple(_thawed(getattr(self, item.name)) for item in fields(self))

    @property
    def abstains(self) -> bool:
        """Whether nothing is said."""
        return bool(self.out_of_scope)

    def labels(self, head: str) -> Mapping[str, LabelAnswer]:
        """Return the labels of a head; none where it is a number, is withheld or does not exist."""
        found = self.heads.get(head, {})
        return {} if isinstance(found, _PLAIN) else found

    def quantity(self, head: str) -> Quantity | None:
        """Return the number that a head is; None where it is none."""
        found = self.heads.get(head)
        return found if isinstance(found, Quantity) else None

    def positives(self, head: str) -> dict[str, LabelAnswer]:
        """Return the labels of a head that are called positive, the most probable first."""
        called = [(name, answer) for name, answer in self.labels(head).items() if answer.positive]
        return dict(sorted(called, key=lambda item: -(item[1].probability or 0.0)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, which stands under the model's name: the heads beside what is said of all."""
        heads = {
            name: head.to_dict() if isinstance(head, _PLAIN) else {label: a.to_dict() for label, a in head.items()}
            for name, head in self.heads.items()
        }
        return {
            "version": self.model.version,
            "sha256": self.model.sha256,
            "view": self.view,
            "leads": list(self.leads),
            **heads,
            "conformal": {name: found.to_dict() for name, found in self.conformal.items()},
            "out_of_scope": list(self.out_of_scope),
            "withheld": dict(self.withheld),
            "cautions": list(self.cautions),
            "accuracy": dict(self.accuracy),
        }


_PLAIN = (Quantity, Curve)
_RESERVED = frozenset(
    ("version", "sha256", "view", "leads", "conformal", "out_of_scope", "withheld", "cautions", "accuracy")
)


def _frozen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return values if isinstance(values, MappingProxyType) else MappingProxyType(dict(values))


def _thawed(value: Any) -> Any:
    """Return plain mappings for read-only ones; what is plain stays itself, so that a group's share is sent once."""
    return {name: _thawed(item) for name, item in value.items()} if isinstance(value, MappingProxyType) else value
