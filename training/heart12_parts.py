"""What is told of ``heart12`` beside its figures: robustness, failures, and which subgroups could not be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.evaluation.outcomes import worst_cases
from ecg_core.evaluation.statements import TELLING
from ecg_core.evaluation.subgroups import groups_of
from ecg_core.recording import Subject
from training.heart12_data import Material
from training.heart12_heads import Answers
from training.heart12_labels import Labels
from training.heart12_metrics import FULL
from training.heart12_robustness import Outputs, conditions_with, measure_robustness
from training.recipe import Recipe

_RHYTHMS = ("AFLT", "STACH", "SBRAD", "SARRH", "SVARR", "BIGU", "PACE")
TOLD = (*TELLING, *(f"statements.{label}" for label in _RHYTHMS))
"""Labels whose failures are told."""


def measure_parts(
    recipe: Recipe,
    root: Path | None,
    material: Material,
    held: np.ndarray,
    outputs: Outputs,
    heads: Mapping[str, Any],
    answers: Answers,
) -> dict[str, Any]:
    """Return the parts, for ``metrics.json``.

    Parameters
    ----------
    held
        Rows of ``material`` that are reported on, shape (n,).
    outputs
        The network.
    answers
        Those to these rows, all leads read.
    """
    targets, truths = material.targets[held], [material.truths[row] for row in held]
    of = Labels.of(material.layout, heads, FULL, answers, targets)
    people = [
        Subject(age=truth.age, sex=truth.sex, facts={"device": truth.device, "site": truth.site}) for truth in truths
    ]
    names = [material.names[row] for row in held]
    labels = worst_cases(of.outcomes([tuple(truth.statements) for truth in truths]), names, people, TOLD)
    tried = conditions_with(root)
    return {
        "subgroups_unknown": groups_of(people)[1],
        "robustness": measure_robustness(
            outputs, tried, material.layout, heads, material.signal[held], targets, seed=recipe["seed"]
        ),
        "failures": {"data": recipe["data"], "split": "fold 9", "n": len(held), "labels": labels},
    }
