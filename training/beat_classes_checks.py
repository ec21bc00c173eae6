"""What the beat classes say of records whose labels state only that there are ectopic beats somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.beat_classes import CLASSES
from ecg_core.beat_classes.features import beat_features, feature_matrix, feature_names
from ecg_core.beat_classes.inputs import choose_leads
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.engine import Network
from ecg_core.errors import DataSetError
from ecg_core.evaluation.bootstrap import measure
from ecg_core.recording import Recording
from training.beat_classes_data import prepare
from training.beat_classes_fit import corrected
from training.recipe import Recipe


def check_statements(recipe: Recipe, root: Path | None, graph: bytes, prior: np.ndarray) -> dict[str, Any]:
    """Return how well the greatest probability among a record's beats tells whether its statements name such beats."""
    settings = recipe["checks"]["ptbxl"]
    try:
        entries = [entry for entry in DATASETS["ptbxl"].listing(root) if entry.fold == settings["fold"]]
    except DataSetError:
        return {"ptbxl": {"n": 0}}
    named = [bool({"PVC", "PAC"} & set(entry.truth().statements)) for entry in entries]
    others = [entry for entry, has in zip(entries, named, strict=True) if not has][:: settings["every_other"]]
    entries = [entry for entry, has in zip(entries, named, strict=True) if has] + others
    trees = Network(graph)
    greatest, statements = [], []
    for entry in entries:
        said = _said(recipe, trees, prior, entry.load())
        if said is not None:
            greatest.append(said.max(axis=0))
            statements.append(set(entry.truth().statements))
    result: dict[str, Any] = {"n": len(greatest)}
    for statement in ("PVC", "PAC"):
        truth = np.array([statement in stated for stated in statements])
        score = np.array(greatest)[:, CLASSES.index(settings[statement])]
        auc = measure(
            lambda weights, truth=truth, score=score: {"auc": _auc(truth, score, weights)},
            [*map(str, range(len(truth)))],
        )
        result[statement] = {"n": int(truth.sum()), **auc["auc"].to_dict()}
    return {"ptbxl": result}


def _said(recipe: Recipe, trees: Network, prior: np.ndarray, recording: Recording) -> np.ndarray | None:
    beats = detect_beats(recording, method=recipe["detector"])
    leads = choose_leads(recording, beats) if len(beats) >= recipe["inputs"]["least_beats"] else ()
    if not leads:
        return None
    signal = prepare(recording.select(leads)).signal
    found = beat_features(signal, beats.times_s, beats.stretch, np.full(len(beats), np.nan))
    return corrected(trees(feature_matrix(found, feature_names()))["probabilities"], prior)


def _auc(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the curve for each row of weights; ties count half."""
    _, rank = np.unique(score, return_inverse=True)
    positive = np.stack([np.bincount(rank, row * truth, rank.max() + 1) for row in weights])
    negative = np.stack([np.bincount(rank, row * ~truth, rank.max() + 1) for row in weights])
    below = np.cumsum(negative, axis=1) - negative / 2
    return np.asarray((positive * below).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1)))
