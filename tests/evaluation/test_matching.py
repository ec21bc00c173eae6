"""One-to-one matching of marks in time, against definitions and against wfdb."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.evaluation.matching import match_times

TOLERANCE = 0.15
times = st.lists(st.integers(0, 400), max_size=12).map(lambda ms: np.sort(np.array(ms, np.float64)) * 0.01)


def best_by_assignment(reference: np.ndarray, found: np.ndarray) -> tuple[int, float]:
    """Return (pairs, total distance) of the best assignment of any kind, in time order or not."""
    from scipy.optimize import linear_sum_assignment

    distance = np.abs(reference[:, None] - found)
    allowed = distance <= TOLERANCE + 1e-9
    rows, columns = linear_sum_assignment(np.where(allowed, distance, 1000.0))
    kept = allowed[rows, columns]
    return int(kept.sum()), float(distance[rows, columns][kept].sum())


@settings(max_examples=300, deadline=None)
@given(times, times)
def test_pairs_are_one_to_one_in_order_within_tolerance_and_as_many_and_close_as_can_be(reference, found):
    in_reference, in_found = match_times(reference, found, TOLERANCE)
    assert (np.diff(in_reference) > 0).all()
    assert (np.diff(in_found) > 0).all()
    distance = np.abs(reference[in_reference] - found[in_found])
    assert (distance <= TOLERANCE + 1e-9).all()
    pairs, total = best_by_assignment(reference, found)
    assert len(distance) == pairs
    assert distance.sum() == pytest.approx(total)


def test_tolerance_is_inclusive_whatever_the_rounding_of_sample_times():
    reference = np.arange(100, 300_000, 250) / 360
    for shift in (-54, 54):
        assert len(match_times(reference, reference + shift / 360, 54 / 360)[0]) == len(reference)
    assert len(match_times(reference, reference + 55 / 360, 54 / 360)[0]) == 0


@pytest.mark.parametrize(
    ("reference", "found", "pairs"),
    [
        ([], [], []),
        ([1.0], [], []),
        ([], [1.0], []),
        ([1.0], [0.95, 1.01], [(0, 1)]),
        ([1.0, 1.2], [1.09], [(0, 0)]),
        ([1.0, 1.2], [1.11], [(1, 0)]),
        ([96 / 250, 160 / 250], [128 / 250, 185 / 250], [(0, 0), (1, 1)]),
    ],
    ids=[
        "nothing",
        "no answer",
        "no beat",
        "the nearer of two",
        "nearer the earlier",
        "nearer the later",
        "bxb's own example",
    ],
)
def test_small_cases(reference, found, pairs):
    matched = match_times(np.array(reference, np.float64), np.array(found, np.float64), TOLERANCE)
    assert list(zip(*(side.tolist() for side in matched), strict=True)) == pairs


def test_agrees_with_wfdb_on_rhythms_with_jitter_misses_and_extras():
    with warnings.catch_warnings():
        # wfdb itself uses what pandas is about to drop.
        warnings.simplefilter("ignore")
        from wfdb.processing import compare_annotations

    rng = np.random.default_rng(0)
    fs, width = 360, 54
    for _ in range(40):
        reference = np.cumsum(rng.integers(120, 400, 200))
        found = reference + rng.integers(-70, 71, len(reference)) * (rng.random(len(reference)) < 0.3)
        found = found[rng.random(len(found)) > 0.05]
        # Extras well away from beats: where several answers contest a beat, wfdb may pair fewer than can be paired.
        extra = (reference[:-1] + reference[1:])[np.diff(reference) > 260] // 2
        found = np.unique(np.concatenate((found, extra[rng.random(len(extra)) < 0.2])))
        theirs = compare_annotations(reference, found, width + 1)
        in_reference, in_found = match_times(reference / fs, found / fs, width / fs)
        assert in_reference.tolist() == theirs.matched_ref_inds.tolist()
        assert in_found.tolist() == theirs.matched_test_inds.tolist()


def test_never_pairs_fewer_than_wfdb_in_noise():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from wfdb.processing import compare_annotations

    rng = np.random.default_rng(1)
    more = 0
    for _ in range(40):
        reference = np.cumsum(rng.integers(40, 300, 100))
        found = np.unique(rng.integers(0, reference[-1], 150))
        theirs = compare_annotations(reference, found, 55)
        ours = len(match_times(reference / 360, found / 360, 54 / 360)[0])
        assert ours >= theirs.tp
        more += ours - theirs.tp
    assert more > 0


def test_a_day_of_beats_among_a_train_of_answers_is_matched_whole():
    beats = np.arange(100_000) * 0.8 + 0.4
    in_beats, in_train = match_times(beats, np.arange(0, 80_001, 0.1), TOLERANCE)
    assert len(in_beats) == 100_000
    assert np.array_equal(in_train, np.arange(100_000) * 8 + 4)
