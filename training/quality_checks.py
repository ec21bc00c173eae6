"""What the model ``quality`` says of records that nobody judged, but whose quality is hardly in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.datasets import DATASETS
from ecg_core.errors import DataSetError
from ecg_core.evaluation import Metric
from ecg_core.recording import Recording
from ecg_core.synthesis import RHYTHMS, synthesize
from training.recipe import Recipe

SYNTHETIC = 60
_POOR: tuple[dict[str, Any], ...] = (
    {"noise": {"motion": -15, "baseline": -15}},
    {"noise": {"motion": -10, "muscle": -10}},
    {"lead_off": ("I", "II", "III", "aVR", "aVL", "aVF"), "lead_off_mode": "flat"},
    {"lead_off": ("V1", "V2", "V3", "V4"), "lead_off_mode": "rail"},
)
"""Recordings that nobody would read."""

Model = Callable[[Recording], float]


def run_checks(recipe: Recipe, root: Path | None, model: Model) -> dict[str, Any]:
    """Return, for each set, how many records there are and which share the model calls unacceptable."""
    found: dict[str, Any] = {}
    for data, every in recipe["checks"].items():
        try:
            entries = DATASETS[data].listing(root).entries[::every]
        except DataSetError:
            found[data] = {"n": 0, "called_unacceptable": None}
            continue
        found[data] = _share(recipe, (model(entry.load()) for entry in entries))
    rhythms = sorted(RHYTHMS)
    clean = (synthesize(rhythms[seed % len(rhythms)], seed=seed) for seed in range(SYNTHETIC))
    poor = (synthesize(seed=seed, **_POOR[seed % len(_POOR)]) for seed in range(SYNTHETIC))
    found["synthetic clean"] = _share(recipe, (model(made.recording) for made in clean))
    found["synthetic poor"] = _share(recipe, (model(made.recording) for made in poor))
    return found


def _share(recipe: Recipe, probabilities: Iterable[float]) -> dict[str, Any]:
    """Return the share with its exact interval: resampling says nothing about a share of none or all."""
    from scipy.stats import binomtest

    called = np.array(list(probabilities)) >= recipe["threshold"]
    test = binomtest(int(called.sum()), len(called))
    interval = test.proportion_ci(method="exact")
    share = Metric(float(test.statistic), float(interval.low), float(interval.high))
    return {"n": len(called), "called_unacceptable": share.to_dict()}
