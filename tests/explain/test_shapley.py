"""Shapley values by random orders, on games whose values are known."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest

from ecg_core.explain.shapley import shapley_values


def brute_force(game, n):
    """Return the Shapley values by their definition."""
    found = np.zeros(n)
    for player in range(n):
        others = [other for other in range(n) if other != player]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for chosen in combinations(others, size):
                without, joined = np.zeros((2, n), bool)
                without[list(chosen)] = joined[list(chosen)] = joined[player] = True
                after, before = game(np.stack([joined, without]))
                found[player] += weight * (after - before)
    return found


def table(n, seed=0):
    """Return a game with any value for any coalition."""
    values = np.random.default_rng(seed).normal(size=2**n)
    return lambda coalitions: values[coalitions @ (1 << np.arange(n))]


def pairs(n, seed=0):
    """Return a game of players and pairs of players."""
    rng = np.random.default_rng(seed)
    alone, together = rng.normal(size=n), np.triu(rng.normal(size=(n, n)), 1)
    return lambda c: 3.0 + c @ alone + np.einsum("ni,ij,nj->n", c, together, c)


def test_many_orders_come_near_the_values_by_definition():
    game = table(6)
    found = shapley_values(game, 6, budget=30_000)
    exact = brute_force(game, 6)
    assert np.abs(found.values - exact).max() < 0.05
    assert (np.abs(found.values - exact) < 5 * found.errors).all()


def test_an_order_and_its_reverse_are_exact_where_players_meet_in_pairs():
    game = pairs(7)
    found = shapley_values(game, 7, budget=1)
    np.testing.assert_allclose(found.values, brute_force(game, 7), atol=1e-12)
    np.testing.assert_allclose(found.errors, 0, atol=1e-12)


@pytest.mark.parametrize("budget", [1, 100, 1000])
def test_values_sum_to_the_game_at_every_budget(budget):
    found = shapley_values(table(9, seed=3), 9, budget=budget)
    assert found.values.sum() == pytest.approx(found.whole - found.empty)


def test_a_player_that_changes_nothing_has_nothing():
    game = table(5)
    found = shapley_values(lambda c: game(c[:, :5]), 6, budget=200)
    assert found.values[5] == 0
    assert found.errors[5] == 0


def test_players_that_do_the_same_have_the_same():
    found = shapley_values(lambda c: (c[:, 0] & c[:, 1]) * 4.0 + c[:, 2], 3, budget=1)
    np.testing.assert_allclose(found.values, [2, 2, 1])


def test_the_budget_is_kept_and_the_orders_are_always_the_same():
    game = table(8)
    found = shapley_values(game, 8, budget=500)
    assert 400 < found.evaluations <= 502
    np.testing.assert_array_equal(found.values, shapley_values(game, 8, budget=500).values)
    assert (found.values != shapley_values(game, 8, budget=500, seed=1).values).any()


def test_one_player_has_all():
    found = shapley_values(lambda c: 2.0 + 3.0 * c[:, 0], 1, budget=10)
    assert (found.values[0], found.errors[0], found.empty) == (3.0, 0.0, 2.0)
