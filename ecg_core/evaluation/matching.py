"""Which found mark belongs to which reference mark."""

from __future__ import annotations

import numpy as np

_HAIR_S = 1e-9
"""Tolerances are inclusive: sample times in floating point may miss them by a rounding error."""


def match_times(reference: np.ndarray, found: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Pair reference and found marks one to one, in time order, no farther apart than the tolerance.

    Of all such pairings, one with the most pairs and, among those, the least total distance. EC57's pairing (bxb) is
    the same but for trains of marks closer together than twice the tolerance, where bxb, which looks one mark ahead,
    may pair fewer.

    Parameters
    ----------
    reference, found
        Seconds, increasing, shapes (n_reference,) and (n_found,).
    tolerance
        Seconds, inclusive.

    Returns
    -------
    Indices of the paired marks into ``reference`` and into ``found``, increasing, shape (n_pairs,) each.
    """
    first = np.searchsorted(found, reference - (tolerance + _HAIR_S), side="left")
    stop = np.searchsorted(found, reference + (tolerance + _HAIR_S), side="right")
    candidates = stop - first
    # Pairs of a reference and a found mark with no other candidate on either side need no thought: most beats.
    size = len(found) + 1
    rivals = np.cumsum(np.bincount(first, minlength=size) - np.bincount(stop, minlength=size))
    simple = (candidates == 1) & (rivals[first] == 1)
    pairs = [np.column_stack((np.flatnonzero(simple), first[simple]))]
    hard = np.flatnonzero((candidates > 0) & ~simple)
    if len(hard):
        # A run ends where the next reference mark has no candidate in common with those before it.
        cuts = np.flatnonzero(first[hard][1:] >= np.maximum.accumulate(stop[hard])[:-1]) + 1
        pairs += [_match_run(reference, found, run, first, stop) for run in np.split(hard, cuts)]
    both = np.concatenate(pairs)
    both = both[np.argsort(both[:, 0], kind="stable")]
    return both[:, 0], both[:, 1]


def _match_run(
    reference: np.ndarray, found: np.ndarray, run: np.ndarray, first: np.ndarray, stop: np.ndarray
) -> np.ndarray:
    """Pair the reference marks ``run`` by dynamic programming; shape (n_pairs, 2).

    ``rows[i][k]`` is the best (pairs, minus distance) of the first i + 1 reference marks with found marks before
    ``first[run[i]] + k``. Both ends of the windows increase, so the row before holds all that a row asks for.
    """
    base, previous = int(first[run[0]]), [(0, 0.0)]
    rows = []
    for at in run.tolist():
        low = int(first[at])
        row = [_of(previous, low - base)]
        for column in range(low, int(stop[at])):
            pairs, score = _of(previous, column - base)
            paired = (pairs + 1, score - abs(float(found[column] - reference[at])))
            row.append(max(row[-1], _of(previous, column + 1 - base), paired))
        rows.append(row)
        base, previous = low, row
    pairs_found = []
    column = int(stop[run[-1]])
    for i in range(len(run) - 1, -1, -1):
        at = int(run[i])
        low = int(first[at])
        before, before_low = (rows[i - 1], int(first[run[i - 1]])) if i else ([(0, 0.0)], low)
        column = min(column, int(stop[at]))
        while column > low:
            best = rows[i][column - low]
            if best == _of(before, column - before_low):
                break
            column -= 1
            if best != rows[i][column - low]:
                pairs_found.append((at, column))
                break
    return np.array(pairs_found[::-1], np.int64).reshape(-1, 2)


def _of(row: list[tuple[int, float]], k: int) -> tuple[int, float]:
    """Return an entry of a row, which stays at its last value beyond its window."""
    return row[min(k, len(row) - 1)]
