"""The one value that flows through the house: an ECG as it was recorded."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.leads import canonical_lead

Sex = Literal["female", "male"]


class _Picklable:
    """Lets a frozen dataclass with read-only mappings cross a process boundary."""

    def __reduce__(self) -> tuple[Any, ...]:
        values = (getattr(self, item.name) for item in fields(self))  # type: ignore[arg-type]
        return type(self), tuple(dict(value) if isinstance(value, MappingProxyType) else value for value in values)


@dataclass(frozen=True)
class Subject(_Picklable):
    """What the file, or whoever sent it, says about the person."""

    id: str | None = None
    age: float | None = None
    """Years at the time of the recording."""
    sex: Sex | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Other named facts, JSON-ready (``{"height_cm": 171, "diagnosis": "..."}``)."""

    def __post_init__(self) -> None:
        if self.age is not None and not (math.isfinite(self.age) and 0 <= self.age <= 130):
            raise InvalidValue("an age must lie between 0 and 130 years", field="subject.age", found=self.age)
        if self.sex not in (None, "female", "male"):
            raise InvalidValue("unknown value", field="subject.sex", found=self.sex, options=("female", "male"))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"id": self.id, "age": self.age, "sex": self.sex, "facts": dict(self.facts)}


@dataclass(frozen=True)
class Source:
    """Where a recording came from."""

    format: str
    """Name of the reader."""
    name: str
    """Name of the (main) file."""
    sha256: str
    """Of the file; of several files, the sha256 of their ``<sha256>  <name>`` lines sorted by name."""


@dataclass(frozen=True)
class Step(_Picklable):
    """One step applied to a recording, with everything needed to apply it again."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))


@dataclass(frozen=True, eq=False)
class Annotations(_Picklable):
    """Marks that came with a recording: one annotator's, in order of time."""

    time_s: np.ndarray
    """Seconds from the first sample, float64, shape (n,)."""
    symbol: tuple[str, ...]
    """One code a mark, as the file has it (``"N"``, ``"V"``, ``"("``, ``"p"``, ...)."""
    note: tuple[str, ...] = ()
    """Free text a mark (``"(AFIB"``), empty where there is none."""

    def __post_init__(self) -> None:
        time_s = np.array(self.time_s, np.float64)
        time_s.setflags(write=False)
        object.__setattr__(self, "time_s", time_s)
        object.__setattr__(self, "note", self.note or ("",) * len(time_s))
        if not len(time_s) == len(self.symbol) == len(self.note):
            raise InvalidValue(
                "one time, symbol and note a mark",
                field="annotations",
                found=f"{len(time_s)} times, {len(self.symbol)} symbols, {len(self.note)} notes",
            )

    def __len__(self) -> int:
        return len(self.time_s)

    def between(self, start_s: float, stop_s: float) -> Annotations:
        """Return the marks within [start_s, stop_s), timed from ``start_s``."""
        keep = np.flatnonzero((self.time_s >= start_s) & (self.time_s < stop_s))
        return Annotations(
            self.time_s[keep] - start_s,
            tuple(self.symbol[i] for i in keep),
            tuple(self.note[i] for i in keep),
        )


@dataclass(frozen=True, eq=False)
class Recording(_Picklable):
    """An ECG: millivolts over time, with its names, its origin and all that was done to it.

    Parameters
    ----------
    signal
        Millivolts, shape (n_leads, n_samples); kept as a read-only float32 array. NaN marks what was not recorded.
    fs
        Samples per second of every lead.
    leads
        One name a row; known aliases are stored under their canonical name.
    """

    signal: np.ndarray
    fs: float
    leads: tuple[str, ...]
    subject: Subject = Subject()
    start: datetime | None = None
    source: Source | None = None
    history: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    """Every assumption made on reading, in words."""
    derived: tuple[str, ...] = ()
    """Leads computed from others instead of recorded."""
    annotations: Mapping[str, Annotations] = field(default_factory=dict)
    """Marks that came with the file, by annotator (``"atr"``)."""

    def __post_init__(self) -> None:
        signal = _frozen_float32(self.signal)
        leads = tuple(canonical_lead(name) or name for name in self.leads)
        if signal.ndim != 2 or 0 in signal.shape:
            raise InvalidValue(
                "not an ECG array",
                field="signal",
                found=f"shape {signal.shape}",
                expected="(n_leads, n_samples), neither zero",
            )
        if len(leads) != len(signal):
            raise InvalidValue("one name a lead", field="leads", found=f"{len(leads)} names for {len(signal)} leads")
        if twice := sorted({name for name in leads if leads.count(name) > 1}):
            raise InvalidValue("each lead has a name of its own", field="leads", found=f"twice {', '.join(twice)}")
        if not (math.isfinite(self.fs) and self.fs > 0):
            raise InvalidValue("not a sampling rate", field="fs", found=self.fs, expected="samples per second, above 0")
        if np.isinf(signal).any():
            raise InvalidValue(
                "infinite values", field="signal", expected="finite millivolts, or NaN where nothing was recorded"
            )
        if strange := [name for name in self.derived if name not in leads]:
            raise InvalidValue(
                "derived leads must be leads of the recording", field="derived", found=", ".join(strange)
            )
        for name, value in (
            ("signal", signal),
            ("leads", leads),
            ("fs", float(self.fs)),
            ("history", tuple(self.history)),
            ("warnings", tuple(dict.fromkeys(self.warnings))),
            ("derived", tuple(self.derived)),
            ("annotations", MappingProxyType(dict(self.annotations))),
        ):
            object.__setattr__(self, name, value)

    @property
    def n_leads(self) -> int:
        """Number of leads."""
        return int(self.signal.shape[0])

    @property
    def n_samples(self) -> int:
        """Number of samples of every lead."""
        return int(self.signal.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def lead(self, name: str) -> np.ndarray:
        """Return one lead (millivolts, shape (n_samples,)) by any of its names."""
        wanted = canonical_lead(name) or name
        if wanted not in self.leads:
            raise InvalidValue("the recording has no such lead", field="lead", found=name, options=self.leads)
        row: np.ndarray = self.signal[self.leads.index(wanted)]
        return row

    def select(self, leads: tuple[str, ...]) -> Recording:
        """Return only ``leads``, in that order; the choice is recorded in the history."""
        if not leads:
            raise InvalidValue("names no lead", field="leads", expected="one or more", options=self.leads)
        rows = np.stack([self.lead(name) for name in leads])
        names = tuple(canonical_lead(name) or name for name in leads)
        return self.with_step(
            "select",
            {"leads": list(names)},
            signal=rows,
            leads=names,
            derived=tuple(name for name in self.derived if name in names),
        )

    def with_step(self, name: str, parameters: Mapping[str, Any], **changes: Any) -> Recording:
        """Return a copy with ``changes`` and one more history entry."""
        return replace(self, history=(*self.history, Step(name, parameters)), **changes)

    def with_warnings(self, *messages: str) -> Recording:
        """Return a copy with further warnings."""
        return replace(self, warnings=(*self.warnings, *messages)) if messages else self

    def summary(self) -> dict[str, Any]:
        """Return what is known about the recording short of its samples, JSON-ready."""
        return {
            "format": self.source.format if self.source else None,
            "name": self.source.name if self.source else None,
            "sha256": self.source.sha256 if self.source else None,
            "fs": self.fs,
            "leads": list(self.leads),
            "derived": list(self.derived),
            "n_samples": self.n_samples,
            "duration_s": self.duration_s,
            "start": self.start.isoformat() if self.start else None,
            "subject": self.subject.to_dict(),
            "annotations": {name: len(marks) for name, marks in self.annotations.items()},
            "history": [{"name": step.name, "parameters": dict(step.parameters)} for step in self.history],
            "warnings": list(self.warnings),
        }


def _frozen_float32(values: np.ndarray) -> np.ndarray:
    """Return a read-only float32 array, without a copy only where nobody else can write to it."""
    array = np.asarray(values)
    base: Any = array
    while isinstance(base, np.ndarray) and not base.flags.writeable and base.base is not None:
        base = base.base
    immutable = isinstance(base, bytes) or (isinstance(base, np.ndarray) and not base.flags.writeable)
    if array.dtype != np.float32 or not array.flags.c_contiguous or not immutable:
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.array(array, dtype=np.float32, order="C", copy=True)
        array.setflags(write=False)
    return array
