"""What an evaluation found: a value that other programs read, so its form is stable."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecg_core.errors import WriteError


@dataclass(frozen=True)
class Metric:
    """A figure with its 95 % interval; None where the records at hand do not define it."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Return the JSON-ready form."""
        return {"value": self.value, "low": self.low, "high": self.high}

    def rounded(self, digits: int = 5) -> Metric:
        """Return it with so many decimals, its interval widened to hold the value."""
        if self.value is None or self.low is None or self.high is None:
            return Metric(None if self.value is None else round(self.value, digits))
        low, high = min(self.low, self.value), max(self.high, self.value)
        return Metric(round(self.value, digits), round(low, digits), round(high, digits))


@dataclass(frozen=True)
class Evaluation:
    """A model on a data set."""

    model: str
    version: str
    data: str
    n: int
    """Records scored."""
    metrics: Mapping[str, Metric]
    split: str | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Records that are here but could not be read, and why; they are not in ``n``."""
    missing: int = 0
    """Records of the set's own list that are not in the folder."""
    trained_on: tuple[str, ...] = ()
    """Records that the model was trained on, by what was recorded; not in ``n`` unless ``trained_on_included``."""
    trained_on_included: bool = False
    records: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Record to the figures that make sense for one record alone."""
    lost: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Record to what it cost and what went wrong in it, JSON-ready, where its exam tells; those that cost nothing are
    not in it."""
    parts: Mapping[str, Any] = field(default_factory=dict)
    """What else was asked for, JSON-ready: curves, subgroups, robustness, failures (see `exams.parts`)."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "model": self.model,
            "version": self.version,
            "data": self.data,
            "split": self.split,
            "n": self.n,
            "metrics": {name: metric.to_dict() for name, metric in self.metrics.items()},
            "missing": self.missing,
            "unreadable": dict(self.unreadable),
            "trained_on": {
                "n": len(self.trained_on),
                "included": self.trained_on_included,
                "records": list(self.trained_on),
            },
            "records": {name: dict(figures) for name, figures in self.records.items()},
            "lost": {name: dict(what) for name, what in self.lost.items()},
            **self.parts,
        }

    def save(self, path: Path) -> None:
        """Write the JSON form to ``path``: the whole file or, if that fails, none of it."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            part.write_text(text, "utf-8")
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise WriteError("cannot be written", file=str(path), found=error.strerror or error) from error
