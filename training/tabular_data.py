"""PTB-XL as trees learn it: the figures of every record, of all leads and of single ones.

Measuring all records takes about an hour on one core, so it is kept, some records at a time, in the folder of
checkpoints, named after the figures and the models that found beats and waves. After a change of the code that
measures, empty that folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.beat_classes import classify_beats
from ecg_core.beat_classes.value import CLASSES
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl
from ecg_core.delineation import delineate_waves
from ecg_core.leads import STANDARD_12
from ecg_core.pacing import find_pacing
from ecg_core.predictors.figures import FULL, ONE, Source, read_figures, row_of
from ecg_core.predictors.figures_beats import measure_beats
from ecg_core.recording import Recording
from ecg_core.waves import WaveTable
from training.artefact import CARD, METRICS
from training.network import checkpoints

logger = logging.getLogger(__name__)

FS = 100.0
SINGLE = ("I", "II")
"""Leads that are measured by themselves."""
FIRST_JUDGED = 8
"""From this fold on, records choose or judge trees instead of making them."""
SHARD = 200
_MODELS = ("beats", "waves", "beat_classes")


@dataclass(frozen=True, eq=False)
class FigureTable:
    """Figures of records, float32, NaN where there is none."""

    names: tuple[str, ...]
    """Of the records."""
    full: np.ndarray
    """Of all leads, shape (n_records, len(FULL))."""
    one: Mapping[str, np.ndarray]
    """Of each of `SINGLE`, shape (n_records, len(ONE))."""


def measure_record(recording: Recording, *, judged: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the figures of a 12-lead recording as `FULL`, and of each of `SINGLE` as `ONE`.

    All leads are read, whatever their quality. Lead I is measured as if nothing else had been recorded. So is II of a
    record that trees are ``judged`` by; of one that they only learn from, its beats are those that all leads show and
    its waves those marked in it, which is quicker and nearly the same.
    """
    beats = detect_beats(recording)
    waves = delineate_waves(recording, beats)
    classes = classify_beats(recording, beats, find_pacing(recording, beats)).probabilities
    source = Source(recording, beats.times_s, beats.stretch, waves.global_.marks, classes)
    figures = read_figures(source)
    one = {}
    for lead in SINGLE:
        if judged or lead == SINGLE[0]:
            own = _measure_alone(recording.select((lead,)))
        else:
            marks = waves.per_lead[lead]
            own = {**figures, **measure_beats(source.beats_s, source.stretch, WaveTable(marks).marks)}
        one[lead] = row_of(own, ONE, lead)
    return row_of(figures, FULL), one


def _measure_alone(recording: Recording) -> dict[str, float]:
    beats = detect_beats(recording)
    marks = delineate_waves(recording, beats).global_.marks
    return read_figures(Source(recording, beats.times_s, beats.stretch, marks, np.empty((0, len(CLASSES)))))


def figure_table(root: Path | None) -> FigureTable:
    """Return the figures of all records of PTB-XL that are here, measuring those that were not measured before."""
    data = cast(PtbXl, DATASETS["ptbxl"])
    names = tuple(entry.name for entry in data.listing(root, fs=FS).entries)
    folder = checkpoints("figures") / key_of(names)
    folder.mkdir(exist_ok=True)
    paths = {first: folder / f"{first:05d}.npz" for first in range(0, len(names), SHARD)}
    missing = [first for first, path in paths.items() if not path.is_file()]
    stack = data.stack(root, fs=FS) if missing else None
    for first in missing if stack is not None else ():
        logger.info("measuring records %d and following of %d", first, len(names))
        some = slice(first, first + SHARD)
        rows = [
            measure_record(Recording(signal, FS, STANDARD_12), judged=truth.fold >= FIRST_JUDGED)
            for signal, truth in zip(stack.signal[some], stack.truths[some], strict=True)
        ]
        one = {lead: np.stack([found[lead] for _, found in rows]) for lead in SINGLE}
        keep(paths[first], np.stack([row for row, _ in rows]), one)
    parts = []
    for path in paths.values():
        with np.load(path) as found:
            parts.append({name: found[name] for name in found.files})
    return FigureTable(
        names,
        np.concatenate([part["full"] for part in parts]),
        {lead: np.concatenate([part[lead] for part in parts]) for lead in SINGLE},
    )


def keep(path: Path, full: np.ndarray, one: Mapping[str, np.ndarray]) -> None:
    """Write the figures of some records, the whole file or none."""
    part = path.with_suffix(".part.npz")
    np.savez(part, full=full, **one)
    part.replace(path)


def key_of(names: tuple[str, ...]) -> str:
    """Return what the folder with the figures of these records is called."""
    # What is said of a model changes none of its answers.
    sums = {name: load_model(name).manifest["files"] for name in _MODELS}
    models = {name: {file: of[file] for file in of if file not in (METRICS, CARD)} for name, of in sums.items()}
    return hashlib.sha256(json.dumps([FULL, ONE, models, names]).encode()).hexdigest()[:16]
