"""The model ``tabular``: boosted trees on measured figures, stated age and stated sex, trained on PTB-XL.

The trees learn from folds 1 to 7; slope, offset and thresholds of each label are fitted on fold 8; fold 9, which
nothing was fitted to, is reported. What is shipped is what was reported on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecg_core.artefacts import load_artefact, record_hash
from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl, PtbXlTruth
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import RESAMPLES, Score, measure
from ecg_core.evaluation.exams.tabular import score_tabular
from ecg_core.evaluation.operating_points import choose_thresholds, score_calls
from ecg_core.evaluation.reliability import reliability_points
from ecg_core.leads import STANDARD_12
from ecg_core.predictors.figures import FULL
from ecg_core.predictors.tabular import AGE, HEADS, LEAVES, MODEL, OVER_89, SEX, TREES
from ecg_core.predictors.windows import INPUTS
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from training.artefact import GOLDEN, data_entry, records_file, software, to_json, write_artefact
from training.heart12_data import targets_of
from training.heart12_heads import UNKNOWN, Layout
from training.heart12_metrics import entry
from training.heart12_stacking import fit_each, probability
from training.heart12_trees import Trees, fit
from training.leaves import leaves_of
from training.recipe import Recipe
from training.tabular_card import card
from training.tabular_data import FS, figure_table

FEATURES = (*FULL, AGE, SEX)
_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Examples:
    """What is trained on and reported."""

    rows: np.ndarray
    """`FEATURES` of each record, float32, shape (n_records, n_features)."""
    targets: np.ndarray
    """0 or 1, or less than `UNKNOWN`, shape (n_records, n_outputs)."""
    folds: np.ndarray
    truths: Sequence[PtbXlTruth]

    def of(self, folds: Sequence[int]) -> np.ndarray:
        """Return the numbers of the records of some folds that have figures."""
        return np.flatnonzero(np.isin(self.folds, folds) & np.isfinite(self.rows[:, : len(FULL)]).any(axis=1))


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    examples = read_examples(recipe, root)
    trees = fit_trees(recipe, examples, examples.of(recipe["folds"]["fit"]))
    heads = calibrate(recipe, trees, examples, examples.of(recipe["folds"]["choose"]))
    reported = examples.of(recipe["folds"]["report"])
    metrics = _metrics(recipe, trees, heads, examples, reported)
    seen = _hashes(root, [*recipe["folds"]["fit"], *recipe["folds"]["choose"]])
    manifest = _manifest(recipe, heads, seen)
    name, records = records_file({recipe["data"]: seen})
    files = {
        TREES: trees.to_onnx(),
        LEAVES: leaves_of(trees.boosters).pack(),
        HEADS: to_json(heads),
        "metrics.json": to_json(metrics),
        "card.md": card(manifest, metrics, heads, recipe).encode(),
        name: records,
    }
    return write_artefact(out, manifest, files, _golden())


def write_card(out: Path) -> Path:
    """Write the card of the model under ``out`` anew, as after a change of what it is compared with; return its folder.

    Everything else of the artefact stays as it is.
    """
    recipe = Recipe.named(MODEL)
    artefact = load_artefact(out / MODEL / recipe["version"])
    manifest = {key: value for key, value in artefact.manifest.items() if key != "files"}
    text = card(manifest, artefact.json("metrics.json"), artefact.json(HEADS), recipe)
    files = {name: content for name, content in artefact.files.items() if name != GOLDEN}
    return write_artefact(out, manifest, {**files, "card.md": text.encode()}, _golden())


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return metrics of the published folds 1 to ``k``, each by trees of the others; slopes by the others' answers."""
    examples = read_examples(recipe, root)
    folds = range(1, (k or recipe["cv"]["folds"]) + 1)
    outputs = outputs_of(recipe)
    logits = np.full((len(examples.rows), len(outputs)), np.nan)
    for fold in folds:
        held = examples.of([fold])
        trees = fit_trees(recipe, examples, examples.of([other for other in folds if other != fold]))
        logits[held] = trees.logits(examples.rows[held])
    rows = examples.of([*folds])
    said = np.empty((len(rows), len(outputs)))
    for fold in folds:
        held = np.flatnonzero(examples.folds[rows] == fold)
        others = rows[examples.folds[rows] != fold]
        slope, offset = _lines(recipe, logits[others], examples.targets[others])
        said[held] = probability(slope * logits[rows[held]] + offset)
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=recipe["data"],
        n=len(rows),
        split=f"out of fold (published folds 1 to {folds[-1]})",
        metrics=measure(_score(recipe, examples, rows, said), [str(row) for row in rows], seed=recipe["seed"]),
    )


def read_examples(recipe: Recipe, root: Path | None) -> Examples:
    """Read figures, what is stated and truth of all records that are here."""
    data = cast(PtbXl, DATASETS[recipe["data"]])
    listing = data.listing(root, fs=FS)
    truths = [item.truth() for item in listing.entries]
    figures = figure_table(root).full
    layout = Layout.of(data.statements(root))
    columns = [layout.outputs.index(output) for output in outputs_of(recipe)]
    return Examples(
        np.concatenate([figures, stated_of(truths)], axis=1),
        targets_of(truths, layout)[:, columns],
        np.array([truth.fold for truth in truths]),
        truths,
    )


def stated_of(truths: Sequence[PtbXlTruth]) -> np.ndarray:
    """Return age and sex as the trees read them, float32, shape (n_records, 2), NaN where unknown."""
    age = [OVER_89 if truth.over_89 else truth.age for truth in truths]
    sex = [{"female": 1.0, "male": 0.0}.get(truth.sex or "") for truth in truths]
    return np.array([age, sex], np.float64).T.astype(np.float32)


def outputs_of(recipe: Recipe) -> list[str]:
    """Return the names of all answers, each once."""
    return list(dict.fromkeys(output for labels in recipe["heads"].values() for output in labels.values()))


def fit_trees(recipe: Recipe, examples: Examples, rows: np.ndarray) -> Trees:
    """Fit the trees to some records, what is stated of the persons hidden in part of them."""
    hidden = np.random.default_rng(recipe["seed"]).random((len(examples.rows), 2)) < recipe["stated"]["hidden"]
    figures = examples.rows.copy()
    figures[:, -2:][hidden] = np.nan
    trees = fit(figures, examples.targets, outputs_of(recipe), rows, FEATURES, recipe["trees"])
    if len(trees.outputs) != len(outputs_of(recipe)):
        raise ValueError(f"too few positives of {set(outputs_of(recipe)) - set(trees.outputs)}")
    return trees


def calibrate(recipe: Recipe, trees: Trees, examples: Examples, rows: np.ndarray) -> dict[str, Any]:
    """Return ``heads.json``: features, outputs, heads, and slope, offset and thresholds of each output."""
    logits, targets = trees.logits(examples.rows[rows]).astype(np.float64), examples.targets[rows]
    slope, offset = _lines(recipe, logits, targets)
    said = probability(slope * logits + offset)
    labels = {}
    for at, output in enumerate(trees.outputs):
        known = targets[:, at] > UNKNOWN
        truth = targets[known, at] > 0
        rare = int(truth.sum()) < recipe["calibration"]["few"]
        thresholds = {} if rare else choose_thresholds(truth, said[known, at])
        labels[output] = {
            "slope": _short(slope[at]),
            "offset": _short(offset[at]),
            "n": int(known.sum()),
            "positives": int(truth.sum()),
            "experimental": rare,
            "thresholds": {point: _short(value) for point, value in thresholds.items()},
        }
    return {
        "features": list(FEATURES),
        "outputs": list(trees.outputs),
        "heads": {head: dict(names) for head, names in recipe["heads"].items()},
        "labels": labels,
    }


def _lines(recipe: Recipe, logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope and the offset of each label that make its log odds probabilities."""
    known = (targets > UNKNOWN).astype(np.float64)
    truth = np.where(known > 0, targets, 0.0).astype(np.float64)
    found = fit_each(logits.astype(np.float64), None, truth, known, recipe["calibration"]["pull"])
    return found.net, found.offset


def _score(recipe: Recipe, examples: Examples, rows: np.ndarray, said: np.ndarray) -> Score:
    truths = [examples.truths[row] for row in rows]
    outputs = outputs_of(recipe)
    heads = {
        head: {label: outputs.index(output) for label, output in labels.items()}
        for head, labels in recipe["heads"].items()
    }
    classes = [truth.superclasses for truth in truths]
    return score_tabular(classes, [frozenset(truth.statements) for truth in truths], said, heads)


def _metrics(
    recipe: Recipe,
    trees: Trees,
    heads: Mapping[str, Any],
    examples: Examples,
    rows: np.ndarray,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return ``metrics.json``: figures of the reported fold with intervals, and the same where nothing is stated."""
    names, seed = [str(row) for row in rows], recipe["seed"]
    fits = [heads["labels"][output] for output in trees.outputs]
    slope, offset = (np.array([fit[key] for fit in fits]) for key in ("slope", "offset"))

    def ask(figures: np.ndarray) -> np.ndarray:
        return probability(slope * trees.logits(figures).astype(np.float64) + offset)

    said = ask(examples.rows[rows])
    alone = examples.rows[rows].copy()
    alone[:, -2:] = np.nan
    found = measure(_score(recipe, examples, rows, said), names, resamples=resamples, seed=seed)
    without = measure(_score(recipe, examples, rows, ask(alone)), names, resamples=resamples, seed=seed)
    targets = examples.targets[rows]
    threshold = np.array([fit["thresholds"].get("max_f1", np.nan) for fit in fits])
    called = score_calls(targets > 0, said >= threshold, targets > UNKNOWN, trees.outputs)
    rates = measure(called, names, resamples=resamples, seed=seed)
    chosen = {name: metric for name, metric in rates.items() if np.isfinite(threshold[_at(trees, name)])}
    curves = {}
    for at, output in enumerate(trees.outputs):
        known = targets[:, at] > UNKNOWN
        if output.startswith("superclass"):
            curves[output] = reliability_points(targets[known, at] > 0, said[known, at])
    return {
        "model": MODEL,
        "version": recipe["version"],
        "data": recipe["data"],
        "split": "fold 9, which neither trees nor calibration have seen",
        "n": len(rows),
        "metrics": {name: entry(metric) for name, metric in {**found, **chosen}.items() if metric.low is not None},
        "nothing_stated": {name: entry(metric) for name, metric in without.items() if name.endswith("auc")},
        "positives": {output: int((targets[:, at] > 0).sum()) for at, output in enumerate(trees.outputs)},
        "reliability": curves,
        "importance": importance(trees),
    }


def _at(trees: Trees, metric: str) -> int:
    return trees.outputs.index(metric.rpartition(".")[0])


def importance(trees: Trees, most: int = 12) -> dict[str, dict[str, float]]:
    """Return, for each output, the figures that its trees gained most by, with their part of all that was gained."""
    found = {}
    for output, column in zip(trees.outputs, trees.columns, strict=True):
        gains = cast(dict[str, float], trees.boosters[column].get_score(importance_type="total_gain"))
        total = sum(gains.values())
        ranked = sorted(gains.items(), key=lambda item: -item[1])[:most]
        found[output] = {FEATURES[int(name[1:])]: round(gain / total, 4) for name, gain in ranked}
    return found


def _hashes(root: Path | None, folds: Sequence[int]) -> list[str]:
    """Return the hashes of the records of some folds."""
    stack = cast(PtbXl, DATASETS["ptbxl"]).stack(root, fs=FS)
    return sorted(
        {
            record_hash(Recording(signal, FS, STANDARD_12))
            for signal, truth in zip(stack.signal, stack.truths, strict=True)
            if truth.fold in folds
        }
    )


def _manifest(recipe: Recipe, heads: Mapping[str, Any], seen: Sequence[str]) -> dict[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Diagnosis of a 12-lead recording from measured figures, age and sex",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": heads["outputs"],
        "preprocessing": [],
        "software": software(),
        "inputs": {"leads": list(INPUTS), "unit": "mV", **recipe["inputs"]},
        "thresholds": {output: fit["thresholds"] for output, fit in heads["labels"].items()},
        "training_data": [data_entry(recipe["data"], len(seen))],
    }


def _golden() -> list[Recording]:
    """Return recordings of several rhythms, shapes and rates, of persons known and unknown, and one of two leads."""
    made = (
        synthesize(fs=500, seed=1).recording,
        synthesize("af", fs=250, noise="muscle", snr_db=15, seed=2).recording,
        synthesize("pvc", fs=100, seed=3).recording,
        synthesize("first_degree_block", fs=360, seed=4).recording,
        synthesize(fs=250, leads=("I", "II"), seed=5).recording,
    )
    return list(made)


def _short(value: float) -> float:
    return float(f"{float(value):.{_DIGITS}g}")
