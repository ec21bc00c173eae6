"""The model ``beats``: a network that says where heartbeats are, and what becomes beats by `ecg_core.robust`.

A base network learns from unlabelled 12-lead records, on whose beats the leads agree, and then from what they seldom
show. It has seen no record that the detector is examined on. Tuned on the marked sets without a part of each, it
answers that part: these are the figures. Tuned on all of them, it is the model that ships.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecg_core import __version__
from ecg_core.datasets import folds
from ecg_core.engine import NETWORK, Network
from ecg_core.evaluation import Evaluation
from ecg_core.recording import Recording
from ecg_core.robust import MODEL, RobustDetector, as_log_odds
from ecg_core.robust.decoder import Rules
from ecg_core.robust.inputs import FS, LENGTH
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.beats_card import card
from training.beats_exam import EXAMINED, examine
from training.beats_examples import LABELLED, Example
from training.beats_fit import Workshop
from training.recipe import Recipe

logger = logging.getLogger(__name__)


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    workshop = Workshop(recipe, root)
    result = _cross_validate(workshop, None)
    metrics = {key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics")}
    metrics["out_of_fold"] = {data: {"metrics": _of(metrics["metrics"], data)} for data in EXAMINED}
    weights = workshop.tuned(workshop.labelled)
    graph = workshop.network(weights)
    seen = {
        data: sorted({example.hash for example in [*workshop.agreed, *workshop.labelled] if example.data == data})
        for data in (*LABELLED, *recipe["pseudo"])
    }
    manifest = _manifest(recipe, {data: len(hashes) for data, hashes in seen.items()})
    records_name, records = records_file(seen)
    return write_artefact(
        out,
        manifest,
        {
            NETWORK: graph,
            "metrics.json": to_json(metrics),
            "card.md": card(manifest, metrics, _siblings(workshop.labelled)).encode(),
            records_name: records,
        },
        _golden(),
    )


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return out-of-fold metrics of every marked set with ``k`` folds, the recipe's number for None."""
    return _cross_validate(Workshop(recipe, root), k)


def _cross_validate(workshop: Workshop, k: int | None) -> Evaluation:
    recipe = workshop.recipe
    count, repeats = k or recipe["cv"]["folds"], recipe["cv"]["repeats"]
    dealings = []
    for repeat in range(repeats):
        detectors = {}
        dealt = folds(workshop.labelled, count, seed=recipe["seed"] + repeat, stratum=lambda example: example.data)
        for number, part in enumerate(dealt):
            logger.info("dealing %d, fold %d", repeat + 1, number + 1)
            detector = _without(workshop, part)
            detectors |= {(example.data, example.name): detector for example in part}
        dealings.append(detectors)
    groups = {(example.data, example.name): example.group for example in workshop.labelled}
    metrics, n = examine(workshop.root, dealings, groups, recipe["seed"])
    times = f", repeated {repeats} times" if repeats > 1 else ""
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=" ".join(LABELLED),
        n=n,
        split=f"out of fold ({count} folds by patient, tape or record{times})",
        metrics=metrics,
    )


def _without(workshop: Workshop, left_out: Sequence[Example]) -> RobustDetector:
    """Return a detector that was tuned without some records, and without all that comes from the same source."""
    groups = {example.group for example in left_out}
    kept = [example for example in workshop.labelled if example.group not in groups]
    graph = workshop.network(workshop.tuned(kept))
    return RobustDetector(as_log_odds(Network(graph)), Rules(**workshop.recipe["decoder"]))


def _of(metrics: Mapping[str, Any], data: str) -> dict[str, Any]:
    """Return the metrics of one set by their own names."""
    return {name.removeprefix(f"{data}."): found for name, found in metrics.items() if name.startswith(f"{data}.")}


def _siblings(examples: Sequence[Example]) -> str:
    groups = [example.group for example in examples if example.data == "cpsc2019"]
    return f"{len(groups)} recordings of {len(set(groups))} hearts at most"


def _manifest(recipe: Recipe, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": recipe["title"],
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": ["beat"],
        "preprocessing": [],
        "software": {"name": "einthoven", "version": __version__},
        "inputs": {"leads": "any", "unit": "any", "fs": FS, "strip": LENGTH, "least_fs": 40.0},
        "decoder": recipe["decoder"],
        "training_data": [data_entry(data, n) for data, n in counts.items()],
    }


def _golden() -> list[Recording]:
    """Return recordings from clean to noisy, one lead and more, at several rates, one with a gap and one too long."""
    made = (
        synthesize(fs=250, leads=("II",), seed=1),
        synthesize("af", fs=500, leads=("I", "II", "V1"), noise="muscle", snr_db=6, seed=2),
        synthesize("pvc", fs=125, leads=("V5",), noise={"motion": 0, "baseline": -6}, seed=3),
        synthesize(fs=250, lead_off=("V6",), leads=("V6", "V1"), lead_off_mode="nan", seed=4),
        synthesize(fs=100, leads=("I",), duration_s=40, seed=5),
    )
    return [item.recording for item in made]
