"""The model ``waves``: P, QRS and T of every lead, learned from LUDB and QTDB and from synthetic ECGs.

Cross-validation leaves out a part of both sets at a time, and answers it with the network that learned from the rest.
The beats that waves are assigned to come from the classical detector, which has learned from neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecg_core import __version__
from ecg_core.beats import detect_beats
from ecg_core.delineation.delineate import MIN_FS, MODEL, delineate_with
from ecg_core.engine import NETWORK, Network
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.exams.waves import tally
from ecg_core.evaluation.waves import score_ludb, score_qtdb
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.recipe import Recipe
from training.waves_card import card
from training.waves_checks import run_checks
from training.waves_fit import Material, fitted, read_material

BEATS = "fast"
_SCORES = {"ludb": score_ludb, "qtdb": score_qtdb}


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    material = read_material(recipe, root)
    results = _cross_validate(material, recipe["cv"]["folds"])
    graph = fitted(material, {})
    first, *others = (
        {key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics")}
        for result in results.values()
    )
    metrics = {**first, "others": others, "checks": run_checks(Network(graph))}
    manifest = _manifest(recipe, material)
    records_name, records = records_file({name: known.hashes for name, known in material.sets.items()})
    return write_artefact(
        out,
        manifest,
        {
            NETWORK: graph,
            "metrics.json": to_json(metrics),
            "card.md": card(manifest, metrics).encode(),
            records_name: records,
        },
        _golden(),
    )


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return out-of-fold metrics on the first of the recipe's sets with ``k`` folds, the recipe's number for None."""
    material = read_material(recipe, root)
    return _cross_validate(material, k or recipe["cv"]["folds"])[recipe["sets"][0]]


def _cross_validate(material: Material, k: int) -> dict[str, Evaluation]:
    recipe = material.recipe
    answers: dict[str, dict[str, Mapping[str, float]]] = {name: {} for name in material.sets}
    for part in material.dealt(k):
        network = Network(fitted(material, part))
        for name, entries in part.items():
            for entry in entries:
                recording = entry.load()
                waves = delineate_with(network, recording, detect_beats(recording, method=BEATS).times_s)
                answers[name][entry.name] = tally(entry.truth(), recording, waves)
    found = {}
    for name, known in material.sets.items():
        of_set = [answers[name][entry.name] for entry in known.entries]
        groups = [entry.group for entry in known.entries]
        found[name] = Evaluation(
            model=MODEL,
            version=recipe["version"],
            data=name,
            n=len(of_set),
            split=f"out of fold ({k} folds by record)",
            metrics=measure(_SCORES[name](of_set), groups, seed=recipe["seed"]),
        )
    return found


def _manifest(recipe: Recipe, material: Material) -> Mapping[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Onset, peak and end of P, QRS and T in every lead",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "software": {"name": "einthoven", "version": __version__},
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": ["p", "qrs", "t"],
        "preprocessing": [],
        "inputs": {"leads": "any, one or more", "unit": "mV", "least_fs": MIN_FS},
        "training_data": [data_entry(name, len(known.hashes)) for name, known in material.sets.items()],
    }


def _golden() -> Sequence[Any]:
    """Return recordings of several leads, rates and lengths, one with a gap."""
    eight = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    made = (
        synthesize(fs=250, duration_s=4, leads=eight, seed=1),
        synthesize("af", "lbbb", fs=500, duration_s=3, leads=("II", "V1"), noise="muscle", snr_db=15, seed=2),
        synthesize("block_2_to_1", fs=125, duration_s=12, leads=("I",), seed=3),
        synthesize("paced", fs=250, duration_s=4, leads=("I", "II", "V5"), lead_off=("V5",), seed=4),
    )
    return [item.recording for item in made]
