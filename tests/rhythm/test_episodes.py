"""From windows to episodes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_core.rhythm.episodes import find_episodes, smooth

PRIOR = np.array([0.59, 0.09, 0.29, 0.03])
SURE = {"N": [0.97, 0.01, 0.01, 0.01], "A": [0.01, 0.97, 0.01, 0.01], "?": [np.nan] * 4}


def rows(text: str) -> np.ndarray:
    return np.array([SURE[letter] for letter in text])


def test_one_window_keeps_its_probabilities():
    row = np.array([[0.2, 0.3, 0.4, 0.1]])
    np.testing.assert_allclose(smooth(row, PRIOR, 0.9), row)


def test_windows_that_have_nothing_to_do_with_each_other_keep_theirs():
    rng = np.random.default_rng(0)
    each = rng.dirichlet(np.ones(4), 7)
    np.testing.assert_allclose(smooth(each, PRIOR, 0.0), each)


def test_a_doubtful_window_goes_with_its_neighbours_and_a_certain_one_stands_alone():
    doubtful = np.array([SURE["N"], SURE["N"], [0.40, 0.45, 0.10, 0.05], SURE["N"]])
    assert smooth(doubtful, PRIOR, 0.7)[2].argmax() == 0
    assert smooth(rows("NNANN"), PRIOR, 0.7)[2].argmax() == 1


def test_an_unread_window_is_guessed_from_both_sides_and_says_nothing_itself():
    found = smooth(rows("AA?AA"), PRIOR, 0.9)
    assert found[2, 1] > 0.9
    np.testing.assert_allclose(smooth(rows("?"), PRIOR, 0.9), PRIOR[None])


@given(st.integers(1, 40), st.floats(0, 0.99), st.integers(0, 1000))
def test_rows_stay_probabilities(n, stay, seed):
    rng = np.random.default_rng(seed)
    each = rng.dirichlet(np.full(4, 0.1), n)
    each[rng.random(n) < 0.2] = np.nan
    found = smooth(each, PRIOR, stay)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_time_backward_is_read_like_time_forward():
    each = np.random.default_rng(1).dirichlet(np.ones(4), 9)
    np.testing.assert_allclose(smooth(each[::-1], PRIOR, 0.8), smooth(each, PRIOR, 0.8)[::-1])


def test_a_day_of_certain_windows_does_not_underflow():
    found = smooth(rows("N" * 2000 + "A" * 880), PRIOR, 0.9)
    assert found[:1999, 0].min() > 0.9
    assert found[2001:, 1].min() > 0.9


def test_episodes_are_runs_and_end_where_nothing_was_read():
    edges = np.arange(8) * 30.0
    labels = np.array([0, 0, 1, -1, 1, 1, 0])
    probabilities = np.tile([0.6, 0.3, 0.05, 0.05], (7, 1))
    found = find_episodes(edges, labels, probabilities)
    assert [(e.start_s, e.end_s, e.label) for e in found] == [
        (0, 60, "N"),
        (60, 90, "A"),
        (120, 180, "A"),
        (180, 210, "N"),
    ]
    assert [e.probability for e in found] == pytest.approx([0.6, 0.3, 0.3, 0.6])
