"""Shapley values of a game, by random orders of its players.

The players join one after the other, and each is given what the value of the game changes by when it joins; over all
orders the mean of that is its Shapley value. Orders are drawn at random, each together with its reverse, whose errors
mostly have the other sign. In each order all that is given sums to the value of all players less that of none.

Castro, Gomez and Tejada, "Polynomial calculation of the Shapley value based on sampling", 2009; the reversed orders are
those of Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_LEAST_PAIRS = 2


@dataclass(frozen=True, eq=False)
class Shapley:
    """What each player adds."""

    values: np.ndarray
    """Shape (n_players,); they sum to ``whole - empty``."""
    errors: np.ndarray
    """Standard errors of the values, shape (n_players,)."""
    whole: float
    """The value of all players together."""
    empty: float
    """The value of none."""
    evaluations: int
    """How many coalitions were looked at."""


def shapley_values(game: Callable[[np.ndarray], np.ndarray], n_players: int, *, budget: int, seed: int = 0) -> Shapley:
    """Estimate the Shapley values of a game.

    Parameters
    ----------
    game
        Coalitions, bool, shape (n, n_players), to their values, shape (n,).
    n_players
        One or more.
    budget
        Coalitions to look at, about: at least two orders and their reverses are drawn.
    seed
        Of the orders, which are always the same.
    """
    steps = n_players - 1
    pairs = max(_LEAST_PAIRS, budget // max(2 * steps, 1)) if steps else _LEAST_PAIRS
    rng = np.random.default_rng(seed)
    orders = np.stack([order for _ in range(pairs) for order in _both(rng.permutation(n_players))])
    coalitions = np.zeros((len(orders), steps, n_players), bool)
    for order, joined in zip(orders, coalitions, strict=True):
        joined[:, order] = np.tri(steps, n_players, dtype=bool)
    ends = np.stack([np.zeros(n_players, bool), np.ones(n_players, bool)])
    found = np.asarray(game(np.concatenate([ends, coalitions.reshape(-1, n_players)])), np.float64)
    empty, whole = float(found[0]), float(found[1])
    along = np.concatenate(
        [np.full((len(orders), 1), empty), found[2:].reshape(len(orders), steps), np.full((len(orders), 1), whole)], 1
    )
    added = np.zeros((len(orders), n_players))
    np.put_along_axis(added, orders, np.diff(along, axis=1), axis=1)
    of_pairs = added.reshape(pairs, 2, n_players).mean(axis=1)
    errors = of_pairs.std(axis=0, ddof=1) / math.sqrt(pairs)
    return Shapley(of_pairs.mean(axis=0), errors, whole, empty, len(found))


def _both(order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return order, order[::-1]
