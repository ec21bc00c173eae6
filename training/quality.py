"""The model ``quality``: a logistic regression on figures of the leads, trained on CinC 2011.

Figures are pooled over the leads, standardised, and weighed by maximum likelihood with a penalty on the squares of the
coefficients. Nothing is chosen by looking at the folds: features, penalty and threshold stand in the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS, Entry, folds
from ecg_core.errors import DataSetError
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.outcomes import Outcomes, draw_curves, worst_cases
from ecg_core.evaluation.quality import score_quality
from ecg_core.leads import STANDARD_12
from ecg_core.quality.figures import measure_leads
from ecg_core.quality.unacceptable import MODEL, WEIGHTS, Feature, log_odds, read_features
from ecg_core.recording import Recording, Subject
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.quality_card import card
from training.quality_checks import run_checks
from training.recipe import Recipe

_STEPS = 100
_STEADY = 1e-10


@dataclass(frozen=True)
class _Examples:
    """What is trained on."""

    entries: Sequence[Entry[Any]]
    rows: np.ndarray
    """Features, float64, shape (n_records, n_features)."""
    unacceptable: np.ndarray
    """Bool, shape (n_records,)."""
    hashes: Sequence[str]
    alive: np.ndarray
    """Whether any lead holds a signal, bool, shape (n_records,)."""


@dataclass(frozen=True)
class _Fit:
    """A logistic regression; each array of shape (n_features,)."""

    mean: np.ndarray
    scale: np.ndarray
    coefficient: np.ndarray
    intercept: float
    trained_on: float
    """Share of unacceptable records that it was fitted to."""

    def probability(self, rows: np.ndarray, prior: float) -> np.ndarray:
        """Return the probabilities of rows of features where a share ``prior`` of records is unacceptable."""
        logit = (rows - self.mean) / self.scale @ self.coefficient + self.intercept
        return np.asarray(1 / (1 + np.exp(-(logit + log_odds(prior) - log_odds(self.trained_on)))))


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    examples = _read(recipe, root)
    result = _cross_validate(recipe, examples, None)
    fit = _fit(examples.rows, examples.unacceptable, recipe["l2"])
    features = read_features(recipe["features"])
    weights = {
        "features": [
            {**row, "mean": float(mean), "scale": float(scale), "coefficient": float(coefficient)}
            for row, mean, scale, coefficient in zip(
                recipe["features"], fit.mean, fit.scale, fit.coefficient, strict=True
            )
        ],
        "intercept": fit.intercept,
    }
    checks = run_checks(recipe, root, lambda recording: _one(fit, features, recording, recipe["stated_prior"]))
    metrics = {
        **{key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics")},
        "checks": checks,
    }
    manifest = _manifest(recipe, examples, fit)
    records_name, records = records_file({recipe["data"]: examples.hashes})
    return write_artefact(
        out,
        manifest,
        {
            WEIGHTS: to_json(weights),
            "metrics.json": to_json(metrics),
            "card.md": card(manifest, metrics, recipe["l2"]).encode(),
            records_name: records,
        },
        _golden(),
    )


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return out-of-fold metrics with ``k`` folds, the recipe's number for None; no artefact is made."""
    return _cross_validate(recipe, _read(recipe, root), k)


def _read(recipe: Recipe, root: Path | None) -> _Examples:
    features = read_features(recipe["features"])
    listing = DATASETS[recipe["data"]].listing(root)
    rows, hashes, alive = [], [], []
    for entry in listing:
        recording = entry.load()
        figures = measure_leads(recording)
        rows.append([feature.of(figures) for feature in features])
        hashes.append(record_hash(recording))
        alive.append(bool((figures.flat < 1).any()))
    unacceptable = np.array([not entry.truth().acceptable for entry in listing], bool)
    if not (unacceptable.any() and (~unacceptable).any()):
        raise DataSetError(
            "cannot be trained on",
            file=str(listing.folder),
            found=f"{unacceptable.sum()} unacceptable records of {len(unacceptable)}",
            expected="both kinds",
        )
    return _Examples(listing.entries, np.array(rows), unacceptable, hashes, np.array(alive))


def _fit(rows: np.ndarray, truth: np.ndarray, l2: float) -> _Fit:
    """Fit by Newton's method: the penalised likelihood has one maximum."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    design = np.column_stack(((rows - mean) / scale, np.ones(len(rows))))
    penalty = np.append(np.full(rows.shape[1], float(l2)), 0.0)
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        fitted = 1 / (1 + np.exp(-(design @ weights)))
        gradient = design.T @ (truth - fitted) - penalty * weights
        curvature = (design * (fitted * (1 - fitted))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.abs(step).max() < _STEADY:
            break
    return _Fit(mean, scale, weights[:-1], float(weights[-1]), float(truth.mean()))


def _cross_validate(recipe: Recipe, examples: _Examples, k: int | None) -> Evaluation:
    """Return the mean over repetitions of the metrics of out-of-fold answers; the intervals resample records.

    Recordings without any signal are all alike and easily told: ``auc_with_signal`` leaves them out.
    """
    n_folds, seed = k or recipe["cv"]["folds"], recipe["seed"]
    probability = _out_of_fold(recipe, examples, n_folds, recipe["stated_prior"])
    score = score_quality(examples.unacceptable, probability, recipe["threshold"])
    groups = [entry.group for entry in examples.entries]
    metrics = measure(score, groups, seed=seed)
    kept = np.flatnonzero(examples.alive)
    harder = score_quality(examples.unacceptable[kept], probability[:, kept], recipe["threshold"])
    metrics["auc_with_signal"] = measure(harder, [groups[at] for at in kept], seed=seed)["auc"]
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=recipe["data"],
        n=len(examples.entries),
        split=f"out of fold ({n_folds} folds by record, repeated {len(probability)} times)",
        metrics=metrics,
    )


def measure_again(recipe: Recipe, root: Path | None) -> dict[str, Any]:
    """Return curves and failures of answers out of fold, the mean over repetitions.

    Failures are by the probabilities of service; curves by those where as many records are unacceptable as here.
    """
    examples, n_folds, limit = _read(recipe, root), recipe["cv"]["folds"], recipe["threshold"]
    truth, known = examples.unacceptable[:, None], np.ones((len(examples.rows), 1), bool)
    said = [("unacceptable",) if bad else ("acceptable",) for bad in examples.unacceptable]
    share = float(truth.mean())

    def outcomes(prior: float) -> Outcomes:
        probability = _out_of_fold(recipe, examples, n_folds, prior).mean(axis=0)[:, None]
        called = probability >= limit
        return Outcomes(("unacceptable",), truth, known, probability, called, {"unacceptable": limit}, said)

    of = outcomes(recipe["stated_prior"])
    names = [entry.name for entry in examples.entries]
    failures = {
        "data": recipe["data"],
        "split": "out of fold",
        "n": len(names),
        "labels": worst_cases(of, names, [Subject()] * len(names)),
    }
    return {
        "curves": draw_curves(outcomes(share), seed=recipe["seed"]),
        "curves_of": f"{recipe['data']}, out of fold; probabilities brought to the share of unacceptable records here, "
        f"{share:.0%} (in service they are those of {recipe['stated_prior']:.0%})",
        "failures": failures,
    }


def _out_of_fold(recipe: Recipe, examples: _Examples, n_folds: int, prior: float) -> np.ndarray:
    """Return probabilities by fits that have not seen the record, shape (n_repeats, n_records); ``prior`` as `_Fit`."""
    place = {entry.name: at for at, entry in enumerate(examples.entries)}
    probability = np.empty((recipe["cv"]["repeats"], len(place)))
    for repeat, row in enumerate(probability):
        dealt = folds(
            examples.entries, n_folds, seed=recipe["seed"] + repeat, stratum=lambda entry: entry.truth().acceptable
        )
        for part in dealt:
            tested = np.array([place[entry.name] for entry in part])
            kept = np.setdiff1d(np.arange(len(place)), tested)
            fit = _fit(examples.rows[kept], examples.unacceptable[kept], recipe["l2"])
            row[tested] = fit.probability(examples.rows[tested], prior)
    return probability


def _one(fit: _Fit, features: Sequence[Feature], recording: Recording, prior: float) -> float:
    figures = measure_leads(recording)
    row = np.array([[feature.of(figures) for feature in features]])
    return float(fit.probability(row, prior)[0])


def _manifest(recipe: Recipe, examples: _Examples, fit: _Fit) -> Mapping[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Unacceptable signal quality of a 12-lead recording",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "software": {"name": "einthoven", "version": __version__},
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": ["unacceptable"],
        "inputs": {"leads": list(STANDARD_12), "unit": "mV", **recipe["inputs"]},
        "preprocessing": [
            {"name": "derive_leads", "parameters": {"leads": list(STANDARD_12)}},
            {"name": "select", "parameters": {"leads": list(STANDARD_12)}},
        ],
        "prior": {
            "trained_on": fit.trained_on,
            "stated": recipe["stated_prior"],
            "source": "about 77 % of the labelled records of the published set A of CinC 2011 are acceptable",
        },
        "thresholds": {"unacceptable": recipe["threshold"]},
        "training_data": [data_entry(recipe["data"], len(examples.hashes))],
    }


def _golden() -> list[Recording]:
    """Return recordings from clean to unreadable, one with eight leads and one that the model declines."""
    eight = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    made = (
        synthesize(fs=250, seed=1),
        synthesize("af", fs=250, leads=eight, noise="muscle", snr_db=10, seed=2),
        synthesize(fs=250, noise="motion", snr_db=-6, seed=3),
        synthesize(fs=125, noise={"baseline": -15, "motion": -15, "muscle": -5}, seed=4),
        synthesize(fs=250, lead_off=("V1", "V2", "V3"), lead_off_mode="rail", seed=5),
        synthesize(fs=250, lead_off=("V6",), lead_off_mode="nan", seed=6),
    )
    return [item.recording for item in made]
