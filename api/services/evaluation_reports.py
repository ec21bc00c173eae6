"""From what an evaluation found to its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schemas import Accuracy, ModelMetric, TrainedOn
from ecg_core import __version__
from ecg_core.artefacts import load_model
from ecg_core.evaluation import Evaluation, Metric
from ecg_core.evaluation.exams.beats import FAST

WITHOUT_ARTEFACT = (FAST, "pacing")
"""What is examined and has learned nothing: it comes with the software."""


def report_of(found: Evaluation) -> dict[str, Any]:
    """Return the members that every report shares."""
    return {
        "model": found.model,
        "version": found.version,
        "sha256": None if found.model in WITHOUT_ARTEFACT else load_model(found.model).sha256,
        "software": __version__,
        "data": found.data,
        "split": found.split,
        "n": found.n,
        "metrics": {name: metric.to_dict() for name, metric in found.metrics.items()},
        "left_out": dict(found.unreadable),
        "missing": found.missing,
        "trained_on": TrainedOn(n=len(found.trained_on), included=found.trained_on_included),
        "records": {name: dict(figures) for name, figures in found.records.items()},
    }


def accuracies(metrics: Mapping[str, Metric]) -> dict[str, Accuracy | None]:
    """Return the two scores of CPSC 2019, where they were computed."""

    def metric(name: str) -> ModelMetric | None:
        return ModelMetric.model_validate(metrics[name].to_dict()) if name in metrics else None

    def accuracy(name: str) -> Accuracy | None:
        official = metric(f"{name}_official")
        return None if official is None else Accuracy(official=official, strict=metric(f"{name}_strict"))

    return {f"{name}_accuracy": accuracy(name) for name in ("qrs", "hr")}
