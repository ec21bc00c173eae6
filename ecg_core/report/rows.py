"""An analysis as one row of a table: the figures that people sort and count by."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ecg_core.predictors import Identity

_MEASURED = ("hr_bpm", "pr_ms", "p_ms", "qrs_ms", "qt_ms", "qtc_fridericia_ms", "qrs_axis_deg", "sokolow_lyon_mv")
_SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
COLUMNS = (
    *("file", "recording", "error", "error_text", "sha256", "fs", "leads", "duration_s", "age", "sex"),
    *("quality", "level", "diagnosis", "confidence", "urgent", "findings", "notes"),
    *("rhythm", "rhythm_probability", "rhythm_decided_by", *_MEASURED),
    *(f"p_{name}" for name in _SUPERCLASSES),
    *("p_AFIB", "p_female", "ecg_age", "ecg_age_low", "ecg_age_high"),
    *("af_risk_5y", "af_risk_low", "af_risk_high", "af_risk_basis", "af_signature_percentile", "models", "settings"),
)


def row_of(analysis: Mapping[str, Any]) -> dict[str, Any]:
    """Return column to value, short of where the recording was found and with which settings.

    Parameters
    ----------
    analysis
        `Analysis.to_dict` of it.
    """
    recording, subject, rhythm = analysis["recording"], analysis["subject"], analysis["rhythm"]
    summary, risk, measured = analysis["summary"], analysis["af_risk"], analysis["measurements"]
    decided_by = rhythm["decided_by"]
    return {
        "sha256": recording["sha256"],
        "fs": recording["fs"],
        "leads": " ".join(recording["leads"]),
        "duration_s": recording["duration_s"],
        "age": subject["age"],
        "sex": subject["sex"],
        "quality": analysis["quality"]["verdict"],
        "level": summary["score"]["level"],
        "diagnosis": summary["diagnosis"],
        "confidence": summary["score"]["confidence"],
        "urgent": " ".join(item["code"] for item in analysis["urgent"]),
        "findings": " ".join(item["code"] for item in analysis["findings"]),
        "notes": summary["notes"],
        "rhythm": rhythm["title"],
        "rhythm_probability": rhythm["probability"],
        "rhythm_decided_by": decided_by["name"] if decided_by else None,
        **{name: measured[name]["value"] for name in _MEASURED},
        "af_risk_5y": risk["value_5y"],
        "af_risk_low": risk["likely_low"],
        "af_risk_high": risk["likely_high"],
        "af_risk_basis": risk["basis"],
        "af_signature_percentile": risk["signature"]["percentile"],
        "models": " ".join(f"{name}/{said['version']}" for name, said in analysis["predictions"].items()),
        **dict(_predicted(analysis["predictions"].get("heart12") or {})),
    }


def _predicted(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    columns = [(f"p_{name}", "superclass", name) for name in _SUPERCLASSES]
    for column, head, label in (*columns, ("p_AFIB", "af", "AFIB"), ("p_female", "sex", "female")):
        if (answer := said.get(head, {}).get(label)) is not None:
            yield column, answer["probability"]
    if (age := said.get("age")) is not None:
        yield from zip(("ecg_age", "ecg_age_low", "ecg_age_high"), (age["value"], age["low"], age["high"]), strict=True)


def describe_settings(version: str, point: str, models: Iterable[Identity], stated: Mapping[str, Any]) -> str:
    """Return in words what decides an analysis beside the recording.

    Parameters
    ----------
    version
        Of this software.
    point
        What the thresholds were chosen for.
    models
        Predictors that were asked.
    stated
        What the sender said of the person.
    """
    known = " ".join(f"{name}={value}" for name, value in stated.items() if value is not None)
    asked = " ".join(f"{model.name}/{model.version}/{model.sha256[:12]}" for model in models)
    return f"einthoven {version}; {point}; {asked or 'no predictors'}; {known or 'nothing stated'}"


def csv_line(values: Iterable[Any]) -> str:
    """Return one line; figures with the digits that mean something, and no line breaks within a field."""
    shown = [f"{value:.6g}" if isinstance(value, float) else value for value in values]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        [" ".join(value.split("\n")) if isinstance(value, str) else value for value in shown]
    )
    return text.getvalue()
