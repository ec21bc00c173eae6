"""How an analysis came about: software, settings, models and time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ecg_core.artefacts import load_model
from ecg_core.findings.stated import READER
from ecg_core.predictors import Context, OperatingPoint, Prediction
from ecg_core.predictors.chain import METHOD


def provenance_of(
    context: Context, predictions: Mapping[str, Prediction], operating_point: OperatingPoint
) -> dict[str, Any]:
    """Return software, settings and time, the models that had a say, by name, and what was missing."""
    from ecg_core import __version__

    models = {
        "quality": context.quality.model,
        "reversals": context.reversals.model,
        "beats": _identity("beats") if context.beats.leads else None,
        "beat_classes": None if context.classes.reason else context.classes.model,
        "rhythm": None if context.rhythm is None or context.rhythm.reason else context.rhythm.model,
        "waves": None if context.waves.reason else _identity("waves"),
        **{name: None if found.abstains else found.model.to_dict() for name, found in predictions.items()},
    }
    notes = [] if READER in predictions else [f"{READER} was not asked: no statement comes from a 12-lead network"]
    return {
        "software": {"name": "einthoven", "version": __version__},
        "models": {name: dict(model) for name, model in models.items() if model is not None},
        "settings": {"beats": METHOD, "predictors": list(predictions), "operating_point": operating_point},
        "notes": notes,
        "analysed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _identity(name: str) -> dict[str, str]:
    artefact = load_model(name)
    return {"name": artefact.name, "version": artefact.version, "sha256": artefact.sha256}
