"""The model ``beat_classes``: boosted trees on features of beats, trained on the MIT-BIH Arrhythmia Database.

Figures are out of fold, tapes kept together. Priors and the readiness to call a class are fitted on the out-of-fold
answers about the other folds' records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core import __version__
from ecg_core.beat_classes import CLASSES
from ecg_core.beat_classes.classify import FEATURES, MODEL, decide
from ecg_core.beat_classes.families import FS
from ecg_core.beat_classes.features import feature_names
from ecg_core.datasets import DATASETS, folds
from ecg_core.engine import NETWORK
from ecg_core.errors import DataSetError
from ecg_core.evaluation import Evaluation, Metric
from ecg_core.evaluation.beat_classes import NO_BEAT, score_classes
from ecg_core.evaluation.bootstrap import measure
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.beat_classes_card import card
from training.beat_classes_checks import check_statements
from training.beat_classes_data import BAND_HZ, Example, read_examples
from training.beat_classes_fit import MAIN_VIEW, corrected, decision_of, fit, predict, prior_of
from training.recipe import Recipe
from training.trees import to_onnx_trees

_NAMES = (*CLASSES, NO_BEAT)


@dataclass(frozen=True)
class _OutOfFold:
    """What was said of the records by trees that had not seen them."""

    said: Mapping[str, Sequence[Mapping[str, np.ndarray]]]
    """By record, for each dealing: view to probabilities, shape (n_beats, 5)."""
    tallies: Mapping[str, Mapping[str, Mapping[str, float]]]
    """By view and record: figures for `score_classes`, on average over the dealings."""


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    examples = read_examples(recipe, root)
    found = _out_of_fold(recipe, examples, recipe["cv"]["folds"])
    rows = [(example, views) for example in examples for views in found.said[example.entry.name]]
    decisions = {view: _decision(recipe, view, rows) for view in recipe["decision"]["views"]}
    prior = prior_of(recipe, examples)
    graph = to_onnx_trees(fit(recipe, examples), len(CLASSES))
    manifest = _manifest(recipe, examples, prior, decisions)
    result = _evaluation(recipe, examples, found, recipe["cv"]["folds"])
    metrics: dict[str, Any] = {
        **{key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics", "records")},
        "views": {view: _figures(recipe, examples, found, view) for view in found.tallies},
        "not_scored": _not_scored(recipe, examples, found),
        "checks": check_statements(recipe, root, graph, prior),
    }
    # What these records do not define (no beat of DS1 is called Q) is no figure of the model.
    metrics["metrics"] = {name: metric for name, metric in metrics["metrics"].items() if metric["value"] is not None}
    records_name, records = records_file({recipe["data"]: [example.hash for example in examples]})
    files = {
        NETWORK: graph,
        FEATURES: to_json(list(feature_names())),
        "metrics.json": to_json(metrics),
        "card.md": card(manifest, metrics, len(feature_names()), recipe["detector"]).encode(),
        records_name: records,
    }
    return write_artefact(out, manifest, files, _golden())


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return out-of-fold metrics with ``k`` folds, the recipe's number for None; no artefact is made."""
    examples = read_examples(recipe, root)
    n_folds = k or recipe["cv"]["folds"]
    return _evaluation(recipe, examples, _out_of_fold(recipe, examples, n_folds), n_folds)


def _out_of_fold(recipe: Recipe, examples: Sequence[Example], n_folds: int) -> _OutOfFold:
    of_name = {example.entry.name: example for example in examples}
    scored = {entry.name for entry in _scored(recipe, examples)}
    if not scored:
        raise DataSetError(
            "cannot be trained on", field=recipe["data"], found=f"no record of {recipe['scored']}", expected="some"
        )
    said: dict[str, list[Mapping[str, np.ndarray]]] = {name: [] for name in of_name}
    tallies: dict[str, dict[str, dict[str, float]]] = {}
    repeats = recipe["cv"]["repeats"]
    for repeat in range(repeats):
        dealt = folds(
            [example.entry for example in examples],
            n_folds,
            seed=recipe["seed"] + repeat,
            stratum=lambda entry: entry.name in scored,
        )
        answers: dict[str, dict[str, np.ndarray]] = {}
        for part in dealt:
            tested = {entry.name for entry in part}
            others = [example for example in examples if example.entry.name not in tested]
            booster, prior = fit(recipe, others), prior_of(recipe, others)
            for name in tested:
                views = of_name[name].views
                answers[name] = {
                    view: corrected(predict(booster, rows.features), prior) for view, rows in views.items()
                }
                said[name].append(answers[name])
        for part in dealt:
            tested = {entry.name for entry in part}
            others = [example for example in examples if example.entry.name not in tested]
            known = [(example, answers[example.entry.name]) for example in others]
            decisions = {view: _decision(recipe, view, known) for view in recipe["decision"]["views"]}
            for name in tested:
                for view, values in answers[name].items():
                    called = decide(values, decisions[_decided_as(recipe, view)])
                    own = tallies.setdefault(view, {}).setdefault(name, {})
                    rows = of_name[name].views[view]
                    pairs = [(*pair,) for pair in zip(rows.label.tolist(), called.tolist(), strict=True)]
                    pairs += [(missed, len(CLASSES)) for missed in rows.missed.tolist()]
                    for truth, answer in pairs:
                        key = _NAMES[truth] + _NAMES[answer]
                        own[key] = own.get(key, 0.0) + 1 / repeats
    return _OutOfFold(said, tallies)


def _decision(recipe: Recipe, view: str, rows: Sequence[tuple[Example, Mapping[str, np.ndarray]]]) -> np.ndarray:
    """Return the factors that suit what was said of records in a view."""
    probability = np.concatenate([said[view] for _, said in rows])
    return decision_of(recipe["decision"], probability, np.concatenate([ex.views[view].label for ex, _ in rows]))


def _decided_as(recipe: Recipe, view: str) -> str:
    """Return the view whose factors count for another: one of the same length."""
    length = view.split("_")[0]
    return next((known for known in recipe["decision"]["views"] if known.startswith(f"{length}_")), MAIN_VIEW)


def _scored(recipe: Recipe, examples: Sequence[Example]) -> Sequence[Any]:
    return DATASETS[recipe["data"]].choose([example.entry for example in examples], recipe["scored"])


def _figures(
    recipe: Recipe, examples: Sequence[Example], found: _OutOfFold, view: str
) -> dict[str, dict[str, float | None]]:
    return {name: metric.to_dict() for name, metric in _measure(recipe, examples, found, view).items()}


def _not_scored(recipe: Recipe, examples: Sequence[Example], found: _OutOfFold) -> dict[str, Any]:
    """Return the figures of the records that are only trained on: the paced ones, out of fold as well."""
    scored = {entry.name for entry in _scored(recipe, examples)}
    entries = [example.entry for example in examples if example.entry.name not in scored]
    if not entries:
        return {"n": 0}
    score = score_classes([found.tallies[MAIN_VIEW][entry.name] for entry in entries])
    measured = measure(score, [entry.group for entry in entries], seed=recipe["seed"])
    return {"n": len(entries), **{name: measured[name].to_dict() for name in ("q_se", "q_ppv", "v_se", "v_ppv")}}


def _measure(recipe: Recipe, examples: Sequence[Example], found: _OutOfFold, view: str) -> dict[str, Metric]:
    entries = _scored(recipe, examples)
    score = score_classes([found.tallies[view][entry.name] for entry in entries])
    return measure(score, [entry.group for entry in entries], seed=recipe["seed"])


def _evaluation(recipe: Recipe, examples: Sequence[Example], found: _OutOfFold, n_folds: int) -> Evaluation:
    entries = _scored(recipe, examples)
    records = {}
    for entry in entries:
        alone = score_classes([found.tallies[MAIN_VIEW][entry.name]])(np.ones((1, 1)))
        records[entry.name] = {
            name: float(value[0]) if np.isfinite(value[0]) else None for name, value in alone.items()
        }
    repeats = recipe["cv"]["repeats"]
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=recipe["data"],
        n=len(entries),
        metrics=_measure(recipe, examples, found, MAIN_VIEW),
        split=f"{recipe['scored']} out of fold ({n_folds} folds by tape, dealt {repeats} times), reference beats",
        records=records,
    )


def _manifest(
    recipe: Recipe, examples: Sequence[Example], prior: np.ndarray, decisions: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Beat classes N, S, V, F and Q",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": list(CLASSES),
        "software": {"name": "einthoven", "version": __version__},
        "inputs": {"unit": "mV", **recipe["inputs"]},
        "preprocessing": [
            {"name": "bandpass", "parameters": {"low_hz": BAND_HZ[0], "high_hz": BAND_HZ[1]}},
            {"name": "resample", "parameters": {"fs": FS}},
        ],
        "prior": {name: float(f"{value:.6g}") for name, value in zip(CLASSES, prior, strict=True)},
        "thresholds": [
            {"up_to_s": up_to_s, **{name: float(value) for name, value in zip(CLASSES, decisions[view], strict=True)}}
            for view, up_to_s in recipe["decision"]["views"].items()
        ],
        "training_data": [data_entry(recipe["data"], len(examples))],
    }


def _golden() -> list[Recording]:
    made = (
        synthesize("pvc", fs=250, leads=("II", "V1"), noise={"muscle": 20}, seed=1),
        synthesize("pac", fs=360, leads=("II",), seed=2),
        synthesize("paced", fs=500, leads=("I", "II", "V1"), seed=3),
        synthesize("af", "lbbb", fs=125, leads=("V5", "V1"), seed=4),
    )
    return [item.recording for item in made]
