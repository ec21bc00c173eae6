"""The model ``rhythm``: boosted trees, trained on CinC 2017, on figures of a strip and on what a network says of it.

The network tells statements of PTB-XL from one lead and has seen no record of CinC 2017. Figures that anything is
judged by come from out-of-fold answers: the trees of a fold have not seen its records, and the calibration and the
decision applied to a fold are fitted on the other folds' out-of-fold answers. The network takes minutes, so it is kept
in the folder of checkpoints, named after its settings; after a change of the code that trains it, empty that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import load_artefact
from ecg_core.engine import NETWORK, Network
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import Score, measure
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.classification import auc, score_cinc2017, tally_cinc2017
from ecg_core.recording import Recording
from ecg_core.rhythm.model import MODEL, TREES, WEIGHTS, Calibration, RhythmModel, feature_rows
from ecg_core.rhythm.strip import NETWORK_FS
from ecg_core.rhythm.value import LABELS
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.network import checkpoints, to_onnx, use_mixed_precision
from training.noise import load_noise
from training.recipe import Recipe
from training.rhythm_card import card
from training.rhythm_checks import run_checks
from training.rhythm_data import Examples, deal, hashes_of_noise, hashes_of_statements, read_examples
from training.rhythm_fit import Shares, ask_trees, boost, fit_calibration, fit_decision, weights_for
from training.rhythm_network import fit_network, read_ptbxl
from training.trees import to_onnx_trees

_ABSTAINED = LABELS.index("~")


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    graph, statements = _network(recipe, root)
    examples = read_examples(recipe, root, Network(graph), statements)
    dealt = deal(examples, recipe["cv"]["folds"], recipe["seed"])
    answers = _out_of_fold(recipe, examples, dealt)
    result = _evaluate(recipe, examples, dealt, answers)
    calibration, decision = _fit_rest(recipe, examples.labels, answers)
    booster = boost(recipe["trees"], _rows(examples), examples.labels, recipe["seed"])
    weights = {
        "features": list(examples.features),
        "statements": statements,
        "calibration": {"slope": calibration.slope, "offset": calibration.offset.tolist()},
    }
    seen = {
        recipe["data"]: sorted(set(examples.hashes)),
        "ptbxl": hashes_of_statements(root, recipe["network"]["split"]),
        "nstdb": hashes_of_noise(root),
    }
    manifest = _manifest(recipe, examples, decision, seen)
    name, records = records_file(seen)
    files = {
        WEIGHTS: to_json(weights),
        TREES: to_onnx_trees(booster, len(LABELS)),
        NETWORK: graph,
        name: records,
    }
    scored = {key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics")}
    folder = write_artefact(checkpoints(MODEL) / "draft", manifest, files, [])
    metrics = {**scored, "checks": run_checks(recipe, root, RhythmModel(load_artefact(folder)))}
    files |= {"metrics.json": to_json(metrics), "card.md": card(manifest, metrics, weights, recipe).encode()}
    return write_artefact(out, manifest, files, _golden())


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return out-of-fold metrics with ``k`` folds, the recipe's number for None; no artefact is made."""
    graph, statements = _network(recipe, root)
    examples = read_examples(recipe, root, Network(graph), statements)
    dealt = deal(examples, k or recipe["cv"]["folds"], recipe["seed"])
    return _evaluate(recipe, examples, dealt, _out_of_fold(recipe, examples, dealt))


def _rows(examples: Examples) -> np.ndarray:
    return feature_rows(examples.figures, examples.features)


def _out_of_fold(recipe: Recipe, examples: Examples, dealt: Sequence[np.ndarray]) -> np.ndarray:
    """Return the answers of trees that have not seen the record, shape (n, 4)."""
    rows, answers = _rows(examples), np.empty((len(examples.labels), len(LABELS)))
    for tested in dealt:
        kept = np.setdiff1d(np.arange(len(rows)), tested)
        booster = boost(recipe["trees"], rows[kept], examples.labels[kept], recipe["seed"])
        answers[tested] = ask_trees(booster, rows[tested])
    return answers


def _shares(recipe: Recipe) -> list[Shares]:
    return [
        Shares(np.array([row["shares"][label] for label in LABELS]), row["weight"]) for row in recipe["populations"]
    ]


def _fit_rest(recipe: Recipe, labels: np.ndarray, answers: np.ndarray) -> tuple[Calibration, np.ndarray]:
    """Return calibration and decision fitted on out-of-fold answers."""
    shares = _shares(recipe)
    calibration = fit_calibration(answers, labels, shares[0].of_label, recipe["calibration"]["l2"])
    return calibration, fit_decision(calibration(answers), labels, shares)


def _evaluate(recipe: Recipe, examples: Examples, dealt: Sequence[np.ndarray], answers: np.ndarray) -> Evaluation:
    """Return the metrics of out-of-fold answers, on the set as it is and weighed to the shares of each population."""
    labels = examples.labels
    probability, answer = np.empty(answers.shape), np.empty(len(labels), np.int64)
    for tested in dealt:
        kept = np.setdiff1d(np.arange(len(labels)), tested)
        calibration, decision = _fit_rest(recipe, labels[kept], answers[kept])
        probability[tested] = calibration(answers[tested])
        answer[tested] = (probability[tested] * decision).argmax(axis=1)
    answer[~examples.readable] = _ABSTAINED
    groups = [entry.group for entry in examples.entries]
    score = _score(recipe, labels, probability, answer, _shares(recipe))
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=recipe["data"],
        n=len(labels),
        split=f"out of fold ({len(dealt)} folds by record)",
        metrics=measure(score, groups, seed=recipe["seed"]),
    )


def _score(
    recipe: Recipe, labels: np.ndarray, probability: np.ndarray, answer: np.ndarray, shares: list[Shares]
) -> Score:
    tallies = [tally_cinc2017(LABELS[true], LABELS[said]) for true, said in zip(labels, answer, strict=True)]
    plain = score_cinc2017(tallies)
    natural = weights_for(labels, shares[0].of_label)
    weighed = {
        row["name"]: weights_for(labels, part.of_label) for row, part in zip(recipe["populations"], shares, strict=True)
    }
    is_af = labels == LABELS.index("A")
    of_af = probability[:, LABELS.index("A")]

    def score(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        found = dict(plain(weights))
        for name, factor in weighed.items():
            found |= {f"{metric}_{name}": value for metric, value in plain(weights * factor).items()}
        slope, intercept = calibration_line(is_af, of_af, weights * natural)
        return found | {
            "auc_a": auc(is_af, of_af, weights),
            "calibration_error_a": calibration_error(is_af, of_af, weights * natural, debiased=False),
            "calibration_slope_a": slope,
            "calibration_intercept_a": intercept,
        }

    return score


def _network(recipe: Recipe, root: Path | None) -> tuple[bytes, list[str]]:
    """Return the graph of the network, which is made once, and the statements that it tells."""
    settings = recipe["network"]
    key = hashlib.sha256(json.dumps([settings, recipe["seed"]], sort_keys=True).encode()).hexdigest()[:16]
    path = checkpoints(MODEL) / f"network-{key}.onnx"
    names = path.with_suffix(".json")
    if not names.is_file():
        use_mixed_precision()
        strips, labels, codes = read_ptbxl(settings, root)
        bank = load_noise(root, NETWORK_FS)
        model = fit_network(settings, strips, labels, bank, recipe["seed"], path.with_suffix(""))
        path.write_bytes(to_onnx(model))
        names.write_bytes(to_json(codes))
    return path.read_bytes(), json.loads(names.read_bytes())


def _manifest(
    recipe: Recipe, examples: Examples, decision: np.ndarray, seen: Mapping[str, list[str]]
) -> dict[str, Any]:
    natural = recipe["populations"][0]
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Rhythm from one lead: normal, atrial fibrillation, other, or too noisy",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": list(LABELS),
        "software": {"name": "einthoven", "version": __version__},
        "inputs": {"leads": 1, "unit": "mV", **recipe["inputs"]},
        "preprocessing": [],
        "prior": {
            "trained_on": dict(
                zip(LABELS, (np.bincount(examples.labels) / len(examples.labels)).tolist(), strict=True)
            ),
            "stated": natural["shares"],
            "source": natural["source"],
        },
        "thresholds": dict(zip(LABELS, decision.tolist(), strict=True)),
        "episodes": dict(recipe["episodes"]),
        "training_data": [data_entry(data, len(hashes)) for data, hashes in seen.items()],
    }


def _golden() -> list[Recording]:
    """Return strips of several rhythms, lengths and rates, one long recording and one that is too short."""
    made = (
        synthesize(fs=250, leads=("I",), duration_s=30, seed=1),
        synthesize("af", fs=300, leads=("I",), duration_s=30, noise="muscle", snr_db=15, seed=2),
        synthesize("pvc", fs=125, leads=("II",), duration_s=10, seed=3),
        synthesize("af", fs=100, leads=("II",), duration_s=95, seed=4),
        synthesize(fs=250, leads=("I",), duration_s=20, noise="motion", snr_db=-12, seed=5),
        synthesize(fs=250, leads=("I",), duration_s=4, seed=6),
    )
    return [synthetic.recording for synthetic in made]
