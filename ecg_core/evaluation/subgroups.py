"""How good a model is in a part of the records, and how that differs from the rest or from another condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ecg_core.evaluation.bootstrap import Score

MakeScore = Callable[[np.ndarray], Score]
"""Rows of the records -> the scorer of these records alone."""

DIFFERENCE = "difference"


def compare_with_rest(make: MakeScore, member: np.ndarray, names: Sequence[str]) -> Score:
    """Return ``NAME`` among the members and ``NAME.difference``: what it is more than among all others.

    Parameters
    ----------
    make
        Makes the scorer of some records.
    member
        Bool, shape (n_records,).
    names
        Metrics to take of the scorer.
    """
    member = np.asarray(member, bool)
    inside, outside = (np.flatnonzero(rows) for rows in (member, ~member))
    of_members, of_rest = make(inside), make(outside) if len(outside) else None

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        here = of_members(weights[:, inside])
        there = of_rest(weights[:, outside]) if of_rest else {}
        return _differences(here, there, names, len(weights))

    return score


def compare_conditions(changed: Score, unchanged: Score, names: Sequence[str]) -> Score:
    """Return ``NAME`` and ``NAME.difference`` of the same records under two conditions, resampled together."""

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        return _differences(changed(weights), unchanged(weights), names, len(weights))

    return score


def age_bands(age: np.ndarray, edges: Sequence[float]) -> Mapping[str, np.ndarray]:
    """Return which ages lie in each band: ``"under 40"``, ``"40 to 59"``, ``"60 and over"``.

    Ages are in years, shape (n,), NaN where unknown; bands begin at whole ``edges``.
    """
    bands = {f"under {edges[0]:g}": age < edges[0]}
    for low, high in zip(edges, [*edges[1:], np.inf], strict=True):
        name = f"{low:g} to {high - 1:g}" if np.isfinite(high) else f"{low:g} and over"
        bands[name] = (age >= low) & (age < high)
    return bands


def _differences(
    here: Mapping[str, np.ndarray], there: Mapping[str, np.ndarray], names: Sequence[str], n: int
) -> dict[str, np.ndarray]:
    nothing = np.full(n, np.nan)
    found = {}
    for name in names:
        value = here.get(name, nothing)
        found[name] = value
        found[f"{name}.{DIFFERENCE}"] = value - there.get(name, nothing)
    return found
