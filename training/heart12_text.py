"""Figures of ``heart12`` as JSON that people can read too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecg_core.evaluation.report import Metric


def entry(metric: Metric) -> dict[str, float | None]:
    """Return a metric with five decimals, its interval widened to hold the value."""
    if metric.value is None or metric.low is None or metric.high is None:
        return {"value": None if metric.value is None else round(metric.value, 5), "low": None, "high": None}
    low, high = min(metric.low, metric.value), max(metric.high, metric.value)
    return {"value": round(metric.value, 5), "low": round(low, 5), "high": round(high, 5)}


def to_text(value: Any, depth: int = 0) -> str:
    """Return JSON that people can read too: what holds plain values alone stands on one line."""
    nested = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    if not any(isinstance(item, Mapping | list | tuple) for item in nested):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    pad, end = " " * (depth + 1), " " * depth
    if isinstance(value, Mapping):
        rows = [
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {to_text(item, depth + 1)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{end}}}"
    return "[\n" + ",\n".join(f"{pad}{to_text(item, depth + 1)}" for item in value) + f"\n{end}]"
