"""The models that are installed, as their manifests, cards and metrics describe them.

The list reads manifests alone; one model is read whole and compared with its checksums, as for an analysis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ValidationError

from api.errors import not_found
from api.schemas import ModelDetails, ModelList, ModelPart, ModelSummary
from api.services.model_manifests import CARD, graphs_of, read_manifest
from api.services.model_thresholds import thresholds_of
from ecg_core.artefacts import (
    Artefact,
    ModelFolder,
    find_model,
    list_models,
    load_artefact,
    load_model,
    shipped_models,
)
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.predictors import PREDICTORS, predictors

METRICS, HEADS = "metrics.json", "heads.json"
PARTS: tuple[ModelPart, ...] = ("card", "metrics", "thresholds", "curves")
_ABOUT = ("inputs", "preprocessing", "citation", "page", "created_by", "software", "accuracy", "files")
_LACKING: Mapping[ModelPart, str] = {
    "card": "the model came without one",
    "metrics": "the model came without figures measured here",
    "thresholds": "the model calls no labels",
    "curves": "no curves were kept when the model was measured",
}


def describe_models(search: str | None = None, task: str | None = None, answers: bool | None = None) -> ModelList:
    """Return every model version, or those that fit.

    Parameters
    ----------
    search
        What stands in its name, title, description, task or among its labels, in small or capital letters.
    task
        The task of its manifest.
    answers
        Whether it can be asked.
    """
    found = []
    for model in list_models():
        manifest = read_manifest(model.path)
        try:
            summary = ModelSummary.model_validate(_summary(model, manifest))
        except ValidationError:
            manifest = {"problem": "its manifest is of another form"}
            summary = ModelSummary.model_validate(_summary(model, manifest))
        text = (summary.name, summary.title, summary.task, summary.description or "", *_all_labels(manifest))
        if (
            (search is None or any(search.casefold() in item.casefold() for item in text))
            and task in (None, summary.task)
            and answers in (None, summary.answers)
        ):
            found.append(summary)
    return ModelList(models=found)


def describe_model(
    name: str, version: str | None = None, parts: str | None = None, view: str | None = None
) -> ModelDetails:
    """Return one model, in its highest version unless one is named.

    Parameters
    ----------
    name, version
        Which.
    parts
        Those of `PARTS` that are wanted, separated by commas; the others are null. All where left out.
    view
        Which of its views the thresholds are of; the fullest where left out.

    Raises
    ------
    UnknownName
        There is no such model.
    InvalidValue
        There is no such part, or the model has no such view.
    ModelError
        It is incomplete, damaged or altered.
    """
    wanted = [part.strip() for part in parts.split(",") if part.strip()] if parts else PARTS
    if unknown := [part for part in wanted if part not in PARTS]:
        raise InvalidValue("no such part", field="parts", found=unknown[0], options=PARTS)
    folder = find_model(name, version)
    artefact = load_artefact(folder.path)
    manifest = artefact.manifest
    metrics = artefact.json(METRICS) if METRICS in artefact.files else {}
    heads = artefact.json(HEADS) if HEADS in artefact.files else {}
    views = manifest.get("views", {})
    if view is not None and view not in views:
        raise InvalidValue("the model has no such view", field="view", found=view, options=views)
    known: dict[ModelPart, Any] = {
        "card": _card(artefact),
        "metrics": metrics.get("metrics"),
        "thresholds": thresholds_of(manifest, heads, view),
        "curves": _curves(metrics),
    }
    given = {part: value for part, value in known.items() if part in wanted}
    reasons = {part: _LACKING[part] if part in wanted else "not asked for" for part in PARTS if given.get(part) is None}
    outputs = manifest.get("outputs", {})
    measured = {key: metrics[key] for key in ("data", "split", "n") if key in metrics}
    try:
        return ModelDetails.model_validate(
            _summary(folder, read_manifest(folder.path))
            | dict.fromkeys(PARTS)
            | {key: manifest[key] for key in _ABOUT if key in manifest}
            | given
            | {
                "labels": _labels(manifest, heads),
                "views": views,
                "outputs": {key: value for key, value in outputs.items() if isinstance(value, Mapping)}
                | _quantities(manifest),
                "measured_on": measured or None,
                "reasons": reasons,
            }
        )
    except ValidationError as error:
        raise ModelError("its manifest or metrics are of another form", found=error.errors()[0]["loc"]) from error


def read_card(name: str, version: str) -> bytes:
    """Return a model's card, Markdown in UTF-8."""
    return _read_file(name, version, CARD)


def read_metrics(name: str, version: str) -> bytes:
    """Return everything that was measured of a model, JSON."""
    return _read_file(name, version, METRICS)


def _read_file(name: str, version: str, file: str) -> bytes:
    artefact = load_model(name, version)
    if file not in artefact.files:
        raise not_found(f"file of {name}/{version}", file)
    return artefact.files[file]


def _summary(model: ModelFolder, manifest: Mapping[str, Any]) -> dict[str, Any]:
    latest = find_model(model.name).version == model.version
    problem = manifest.get("problem")
    reason = str(problem) if problem else _silence(model, manifest, latest)
    return {
        "name": model.name,
        "version": model.version,
        "title": str(manifest.get("title", model.name)),
        "task": str(manifest.get("task", "unknown")),
        "description": manifest.get("description"),
        "licence": manifest.get("licence"),
        "sha256": manifest.get("sha256"),
        "latest": latest,
        "origin": "shipped" if model.path.is_relative_to(shipped_models()) else "added",
        "answers": reason is None,
        "reason": reason,
        "graphs": list(graphs_of(model.name, manifest)),
        "training_data": manifest.get("training_data", []),
    }


def _silence(model: ModelFolder, manifest: Mapping[str, Any], latest: bool) -> str | None:
    """Return why a model cannot be asked; None where it can."""
    if manifest.get("task") not in PREDICTORS:
        return "a part of every analysis, which is not asked by name"
    if not latest:
        return "a higher version is asked"
    reason = getattr(predictors()[model.name], "reason", None)
    # Where models lie is nobody's business.
    return reason and reason.replace(str(model.path), f"{model.name}/{model.version}")


def _labels(manifest: Mapping[str, Any], heads: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return labels by head: of a model of ours, or of one that was added."""
    if "heads" in heads:
        return {head: list(labels) for head, labels in heads["heads"].items()}
    if isinstance(manifest.get("heads"), list):
        return {head["name"]: head.get("labels", []) for head in manifest["heads"]}
    labels = manifest["labels"]
    return dict(labels) if isinstance(labels, Mapping) else {manifest["task"]: list(labels)}


def _all_labels(manifest: Mapping[str, Any]) -> Iterable[str]:
    labels = manifest.get("labels", [])
    return [name for head in labels.values() for name in head] if isinstance(labels, Mapping) else labels


def _quantities(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model that was added says beside labels, by head."""
    heads = manifest.get("heads", [])
    kept = ("kind", "unit", "intervals", "interval_days", "risk", "withheld")
    return {head["name"]: {key: head[key] for key in kept if key in head} for head in heads if not head.get("labels")}


def _card(artefact: Artefact) -> str | None:
    return artefact.files[CARD].decode() if CARD in artefact.files else None


def _curves(metrics: Mapping[str, Any]) -> Any:
    alone: Mapping[Literal["reliability"], Any] = {"reliability": metrics.get("reliability")}
    return metrics.get("curves") or (alone if alone["reliability"] else None)
