"""What the beat network is trained on: leads at its rate, where their beats are, and where that is known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS, Item
from ecg_core.evaluation.beats import flutter_spans
from ecg_core.preprocess.resampling import resample_array
from ecg_core.recording import Recording
from ecg_core.robust.inputs import FS

logger = logging.getLogger(__name__)

LABELLED = ("cpsc2019", "mitdb", "ludb", "qtdb", "leadi")
"""Sets whose beats people marked, and which the detector is examined on."""

Span = tuple[float, float]

_LEAST_BEATS = 4
_TOGETHER_S = 0.05
_SAME = 0.7
"""Recordings are of one heart where this part of the beats of either is within `_TOGETHER_S` of the other's."""


@dataclass(frozen=True, eq=False)
class Example:
    """A recording to learn from; samples are at `FS`."""

    data: str
    name: str
    group: str
    hash: str
    signal: np.ndarray
    """Millivolts, float16 or float32, shape (n_leads, n_samples), no NaN."""
    beats: tuple[np.ndarray, ...]
    """Of each lead: where its beats are in samples, float32, increasing."""
    known: tuple[Sequence[Span], ...]
    """Of each lead: the spans, in samples, in which every beat is among them."""


def read_labelled(data: str, root: Path | None) -> list[Example]:
    """Read a set whose beats people marked."""
    found = []
    for entry in DATASETS[data].listing(root):
        recording = entry.load()
        marks = list(_MARKS[data](Item(entry.name, recording, entry.truth())))
        scale = FS / recording.fs
        signal = np.nan_to_num(resample_array(recording.signal, recording.fs, FS))
        found.append(
            Example(
                data,
                entry.name,
                entry.group,
                record_hash(recording),
                signal.astype(np.float16 if np.abs(signal).max() < 1000 else np.float32),
                tuple((beats * scale).astype(np.float32) for beats, _ in marks),
                tuple([(start * scale, stop * scale) for start, stop in spans] for _, spans in marks),
            )
        )
    logger.info("%s: %d records", data, len(found))
    return _with_siblings(found) if data == "cpsc2019" else found


def _with_siblings(examples: Sequence[Example]) -> list[Example]:
    """Return recordings of one lead with those of other leads of the same heart at the same time in one group.

    CPSC 2019 names neither patients nor sessions, but many of its recordings are leads of one: their beats coincide.
    """
    group = {example.name: example.group for example in examples}
    for at, one in enumerate(examples):
        for other in examples[:at]:
            if group[one.name] != group[other.name] and _coincide(one.beats[0], other.beats[0]):
                old, new = group[one.name], group[other.name]
                group = {name: new if found == old else found for name, found in group.items()}
    return [replace(example, group=group[example.name]) for example in examples]


def _coincide(one: np.ndarray, other: np.ndarray) -> bool:
    if min(len(one), len(other)) < _LEAST_BEATS:
        return False
    near = np.abs(one[:, None] - other) <= _TOGETHER_S * FS
    return bool(min(near.any(axis=0).mean(), near.any(axis=1).mean()) >= _SAME)


Marks = Iterator[tuple[np.ndarray, Sequence[Span]]]


def _same_in_all(recording: Recording, beats: np.ndarray, spans: Sequence[Span]) -> Marks:
    for _ in recording.leads:
        yield beats, spans


def _marks_everywhere(item: Item[Any]) -> Marks:
    whole = [(0.0, float(item.recording.n_samples))]
    return _same_in_all(item.recording, item.truth.r_peaks, whole)


def _marks_mitdb(item: Item[Any]) -> Marks:
    """Leave out flutter, in which no beats are marked."""
    recording, truth = item.recording, item.truth
    flutter = flutter_spans(truth.other_sample / recording.fs, truth.other_symbol, recording.duration_s)
    edges = np.array([0.0, *(edge for span in flutter for edge in span), recording.duration_s]) * recording.fs
    return _same_in_all(recording, truth.beat_sample, [tuple(span) for span in edges.reshape(-1, 2)])


def _marks_ludb(item: Item[Any]) -> Marks:
    """Know nothing before the first and after the last mark of a lead: the edges were not annotated."""
    recording, truth = item.recording, item.truth
    for lead in recording.leads:
        waves = truth.waves[lead]
        qrs = waves["qrs"]
        marks = np.concatenate([rows[rows >= 0].ravel() for rows in waves.values()] or [np.empty(0)])
        yield qrs[:, 1], [(float(marks.min()), float(marks.max()))] if len(qrs) else []


def _marks_qtdb(item: Item[Any]) -> Marks:
    """Know runs of marked beats only: where the next is farther than usual, beats between were not marked."""
    peaks = item.truth.waves["qrs"][:, 1]
    peaks = np.sort(peaks[peaks >= 0])
    reach = 0.15 * item.recording.fs
    spans = []
    if len(peaks) > 1:
        intervals = np.diff(peaks)
        usual = np.percentile(intervals, 25)
        for run in np.split(peaks, np.flatnonzero(intervals > 1.35 * usual) + 1):
            spans.append((float(run[0] - reach), float(run[-1] + reach)))
    return _same_in_all(item.recording, peaks, spans)


_MARKS: dict[str, Callable[[Item[Any]], Marks]] = {
    "cpsc2019": _marks_everywhere,
    "mitdb": _marks_mitdb,
    "ludb": _marks_ludb,
    "qtdb": _marks_qtdb,
    "leadi": _marks_everywhere,
}
