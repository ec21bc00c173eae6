"""What the beat classes are learnt from: features of the beats of every record, seen in several ways.

They are kept between runs (`checkpoints`), under a name that says what they depend on: record, recipe and code.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.beat_classes import CLASSES, families, features, inputs, shapes, timing
from ecg_core.beat_classes.features import beat_features, feature_matrix, feature_names
from ecg_core.beat_classes.inputs import choose_leads, spikes_before
from ecg_core.beats import Beats, detect_beats
from ecg_core.datasets import DATASETS, Entry
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.evaluation.beat_classes import aami_class
from ecg_core.evaluation.beats import flutter_spans, pair_beats
from ecg_core.pacing import find_pacing
from ecg_core.preprocess import bandpass, resample
from ecg_core.recording import Recording
from training import beat_classes_rhythms
from training.beat_classes_rhythms import COMPOSERS, play, take_apart
from training.network import checkpoints
from training.recipe import Recipe

NAME = "beat_classes"
BAND_HZ = (0.5, 40.0)
TOLERANCE_S = 0.150
NO_CLASS = len(CLASSES)
"""Label of what is no beat."""
FOUND = "found"
"""The view at the beats that a detector finds."""
_CODE = (inputs, families, features, shapes, timing, beat_classes_rhythms)


@dataclass(frozen=True)
class Rows:
    """Beats of one record, seen in one way."""

    features: np.ndarray
    """Float32, shape (n_beats, n_features)."""
    label: np.ndarray
    """Number of the class, or `NO_CLASS`, shape (n_beats,)."""
    missed: np.ndarray
    """Number of the class of each beat that is not among the rows, shape (n_missed,)."""


@dataclass(frozen=True)
class Example:
    """One record."""

    entry: Entry[MitdbTruth]
    hash: str
    views: Mapping[str, Rows]
    """What was recorded, by view: all beats."""
    composed: Rows
    """Beats of other rhythms, as many as are learnt from."""


def prepare(recording: Recording) -> Recording:
    """Return a recording as the features want it: the steps that the manifest states."""
    return resample(bandpass(recording, *BAND_HZ), families.FS)


def read_examples(recipe: Recipe, root: Path | None) -> list[Example]:
    """Return the records that the recipe names."""
    data = DATASETS[recipe["data"]]
    entries = data.listing(root).entries
    wanted = {entry.name for split in recipe["splits"] for entry in data.choose(entries, split)}
    return [_example(recipe, entry) for entry in entries if entry.name in wanted]


def stated(recipe: Recipe) -> str:
    """Return all that the examples depend on but the records, in words."""
    parts = [inspect.getsource(module) for module in (*_CODE, inspect.getmodule(stated)) if module]
    views = {view: how.get("seconds") for view, how in recipe["examples"]["recorded"].items()}
    return json.dumps([*parts, views, recipe["examples"]["composed"], recipe["detector"], recipe["seed"]])


def learnt_from(recipe: Recipe, example: Example) -> tuple[np.ndarray, np.ndarray]:
    """Return features and labels of the beats of a record that are learnt from."""
    parts = []
    for number, (view, share) in enumerate(recipe["examples"]["recorded"].items()):
        rng = np.random.default_rng([recipe["seed"], number, *example.entry.name.encode()])
        parts.append(_thinned(example.views[view], share, rng))
    parts.append(example.composed)
    return np.concatenate([part.features for part in parts]), np.concatenate([part.label for part in parts])


def _example(recipe: Recipe, entry: Entry[MitdbTruth]) -> Example:
    recording = entry.load()
    name = record_hash(recording)
    key = hashlib.sha256(f"{stated(recipe)} {name}".encode()).hexdigest()[:32]
    path = checkpoints(NAME) / f"{key}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            arrays = dict(kept)
    else:
        rows = {**_views(recipe, recording, entry.truth()), "composed": _composed(recipe, entry, recording)}
        arrays = {f"{view}.{part}": getattr(row, part) for view, row in rows.items() for part in Rows.__annotations__}
        part_file = path.with_suffix(".part.npz")
        np.savez(part_file, **arrays)
        part_file.replace(path)
    views: dict[str, dict[str, np.ndarray]] = {}
    for column, array in arrays.items():
        view, part = column.split(".")
        views.setdefault(view, {})[part] = array
    read = {view: Rows(**parts) for view, parts in views.items()}
    return Example(entry, name, {view: rows for view, rows in read.items() if view != "composed"}, read["composed"])


def _views(recipe: Recipe, recording: Recording, truth: MitdbTruth) -> dict[str, Rows]:
    times_s = truth.beat_sample / recording.fs
    label = np.array([CLASSES.index(aami_class(symbol)) for symbol in truth.beat_symbol])
    reference = Beats(times_s, np.zeros(len(times_s)), "reference", ())
    leads = choose_leads(recording, reference)
    signal = prepare(recording.select(leads)).signal
    spike = spikes_before(times_s, find_pacing(recording, reference))
    chosen = {"two": [0, 1], "first": [0], "second": [1]}
    found = {}
    for view, how in recipe["examples"]["recorded"].items():
        lead = view.split("_")[1]
        rows = [chosen[lead]] if lead in chosen else [[0], [1]]
        found[view] = _rows(signal, times_s, label, spike, rows, how.get("seconds"))
    found[FOUND] = _at_found_beats(recipe, recording, truth, label)
    return found


def _at_found_beats(recipe: Recipe, recording: Recording, truth: MitdbTruth, label: np.ndarray) -> Rows:
    beats = detect_beats(recording, method=recipe["detector"])
    flutter = flutter_spans(truth.other_sample / recording.fs, truth.other_symbol, recording.duration_s)
    pairing = pair_beats(truth.beat_sample / recording.fs, beats.times_s, TOLERANCE_S, left_out=flutter)
    signal = prepare(recording.select(choose_leads(recording, beats))).signal
    spike = spikes_before(beats.times_s, find_pacing(recording, beats))
    values = feature_matrix(beat_features(signal, beats.times_s, beats.stretch, spike), feature_names())
    told = np.full(len(beats), -1)
    told[pairing.found], told[pairing.extra] = label[pairing.reference], NO_CLASS
    return Rows(values[told >= 0], told[told >= 0], label[pairing.missed])


def _composed(recipe: Recipe, entry: Entry[MitdbTruth], recording: Recording) -> Rows:
    settings = recipe["examples"]["composed"]
    parts: list[Rows] = []
    if entry.name not in settings["not_of"]:
        truth = entry.truth()
        leads = choose_leads(recording, Beats(truth.beat_sample / recording.fs, truth.beat_sample * 0, "", ()))
        signal = prepare(recording.select(leads)).signal
        sample = np.rint(truth.beat_sample / recording.fs * families.FS).astype(np.int64)
        pieces = take_apart(signal, sample, np.array([aami_class(symbol) for symbol in truth.beat_symbol]))
        for number, rhythm in enumerate(settings["rhythms"]):
            rng = np.random.default_rng([recipe["seed"], number, *entry.name.encode()])
            score = COMPOSERS[rhythm](pieces, signal.shape[1], rng)
            played = play(pieces, score, int(score.at[-1]) + 300, rng)
            times_s = np.array(score.at).astype(np.int64) / families.FS
            label = np.array([CLASSES.index(name) for name in score.label])
            rows = [[0, 1], [0], [0, 1], [1]][int(rng.integers(4))]
            for how, leads_of in ((settings["whole"], [rows]), (settings["ten"], [[0, 1], [0], [1]])):
                seen = _rows(played, times_s, label, np.zeros(len(label)), leads_of, how.get("seconds"))
                parts.append(_thinned(seen, how, rng))
    if not parts:
        return Rows(np.empty((0, len(feature_names())), np.float32), np.empty(0, np.int64), np.empty(0, np.int64))
    return Rows(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.label for part in parts]),
        np.empty(0, np.int64),
    )


def _rows(
    signal: np.ndarray,
    times_s: np.ndarray,
    label: np.ndarray,
    spike: np.ndarray,
    leads: Sequence[Sequence[int]],
    seconds: float | None,
) -> Rows:
    """Return the rows of all beats, in excerpts of ``seconds`` (None: the whole), with ``leads`` in turn."""
    names = feature_names()
    values, labels, missed = [], [], [np.empty(0, np.int64)]
    for number, (start, stop) in enumerate(_excerpts(signal.shape[1], seconds)):
        own = (times_s >= start / families.FS) & (times_s < stop / families.FS)
        if own.sum() < 3:
            missed.append(label[own])
            continue
        part = signal[list(leads[number % len(leads)]), start:stop]
        found = beat_features(part, times_s[own] - start / families.FS, np.zeros(int(own.sum())), spike[own])
        values.append(feature_matrix(found, names))
        labels.append(label[own])
    return Rows(np.concatenate(values), np.concatenate(labels), np.concatenate(missed))


def _excerpts(n_samples: int, seconds: float | None) -> Iterator[tuple[int, int]]:
    length = n_samples if seconds is None else round(seconds * families.FS)
    for start in range(0, n_samples - length + 1, length):
        yield start, start + length


def _thinned(rows: Rows, share: Mapping[str, Any], rng: np.random.Generator) -> Rows:
    chance = np.array([share.get(name.lower(), share["other"]) for name in CLASSES])
    kept = rng.random(len(rows.label)) < chance[rows.label]
    return Rows(rows.features[kept], rows.label[kept], rows.missed)
