"""How the answers of ``heart12``'s network bear what goes wrong with recordings: part of ``metrics.json``.

The network alone answers, with all leads read, its probabilities those of a record without figures for trees; records
are every n-th of those that it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import FEWER_RESAMPLES, measure
from ecg_core.evaluation.robustness import Condition, conditions
from ecg_core.evaluation.subgroups import compare_conditions
from training.heart12_heads import Answers, Layout
from training.heart12_metrics import FULL
from training.heart12_scores import IN_BRIEF, WITH_CLASSES, Table, score_brief
from training.heart12_text import entry
from training.noise import TRAINING_PART, load_noise

FS = 100.0
RECORDS = 700
LOST = "leads lost"
NOISE = f"the last {1 - TRAINING_PART:.0%} of each recording of the Noise Stress Test, which training leaves alone"

Outputs = Callable[[np.ndarray], np.ndarray]
"""Strips (n, 8, 1000) of mV at 100 Hz, float32, each lead less its median, 0 where missing -> logits (n, n_outputs)."""


def conditions_with(root: Path | None) -> tuple[Condition, ...]:
    """Return the conditions, with the part of the recorded noise that nothing was trained with."""
    return conditions(load_noise(root, FS, (TRAINING_PART, 1.0)).kinds, FS)


def measure_robustness(
    outputs: Outputs,
    tried: tuple[Condition, ...],
    layout: Layout,
    heads: Mapping[str, Any],
    signal: np.ndarray,
    targets: np.ndarray,
    *,
    records: int = RECORDS,
    resamples: int = FEWER_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return figures as they are, and under each condition beside what they lose by it.

    Parameters
    ----------
    outputs
        The network.
    tried
        The conditions.
    signal
        Strips that the network has not seen, shape (n, 8, 1000).
    targets
        As in `training.heart12_calibration.fit_heads`.
    records
        About how many of them to use.
    """
    rows = np.arange(0, len(signal), max(1, round(len(signal) / records)))
    strips, truth = np.asarray(signal[rows], np.float32), targets[rows]
    names = [str(row) for row in rows]

    def scored(changed: np.ndarray) -> Any:
        said = Answers(outputs(as_read(changed)))
        return score_brief(Table.of(layout, heads, FULL, said, truth))

    unchanged = scored(strips)
    plain = measure(unchanged, names, resamples=resamples, seed=seed)
    found: list[dict[str, Any]] = []
    for number, condition in enumerate(tried):
        changed = condition.change(strips, np.random.default_rng([seed, number]))
        score = compare_conditions(scored(changed), unchanged, WITH_CLASSES)
        table = measure(score, names, resamples=resamples, seed=seed)
        found.append(
            {
                "kind": condition.kind,
                "level": condition.level,
                "dose": condition.dose,
                "metrics": {name: entry(metric) for name, metric in table.items()},
            }
        )
    return {
        "n": len(rows),
        "records": f"one in {max(1, round(len(signal) / records))}",
        "answers": "by the network alone, all leads read",
        "noise": NOISE,
        "as recorded": {name: entry(plain[name]) for name in WITH_CLASSES},
        "conditions": _in_order(found),
    }


def _in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return conditions kind by kind; of noise the mildest first, of all else by dose."""
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    return sorted(
        found, key=lambda row: (kinds.index(row["kind"]), -row["dose"] if "dB" in row["level"] else row["dose"])
    )


def as_read(strips: np.ndarray) -> np.ndarray:
    """Return strips as the network reads them: each lead less its median, and missing leads empty as they are."""
    return np.asarray(strips - np.median(strips, axis=2, keepdims=True), np.float32)


def accuracy_with_lost(metrics: Mapping[str, Any], lost: int) -> dict[str, Any]:
    """Return what an answer without so many leads says of its own accuracy, from ``metrics.json``."""
    part = metrics["robustness"]
    (row,) = (row for row in part["conditions"] if row["kind"] == LOST and row["dose"] == lost)
    way = f"{part['records']} of these records, {lost} of 8 leads left out at random, answered {part['answers']}"
    return {
        "data": metrics["data"],
        "split": f"{metrics['split']}; {way}",
        "n": part["n"],
        "metrics": {name: row["metrics"][name] for name in IN_BRIEF},
    }
