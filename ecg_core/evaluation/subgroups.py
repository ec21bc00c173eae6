"""How good a model is in a part of the records, and how that differs from the rest or from another condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ecg_core.evaluation.bootstrap import FEWER_RESAMPLES, Score, measure
from ecg_core.recording import Subject

MakeScore = Callable[[np.ndarray], Score]
"""Rows of the records -> the scorer of these records alone."""

DIFFERENCE = "difference"
AGE_EDGES = (40.0, 60.0, 75.0)
LEAST = 20
"""Records under which a subgroup is not measured."""
MOST_LEVELS = 12
"""Devices or sites of most records that are looked at."""
OVER_89 = "over 89"
_OF_FACTS = ("device", "site")
_UNKNOWN = "not named in the copy of the data at hand"


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


def by_name(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the members of each name but the empty one, bool, shape (n,), of the `MOST_LEVELS` that occur most."""
    every = np.array(names, dtype=object).astype(str)
    levels, counts = np.unique(every[every != ""], return_counts=True)
    ranked = levels[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]
    return {str(level): every == level for level in ranked}


def groups_of(people: Sequence[Subject]) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, str]]:
    """Return kind to level to members, bool, shape (n_people,); and the kinds that nothing is known of, with why."""
    age = np.array([90.0 if of.facts.get("age") == OVER_89 else np.nan if of.age is None else of.age for of in people])
    groups = {
        "sex": {sex: np.array([of.sex == sex for of in people]) for sex in ("female", "male")},
        "age": dict(age_bands(age, AGE_EDGES)),
    }
    for kind in _OF_FACTS:
        groups[kind] = by_name([str(of.facts.get(kind) or "") for of in people])
    known = {
        kind: {level: member for level, member in levels.items() if member.any()} for kind, levels in groups.items()
    }
    return {kind: levels for kind, levels in known.items() if levels}, {
        kind: _UNKNOWN for kind, levels in known.items() if not levels
    }


def measure_subgroups(
    make: MakeScore,
    groups: Mapping[str, Mapping[str, np.ndarray]],
    names: Sequence[str],
    drawn: Sequence[str],
    *,
    least: int = LEAST,
    resamples: int = FEWER_RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Return figures of each subgroup and what they differ by from all other records, with intervals, JSON-ready.

    Parameters
    ----------
    make, names
        As for `compare_with_rest`.
    groups
        Kind to level to members, bool, shape (n_records,).
    drawn
        Group of each record that resamples draw whole (patients, tapes).
    least
        Records that must be in a subgroup, and outside it.
    """
    found: dict[str, Any] = {}
    for kind, levels in groups.items():
        for level, member in ((level, member) for level, member in levels.items() if member.any()):
            row: dict[str, Any] = {"n": int(member.sum())}
            if least <= row["n"] <= len(member) - least:
                table = measure(compare_with_rest(make, member, names), drawn, resamples=resamples, seed=seed)
                row["metrics"] = {name: m.rounded().to_dict() for name, m in table.items() if m.value is not None}
            else:
                row["reason"] = f"measured where {least} records or more are in it, and outside it"
            found.setdefault(kind, {})[level] = row
    return found


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
