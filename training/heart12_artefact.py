"""Putting ``heart12`` together: manifest, calibration, figures, card, golden vectors, and the records it has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ecg_core.predictors.heart12  # noqa: F401 (registers how the model is run)
from ecg_core.artefacts import RECORDS
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, software, write_artefact
from training.heart12_card import card
from training.heart12_heads import COVERAGE, FEW, HEADS, VIEWS, Layout, to_text
from training.heart12_metrics import PREFIXES, accuracy
from training.heart12_robustness import accuracy_with_lost
from training.heart12_text import to_text as metrics_text
from training.recipe import Recipe

MODEL = "heart12"
TITLE = "What a 12-lead ECG shows: diagnostic statements, rhythm, atrial fibrillation, age and sex"
METRICS = "metrics.json"
LEAST_FS, LEAST_DURATION_S = 60.0, 5.0
LOST = (1, 2)
"""Leads of the full view without which it still answers."""


def write(
    out: Path,
    recipe: Recipe,
    layout: Layout,
    files: Mapping[str, bytes],
    heads: Mapping[str, Any],
    measured: Mapping[str, Any],
    seen: Mapping[str, Sequence[str]],
    folds: Mapping[int, Sequence[str]],
    *,
    split: str,
    signature: Mapping[str, Any] | None = None,
) -> Path:
    """Write the artefact under ``out`` and return its folder.

    Parameters
    ----------
    files
        Weights in every form: ``network.onnx``, ``network.weights.h5``, ``head.npz``, trees, and whatever else belongs
        to the model.
    heads
        As `training.heart12_calibration.fit_heads` made them for what ships.
    measured
        What `training.heart12_metrics.measure_heart12` found, and under ``robustness`` what
        `training.heart12_robustness.measure_robustness` did.
    seen
        Data set to the hashes (`ecg_core.artefacts.record_hash`) of all records that anything was fitted on.
    folds
        Fold to the names of its records.
    split
        What ``measured`` was measured on, and by what, in words.
    signature
        Content of ``signature.json``, which `files` then has too.
    """
    metrics = {
        "model": MODEL,
        "version": recipe["version"],
        "data": recipe["data"],
        "split": split,
        "grouping": "by record: the copy at hand names no patients",
        **measured,
    }
    complete = with_accuracy(heads, metrics)
    unique = {data: sorted(set(hashes)) for data, hashes in seen.items()}
    manifest = manifest_of(recipe, layout, complete, unique, folds)
    name, records = records_file(unique)
    whole = {
        **files,
        HEADS: to_text(complete),
        METRICS: (metrics_text(metrics) + "\n").encode(),
        name: records,
        "card.md": card(manifest, metrics, complete, signature).encode(),
    }
    return write_artefact(out, manifest, whole, golden())


def with_accuracy(heads: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the heads with what each view, and the full one without some leads, was measured to be worth."""
    views = {}
    for view, fitted in heads["views"].items():
        views[view] = {**fitted, "accuracy": accuracy(metrics, view)}
    if "robustness" in metrics:
        views["full"]["lost"] = {str(lost): accuracy_with_lost(metrics, lost) for lost in LOST}
    return {**heads, "views": views}


def manifest_of(
    recipe: Recipe,
    layout: Layout,
    heads: Mapping[str, Any],
    seen: Mapping[str, Sequence[str]],
    folds: Mapping[int, Sequence[str]],
) -> dict[str, Any]:
    """Return the manifest without the list of files."""
    parts = recipe["folds"]
    used = {**parts, "refit": sorted([*parts["train"], *parts["select"]])}
    points = heads["views"]["full"]["labels"]
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": TITLE,
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "seed": recipe["seed"],
        "metrics": METRICS,
        "licence": "weights under the licence of this project; trained on data under the licences named with them",
        "few": FEW,
        "labels": {head: list(labels) for head, labels in layout.heads.items()},
        "software": software(),
        "inputs": {
            "leads": list(INDEPENDENT_8),
            "unit": "mV",
            "fs": 100.0,
            "duration_s": 10.0,
            "least_fs": LEAST_FS,
            "least_duration_s": LEAST_DURATION_S,
            "centred": "each lead less its median over what was recorded; 0 where nothing was",
        },
        "outputs": {
            "labels": "probability",
            "age": {"unit": "years", "coverage": COVERAGE},
            "file": HEADS,
        },
        "views": {view: list(leads) for view, leads in VIEWS.items() if view in heads["views"]},
        "figures_of_views": {view: prefix for view, prefix in PREFIXES.items() if view in heads["views"]},
        "preprocessing": [
            {"name": "derive_leads", "parameters": {"leads": list(INDEPENDENT_8)}},
            {"name": "select", "parameters": {"leads": list(INDEPENDENT_8)}},
            {"name": "resample", "parameters": {"fs": 100.0}},
        ],
        "thresholds": {
            name: row["points"]["max_f1"]["threshold"] for name, row in points.items() if not row["experimental"]
        },
        "split": {
            "data": recipe["data"],
            "folds": {key: list(values) for key, values in used.items()},
            "sha256": {str(fold): _checksum(names) for fold, names in sorted(folds.items())},
        },
        "training_data": [{**data_entry(data, len(hashes)), "records": RECORDS} for data, hashes in seen.items()],
    }


def golden() -> list[Recording]:
    """Return recordings of several rhythms, rates, lengths and sets of leads, and one that is too short."""
    made = (
        synthesize(fs=500, duration_s=10, seed=1),
        synthesize("af", fs=250, duration_s=10, noise="muscle", snr_db=15, seed=2),
        synthesize("pvc", fs=100, duration_s=20, seed=3),
        synthesize(fs=257, duration_s=8, leads=STANDARD_12, seed=4),
        synthesize("af", fs=300, duration_s=10, leads=("I", "II", "V1"), seed=5),
        synthesize(fs=125, duration_s=10, leads=("I", "II"), seed=6),
        synthesize("af", fs=300, duration_s=30, leads=("I",), seed=7),
        synthesize(fs=250, duration_s=10, leads=("II",), seed=8),
        synthesize(fs=500, duration_s=3, seed=9),
    )
    return [synthetic.recording for synthetic in made]


def _checksum(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()
