"""What the model ``rhythm`` is trained on: the strips of CinC 2017 as the runtime reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS, Entry, folds
from ecg_core.engine import Network
from ecg_core.errors import DataSetError
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording
from ecg_core.rhythm.model import read_statements
from ecg_core.rhythm.strip import measure_strip, prepare
from ecg_core.rhythm.value import LABELS
from training.recipe import Recipe


@dataclass(frozen=True)
class Examples:
    """Strips: their figures and labels."""

    entries: Sequence[Entry[Any]]
    figures: Sequence[dict[str, float]]
    labels: np.ndarray
    """Numbers in `LABELS`, int64, shape (n_strips,)."""
    hashes: Sequence[str]
    readable: np.ndarray
    """Whether the runtime answers, bool, shape (n_strips,): it needs some seconds and beats."""

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all figures, in order."""
        return tuple(sorted({name for row in self.figures for name in row}))


def read_examples(recipe: Recipe, root: Path | None, network: Network, statements: Sequence[str]) -> Examples:
    """Read every record of the set, find its beats, measure it and ask the network."""
    listing = DATASETS[recipe["data"]].listing(root)
    inputs = recipe["inputs"]
    figures, labels, hashes, readable = [], [], [], []
    for entry in listing:
        recording = entry.load()
        beats = detect_beats(recording, recording.leads[0], inputs["beats"])
        strip = prepare(recording.signal[0], recording.fs)
        figures.append(measure_strip(strip, beats.times_s) | read_statements(network, statements, [strip])[0])
        labels.append(LABELS.index(entry.truth().label))
        hashes.append(record_hash(recording))
        readable.append(len(beats) >= inputs["least_beats"] and recording.duration_s >= inputs["least_duration_s"])
    if len(set(labels)) < len(LABELS):
        raise DataSetError(
            "cannot be trained on",
            file=str(listing.folder),
            found=", ".join(sorted({LABELS[label] for label in labels})) or "no records",
            expected="records of every label",
            options=LABELS,
        )
    return Examples(listing.entries, figures, np.array(labels), hashes, np.array(readable))


def deal(examples: Examples, k: int, seed: int) -> list[np.ndarray]:
    """Return the numbers of the records of each of ``k`` folds, as even in labels as can be."""
    place = {entry.name: at for at, entry in enumerate(examples.entries)}
    dealt = folds(examples.entries, k, seed=seed, stratum=lambda entry: entry.truth().label)
    return [np.array([place[entry.name] for entry in part]) for part in dealt]


def hashes_of_statements(root: Path | None, split: str) -> list[str]:
    """Return the hashes of the records of PTB-XL that the network is trained on."""
    stack = DATASETS["ptbxl"].stack(root, split, fs=100.0)
    return sorted({record_hash(Recording(signal, stack.fs, STANDARD_12)) for signal in stack.signal})


def hashes_of_noise(root: Path | None) -> list[str]:
    """Return the hashes of the noise recordings."""
    return [record_hash(entry.load()) for entry in DATASETS["nstdb"].listing(root)]
