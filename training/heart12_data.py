"""PTB-XL as ``heart12`` learns it: eight leads at 100 Hz, and one row of targets a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl, PtbXlTruth
from ecg_core.leads import STANDARD_12
from training.heart12_heads import AGE_MEAN, AGE_SD, VIEWS, Layout

FS = 100.0
LEADS = VIEWS["full"]
NOT_KNOWN = -9.0
"""In place of a target that is not known."""


@dataclass(frozen=True, eq=False)
class Material:
    """The set in memory."""

    signal: np.ndarray
    """Millivolts less each lead's median, float16, shape (n_records, 8, 1000)."""
    targets: np.ndarray
    """0, 1 or `NOT_KNOWN` of every label, and the standardised age; float32, shape (n_records, n_outputs - 1)."""
    folds: np.ndarray
    """Of the publisher, shape (n_records,)."""
    names: tuple[str, ...]
    truths: tuple[PtbXlTruth, ...]
    layout: Layout

    def rows(self, folds: Sequence[int]) -> np.ndarray:
        """Return which records are in these folds."""
        return np.flatnonzero(np.isin(self.folds, folds))


def read_material(root: Path | None) -> Material:
    """Read what is here of PTB-XL."""
    data = cast(PtbXl, DATASETS["ptbxl"])
    stack = data.stack(root, fs=FS)
    layout = Layout.of(data.statements(root))
    signal = stack.signal[:, [STANDARD_12.index(lead) for lead in LEADS]]
    signal = np.nan_to_num(signal - np.nanmedian(signal, axis=2, keepdims=True))
    return Material(
        signal.astype(np.float16),
        targets_of(stack.truths, layout),
        np.array([truth.fold for truth in stack.truths]),
        stack.names,
        stack.truths,
        layout,
    )


def targets_of(truths: Sequence[PtbXlTruth], layout: Layout) -> np.ndarray:
    """Return one row of targets a record; those without a diagnostic statement have unknown classes."""
    targets = np.zeros((len(truths), len(layout.outputs) - 1), np.float32)
    column = {name: at for at, name in enumerate(layout.outputs)}
    classes = [*layout.columns("subclass"), *layout.columns("superclass")]
    for row, truth in zip(targets, truths, strict=True):
        if not truth.superclasses:
            row[classes] = NOT_KNOWN
        said = (
            *(f"statements.{code}" for code in truth.statements),
            *(f"subclass.{name}" for name in truth.subclasses),
            *(f"superclass.{name}" for name in truth.superclasses),
        )
        row[[column[name] for name in said]] = 1
        row[column["sex.female"]] = {"male": 0.0, "female": 1.0}.get(truth.sex or "", NOT_KNOWN)
        row[column["age.median"]] = NOT_KNOWN if truth.age is None else (truth.age - AGE_MEAN) / AGE_SD
    return targets
