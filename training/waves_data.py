"""What the network ``waves`` learns from: LUDB, QTDB, and synthetic ECGs with exact truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS, Entry
from ecg_core.delineation.inputs import FS
from ecg_core.evaluation.waves import AGREEING_LEADS, AGREEMENT_S
from ecg_core.preprocess import resample_array
from training.waves_targets import ALL, CLASS, KINDS, MARKS, Hole, Strip

_BESIDE_S = 0.04
"""Around a marked wave, this much is known to hold no other."""
_CLUSTER_S = 0.15
"""Waves of two leads belong together where their peaks are this close, as `ecg_core.evaluation.waves` has it."""
_NEXT = 1.5
"""A beat follows the one before where it comes within so many usual intervals."""
_T_REACH_S = 0.6
_P_REACH_S = 0.35


class Example(Protocol):
    """A recording that is learned from."""

    signal: np.ndarray
    """Millivolts at 250 Hz, float32, shape (n_leads, n_samples); NaN where not recorded."""

    def lead(self, row: int) -> Strip:
        """Return the truth of one lead."""

    def whole(self, rows: Sequence[int]) -> Strip:
        """Return the truth of the recording as these leads show it."""


@dataclass(frozen=True, eq=False)
class Known:
    """A set's records, each with its entry's name and hash."""

    entries: Sequence[Entry[Any]]
    examples: Sequence[Any]
    hashes: Sequence[str]


def read_set(data: str, root: Path | None) -> Known:
    """Read LUDB or QTDB."""
    make = {"ludb": LudbExample, "qtdb": QtdbExample}[data]
    entries = DATASETS[data].listing(root).entries
    examples, hashes = [], []
    for entry in entries:
        recording = entry.load()
        examples.append(make(resample_array(recording.signal, recording.fs, FS), entry.truth().waves, recording.fs))
        hashes.append(record_hash(recording))
    return Known(entries, examples, hashes)


class LudbExample:
    """A record of LUDB: every wave is marked, lead by lead, but for those near the edges of a lead."""

    def __init__(self, signal: np.ndarray, waves: Mapping[str, Mapping[str, np.ndarray]], fs: float) -> None:
        """Take the signal at 250 Hz, and marks by lead as sample numbers at ``fs``."""
        self.signal = signal
        self._leads = [Strip(*_whole_leads({kind: marks[kind] / fs for kind in KINDS})) for marks in waves.values()]
        self._beats = {kind: _over_leads([strip.waves[kind] for strip in self._leads]) for kind in KINDS}

    @property
    def has_p(self) -> bool:
        """Whether any lead has a P wave."""
        return any(len(strip.waves["p"]) for strip in self._leads)

    def lead(self, row: int) -> Strip:
        """Return the truth of one lead."""
        return self._leads[row]

    def whole(self, rows: Sequence[int]) -> Strip:
        """Return from the earliest onset to the latest end that three of the leads agree on; of all, where fewer."""
        rows = list(rows)
        if len(rows) == 1:
            return self._leads[rows[0]]
        spans = np.stack([self._leads[row].known[0] for row in rows])
        waves: dict[str, np.ndarray] = {}
        holes = []
        for number, kind in enumerate(KINDS):
            beats = self._beats[kind][:, rows]
            marked = ~np.isnan(beats[:, :, 1])
            for beat in beats[(marked.mean(axis=1) > 0) & (marked.mean(axis=1) < 0.5)]:
                holes.append((np.nanmin(beat) - _BESIDE_S, np.nanmax(beat) + _BESIDE_S, ALL))
            beats = beats[marked.mean(axis=1) >= 0.5]
            onset, end = _agreed(beats[:, :, 0]), -_agreed(-beats[:, :, 2])
            peak = np.nanmedian(beats[:, :, 1], axis=1) if len(beats) else np.empty(0)
            for place, found in ((0, onset), (2, end)):
                for at in np.flatnonzero(np.isnan(found)).tolist():
                    rough = float(np.nanmedian(beats[at, :, place]))
                    holes.append((rough - 0.1, rough + 0.1, (CLASS, 3 * number + place)))
            waves[kind] = np.stack([onset, peak, end], axis=1)
        return Strip(waves, np.array([[np.median(spans[:, 0]), np.median(spans[:, 1])]]), tuple(holes))


class QtdbExample:
    """A record of QTDB: some beats are marked, in sight of both leads."""

    def __init__(self, signal: np.ndarray, waves: Mapping[str, np.ndarray], fs: float) -> None:
        """Take the signal at 250 Hz, and marks as sample numbers at ``fs``."""
        self.signal = signal
        marks = {kind: np.where(waves[kind] < 0, np.nan, waves[kind] / fs) for kind in KINDS}
        marks["t"] = _joined(marks["t"])
        self._strip = _selected(marks)

    @property
    def has_p(self) -> bool:
        """Whether any beat has a P wave."""
        return len(self._strip.waves["p"]) > 0

    def lead(self, row: int) -> Strip:  # noqa: ARG002 - both leads have one truth
        """Return the truth of either lead."""
        return self._strip

    def whole(self, rows: Sequence[int]) -> Strip:  # noqa: ARG002
        """Return the truth."""
        return self._strip


def _whole_leads(waves: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the waves of a lead and the span within which all of them are marked."""
    every = np.concatenate([marks.ravel() for marks in waves.values()])
    if not len(every):
        return waves, np.empty((0, 2))
    return waves, np.array([[every.min() - _BESIDE_S, every.max() + _BESIDE_S]])


def _over_leads(leads: Sequence[np.ndarray]) -> np.ndarray:
    """Return the waves of a kind beat by beat, shape (n_beats, n_leads, 3); NaN where a lead has none."""
    rows = np.concatenate([np.column_stack([marks, np.full(len(marks), at)]) for at, marks in enumerate(leads)])
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    beat = np.cumsum(np.diff(rows[:, 1], prepend=rows[:1, 1]) > _CLUSTER_S)
    found = np.full((int(beat[-1]) + 1 if len(beat) else 0, len(leads), 3), np.nan)
    found[beat, rows[:, 3].astype(np.int64)] = rows[:, :3]
    return found


def _agreed(times: np.ndarray) -> np.ndarray:
    """Return for each beat the earliest time (n_beats, n_leads) that enough leads follow closely, NaN where none."""
    ordered = np.sort(times, axis=1)
    if times.shape[1] < AGREEING_LEADS:
        return np.asarray(ordered[:, 0])
    span = ordered[:, AGREEING_LEADS - 1 :] - ordered[:, : -(AGREEING_LEADS - 1)]
    close = span <= AGREEMENT_S + 1e-9
    first = close.argmax(axis=1)
    return np.where(close.any(axis=1), ordered[np.arange(len(ordered)), first], np.nan)


def _joined(t: np.ndarray) -> np.ndarray:
    """Return T waves with those of two peaks, which the marks give as two, as one."""
    rows: list[np.ndarray] = []
    for row in t:
        if rows and np.isnan(rows[-1][2]) and np.isnan(row[0]) and row[1] - rows[-1][1] < _T_REACH_S:
            rows[-1] = np.array([rows[-1][0], rows[-1][1], row[2]])
        else:
            rows.append(row)
    return np.array(rows).reshape(-1, 3)


def _selected(waves: Mapping[str, np.ndarray]) -> Strip:
    """Return the truth of marks that speak of some beats, and of nothing where they are silent."""
    p, qrs, t = (waves[kind] for kind in KINDS)
    qrs = qrs[~np.isnan(qrs).any(axis=1)]
    usual = float(np.median(np.diff(qrs[:, 1]))) if len(qrs) > 1 else 1.0
    spans: list[tuple[float, float]] = []
    holes: list[Hole] = []
    before: tuple[float, float] | None = None
    for onset, _, end in qrs.tolist():
        own_p = p[(p[:, 1] < onset) & (p[:, 1] > onset - _P_REACH_S) & ~np.isnan(p).any(axis=1)]
        own_t = t[(t[:, 1] > end) & (t[:, 1] < end + _T_REACH_S) & ~np.isnan(t[:, 2])]
        start = float(own_p[0, 0]) - _BESIDE_S if len(own_p) else onset
        stop = float(own_t[-1, 2]) + _BESIDE_S if len(own_t) else end
        spans.append((start, stop))
        if before and len(own_p) and onset - before[0] < _NEXT * usual:
            spans.append((before[1], start))
        before = (onset, stop) if len(own_t) else None
        if len(own_t) and np.isnan(own_t[0, 0]):
            holes.append((end, float(own_t[0, 1]), (CLASS, MARKS.index("t_on"))))
    return Strip({"p": p, "qrs": qrs, "t": t}, np.array(spans, np.float64).reshape(-1, 2), tuple(holes))
