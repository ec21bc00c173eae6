"""Waves in the scores: runs of one class, with onset, peak and end where the bells of their marks are centred."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ecg_core.delineation.scores import BIN_S, FS, Block

LEAST_S = (0.024, 0.024, 0.04)
"""A P, QRS or T wave lasts at least this long ..."""
LEAST_MASS = 0.5
"""... and is at least this likely on average over that time."""
_GAP = 3
"""Runs this few scores apart, with nothing else between, are one."""
_SEARCH = (8, 8, 12)
"""How many scores to either side of the edge of a P, QRS or T run its mark is looked for."""
_AROUND = 8
"""The mark is the centre of mass of the bell this far around its top."""
_LOWEST = math.log(0.03 / 0.97)
"""A bell lower than this (log odds of 0.03) marks nothing, and the edge of the run stands."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Waves that may be, each of shape (n,), in order of row and time."""

    row: np.ndarray
    """Number of the lead; that after the last stands for all leads together."""
    kind: np.ndarray
    """0 for P, 1 for QRS, 2 for T."""
    marks: np.ndarray
    """Onset, peak and end in seconds from the first sample, shape (n, 3)."""
    score: np.ndarray
    """Mean probability over its length."""

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: np.ndarray) -> Candidates:
        """Return some of them, by number or mask."""
        return Candidates(self.row[chosen], self.kind[chosen], self.marks[chosen], self.score[chosen])


def find_candidates(block: Block) -> Candidates:
    """Return the waves that begin and end within what was recorded and have their middle in the core of a block."""
    winner = block.classes.argmax(axis=0)
    winner[~block.recorded] = 0
    found = [_of_kind(block, winner == kind + 1, kind) for kind in range(3)]
    joined = Candidates(*(np.concatenate([getattr(part, name) for part in found]) for name in _FIELDS))
    return joined.take(np.lexsort((joined.marks[:, 1], joined.row)))


_FIELDS = ("row", "kind", "marks", "score")


def _of_kind(block: Block, mask: np.ndarray, kind: int) -> Candidates:
    n_rows, n_bins = mask.shape
    # A blank score after each row keeps runs of different rows apart.
    flat = np.zeros((n_rows, n_bins + _GAP + 1), np.int8)
    flat[:, :n_bins] = mask
    change = np.diff(flat.ravel(), prepend=np.int8(0))
    start, stop = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    width = flat.shape[1]
    if len(start) > 1:
        apart = start[1:] - stop[:-1] > _GAP
        start, stop = start[np.append(True, apart)], stop[np.append(apart, True)]
    row = start // width
    start, stop = start - row * width, stop - row * width

    mass = _sums(block.classes[kind + 1], row, start, stop)
    last = n_bins - 1
    # A wave at the edge of what was recorded is not seen whole.
    whole = block.recorded[row, np.maximum(start - 1, 0)] & block.recorded[row, np.minimum(stop, last)]
    middle = block.first + (start + stop) // 2
    keep = (
        (mass >= LEAST_S[kind] * FS * LEAST_MASS)
        & (stop - start >= LEAST_S[kind] * FS)
        & whole
        & (start > 0)
        & (stop < n_bins)
        & (middle >= block.core[0])
        & (middle < block.core[1])
    )
    row, start, stop, mass = row[keep], start[keep], stop[keep], mass[keep]
    centre, reach = (start + stop - 1) / 2, _SEARCH[kind]
    onset, peak, end = _marks(
        block.marks[3 * kind : 3 * kind + 3],
        row,
        np.stack([start - 0.5, centre, stop - 0.5]),
        np.ceil(np.stack([start - reach, start - 1, centre])).astype(np.int64),
        np.floor(np.stack([centre, stop, stop - 1 + reach])).astype(np.int64),
    )
    marks = np.stack([onset, np.clip(peak, onset, np.maximum(onset, end)), end], axis=1)
    seconds = BIN_S + (block.first + marks) / FS
    found = Candidates(row, np.full(len(row), kind), seconds, mass / np.maximum(stop - start, 1))
    return found.take(onset < end)


def _sums(values: np.ndarray, row: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the sum of each run [start, stop) in a row of ``values`` (n_rows, n), given in order; shape (n_runs,)."""
    edges = np.stack([start, stop], axis=1) + (row * values.shape[1])[:, None]
    return np.asarray(np.add.reduceat(np.append(values, np.float32(0)), edges.reshape(-1), dtype=np.float64)[::2])


def _marks(bells: np.ndarray, row: np.ndarray, edge: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the places (scores, fractional) of onset, peak and end of n waves, shape (3, n).

    Each is looked for from ``low`` to ``high``, or else lies at ``edge``, all of shape (3, n). ``bells`` holds the log
    odds of the marks, shape (3, n_rows, n_bins).
    """
    if not len(row):
        return np.empty((3, 0))
    n_bins = bells.shape[2]
    flat, begin = bells.reshape(-1), ((np.arange(3) * bells.shape[1])[:, None] + row) * n_bins
    begin, low, high = begin.reshape(-1, 1), low.reshape(-1, 1), high.reshape(-1, 1)
    at = low + np.arange(int((high - low).max()) + 1)
    # Log odds rise with the height: the highest is found among them.
    odds = flat.take(begin + at, mode="clip")
    odds[(at > high) | (at < 0) | (at >= n_bins)] = -np.inf
    best = odds.argmax(axis=1)
    top = odds[np.arange(len(best)), best]
    around = low + best[:, None] + np.arange(-_AROUND, _AROUND + 1)
    weights = 1 / (1 + np.exp(-flat.take(begin + around, mode="clip")))
    weights[(around < 0) | (around >= n_bins)] = 0.0
    place = (weights * around).sum(axis=1) / np.maximum(weights.sum(axis=1, dtype=np.float64), 1e-9)
    return np.where(top.reshape(edge.shape) >= _LOWEST, place.reshape(edge.shape), edge)
