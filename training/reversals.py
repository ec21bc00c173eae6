"""The model ``reversals``: how much a beat looks like one recorded in order.

A beat of PTB-XL is taken as recorded in order, and is shown to the network so and with exchanges of electrodes; it
learns to score highest what is in order. The score is then the logarithm of the likelihood of an arrangement, up to a
term that all share, and no label is needed but that most recordings of a hospital are in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecg_core import __version__
from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl
from ecg_core.engine import NETWORK, Network
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.reversals import score_reversals
from ecg_core.leads import INDEPENDENT_8
from ecg_core.quality.arrangements import ARRANGEMENTS, candidates
from ecg_core.quality.reversals import IN_ORDER, MODEL, scaled
from ecg_core.quality.typical_beat import LEAST_BEATS, LEAST_FS, N_TIMES
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from training.artefact import data_entry, records_file, to_json, write_artefact
from training.recipe import Recipe
from training.reversals_card import card
from training.reversals_data import PLACED, Beats, join_beats, read_beats
from training.reversals_network import train_network

_KINDS = (IN_ORDER, *(arrangement.kind for arrangement in ARRANGEMENTS))
_DIGITS = 4
_BATCH = 500


@dataclass(frozen=True, eq=False)
class _Fit:
    """A trained network and what it needs beside its weights."""

    graph: bytes
    scale: np.ndarray
    """Usual size at each time, shape (n_times,)."""
    threshold: float
    """Probability of any exchange from which there is an alarm."""


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out`` and return its folder."""
    seen = _read(recipe, root, recipe["train_splits"])
    chosen_on = _read(recipe, root, [recipe["choose_split"]])
    fitted = _fit(recipe, seen, chosen_on)
    reported = _read(recipe, root, [recipe["report_split"]])
    result = _evaluation(recipe, [_answers(recipe, fitted, reported)], [reported], f"fold {recipe['report_split']}")
    metrics = {key: result.to_dict()[key] for key in ("model", "version", "data", "split", "n", "metrics")}
    manifest = _manifest(recipe, fitted, (seen, chosen_on))
    records_name, records = records_file({recipe["data"]: [*seen.hashes, *chosen_on.hashes]})
    files = {
        NETWORK: fitted.graph,
        "metrics.json": to_json(metrics),
        "card.md": card(manifest, metrics, (seen, chosen_on, reported), recipe).encode(),
        records_name: records,
    }
    return write_artefact(out, manifest, files, _golden())


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return metrics on all splits, each when it was neither trained on nor chosen on; no artefact is made.

    The splits are dealt to ``k`` parts. For each part the threshold is chosen on the next one, and the network trained
    on the others.
    """
    splits = [*recipe["train_splits"], recipe["choose_split"], recipe["report_split"]]
    n = k or recipe["cv"]["folds"]
    parts = [_read(recipe, root, splits[at::n]) for at in range(n)]
    answers = []
    for at, part in enumerate(parts):
        following = (at + 1) % n
        seen = join_beats([parts[other] for other in range(n) if other not in (at, following)])
        answers.append(_answers(recipe, _fit(recipe, seen, parts[following]), part))
    return _evaluation(recipe, answers, parts, f"out of fold ({n} parts by patient)")


def _read(recipe: Recipe, root: Path | None, splits: Sequence[str]) -> Beats:
    return read_beats(cast(PtbXl, DATASETS[recipe["data"]]), root, splits, recipe["fs"])


def _fit(recipe: Recipe, seen: Beats, chosen_on: Beats) -> _Fit:
    """Train on some recordings and choose the threshold on others."""
    size = np.sqrt((scaled(seen.beats, np.ones(N_TIMES), np.inf) ** 2).mean(axis=(0, 1)))
    scale = np.array([float(f"{value:.{_DIGITS}g}") for value in size])
    beats = scaled(seen.beats, scale, recipe["network"]["most"]).astype(np.float32)
    fitted = _Fit(train_network(recipe, beats), scale, np.nan)
    suspicion = np.append(np.sort(1 - _probabilities(recipe, fitted, chosen_on.beats)[:, 0]), 1.0)
    first_alarm = len(suspicion) - 1 - int(recipe["false_alarms"] * len(chosen_on.beats))
    # Half way between the most suspicious that may raise no alarm and the least suspicious that may.
    return _Fit(fitted.graph, scale, float(suspicion[first_alarm - 1 : first_alarm + 1].mean()))


def _probabilities(recipe: Recipe, fitted: _Fit, beats: np.ndarray) -> np.ndarray:
    """Return what `ReversalModel.probabilities` will, shape (n, 1 + n_arrangements)."""
    network, prior = Network(fitted.graph), np.log(list(_prior(recipe).values()))
    rows = []
    for start in range(0, len(beats), _BATCH):
        shown = candidates(scaled(beats[start : start + _BATCH], fitted.scale, recipe["network"]["most"]))
        score = network(shown.reshape(-1, shown.shape[2] * shown.shape[3]))["score"]
        score = score.reshape(shown.shape[:2]).astype(np.float64) + prior
        score = np.exp(score - score.max(axis=1, keepdims=True))
        rows.append(score / score.sum(axis=1, keepdims=True))
    return np.concatenate(rows)


def _prior(recipe: Recipe) -> dict[str, float]:
    limb = [arrangement.kind for arrangement in ARRANGEMENTS if arrangement.limb]
    chest = [arrangement.kind for arrangement in ARRANGEMENTS if not arrangement.limb]
    return {
        IN_ORDER: 1 - recipe["prior_limb"] - recipe["prior_chest"],
        **dict.fromkeys(limb, recipe["prior_limb"] / len(limb)),
        **dict.fromkeys(chest, recipe["prior_chest"] / len(chest)),
    }


def _answers(recipe: Recipe, fitted: _Fit, part: Beats) -> list[dict[str, float]]:
    """Return the figures of each recording: as it is, and with every exchange, which permutes its typical beat."""
    figures: list[dict[str, float]] = [{} for _ in range(len(part.beats))]
    for number, kind in enumerate(_KINDS):
        probability = _probabilities(recipe, fitted, part.beats[:, PLACED[number]])
        alarm = 1 - probability[:, 0] >= fitted.threshold
        right = probability[:, 1:].argmax(axis=1) + 1 == number
        for row, (called, named) in zip(figures, zip(alarm.tolist(), right.tolist(), strict=True), strict=True):
            row |= {
                f"{kind}.n": 1.0,
                f"{kind}.judged": 1.0,
                f"{kind}.alarm": float(called),
                f"{kind}.named": float(called and named),
            }
    return figures


def _evaluation(
    recipe: Recipe, answers: Sequence[Sequence[dict[str, float]]], parts: Sequence[Beats], split: str
) -> Evaluation:
    rows = [row for part in answers for row in part]
    groups = [group for part in parts for group in part.groups]
    metrics = measure(score_reversals(rows), groups, seed=recipe["seed"])
    # The right leg's potential is not in the data, and no network is asked about it: the exam tells of that.
    return Evaluation(
        model=MODEL,
        version=recipe["version"],
        data=recipe["data"],
        n=len(rows),
        split=split,
        metrics={name: metric for name, metric in metrics.items() if metric.value is not None and name != "answered"},
    )


def _manifest(recipe: Recipe, fitted: _Fit, used: Sequence[Beats]) -> Mapping[str, Any]:
    return {
        "name": MODEL,
        "version": recipe["version"],
        "title": "Exchanged electrodes of a 12-lead recording",
        "task": MODEL,
        "created_by": f"training/recipes/{recipe.path.name}",
        "software": {"name": "einthoven", "version": __version__},
        "seed": recipe["seed"],
        "metrics": "metrics.json",
        "labels": list(_KINDS),
        "inputs": {
            "leads": list(INDEPENDENT_8),
            "unit": "mV",
            "least_fs": LEAST_FS,
            "least_beats": LEAST_BEATS,
            "scale": fitted.scale.tolist(),
            "most": recipe["network"]["most"],
        },
        "preprocessing": [],
        "prior": _prior(recipe),
        "thresholds": {"reversed": fitted.threshold},
        "training_data": [data_entry(recipe["data"], sum(len(part.hashes) for part in used))],
    }


def _golden() -> list[Recording]:
    """Return recordings in order and with exchanges, one of them with too few beats."""
    made = (
        synthesize(fs=250, seed=1),
        synthesize(fs=250, lead_reversal="RA-LA", seed=2),
        synthesize("af", "lvh", fs=100, lead_reversal="V1-V2", seed=3),
        synthesize(fs=500, shape="rbbb", lead_reversal="LA-LL", duration_s=5, seed=4),
        synthesize(fs=250, duration_s=1.5, seed=5),
    )
    return [item.recording for item in made]
