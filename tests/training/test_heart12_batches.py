"""What is done to strips before heart12 learns from them."""

from __future__ import annotations

import numpy as np
import pytest

from training.heart12_batches import batches, changed, cut, mixed
from training.noise import NoiseBank

NOTHING = {
    **dict.fromkeys(("gain", "lead_gain", "soft", "short", "mixed"), 0.0),
    **dict.fromkeys(("only_first", "only_limb", "only_one", "some_lost"), 0.0),
    "noise": {},
}


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def strips(rng):
    return rng.standard_normal((64, 100, 8)).astype(np.float32)


def test_nothing_changes_where_nothing_is_asked(strips, rng):
    np.testing.assert_array_equal(changed(strips.copy(), rng, None, NOTHING), strips)


def test_gain_never_turns_a_lead_upside_down(strips, rng):
    ratio = changed(strips.copy(), rng, None, {**NOTHING, "gain": 0.5, "lead_gain": 0.2}) / strips
    assert (ratio > 0).all()
    assert np.ptp(ratio, axis=1).max() < 1e-4
    assert np.ptp(ratio[:, 0, 0]) > 0.5


@pytest.mark.parametrize(
    ("kind", "kept"),
    [("only_first", [0]), ("only_limb", [0, 1])],
)
def test_named_leads_are_kept(strips, rng, kind, kept):
    made = changed(strips.copy(), rng, None, {**NOTHING, kind: 1.0})
    np.testing.assert_array_equal(made[:, :, kept], strips[:, :, kept])
    assert not np.delete(made, kept, axis=2).any()


def test_one_lead_and_lost_leads_leave_at_least_one(strips, rng):
    one = changed(strips.copy(), rng, None, {**NOTHING, "only_one": 1.0}).any(axis=1).sum(axis=1)
    some = changed(strips.copy(), rng, None, {**NOTHING, "some_lost": 1.0}).any(axis=1).sum(axis=1)
    assert set(one) == {1}
    assert some.min() >= 1
    assert some.mean() < 7


def test_short_strips_are_empty_at_their_ends_alone(strips, rng):
    live = changed(strips.copy(), rng, None, {**NOTHING, "short": 1.0}).any(axis=2)
    assert (np.abs(np.diff(live.astype(int), axis=1)).sum(axis=1) <= 2).all()
    assert 25 <= live.sum(axis=1).min()
    assert live.sum(axis=1).max() < 100


def test_noise_has_the_level_asked_for(rng):
    bank = NoiseBank({"ma": np.random.default_rng(1).standard_normal((2, 5000)).astype(np.float32)})
    made = changed(np.zeros((200, 100, 8), np.float32), rng, bank, {**NOTHING, "noise": {"ma": (1.0, 0.1, 0.1)}})
    assert made.std() == pytest.approx(0.1 * np.sqrt(1.5**2 / 3), rel=0.05)


def test_pieces_are_runs_of_their_record(rng):
    record = np.arange(8 * 50, dtype=np.float32).reshape(1, 8, 50)
    piece = cut(record, 20, rng)[0]
    start = int(piece[0, 0])
    np.testing.assert_array_equal(piece.T, record[0, :, start : start + 20])


def test_blended_targets_follow_the_signal_and_unknown_ones_stay_unknown(rng):
    x = np.repeat(np.arange(4, dtype=np.float32), 80).reshape(4, 10, 8)
    y = np.array([[0.0, -9], [1, 1], [2, 1], [3, 0]], np.float32)
    blended, targets = mixed(x, y, 0.5, rng)
    np.testing.assert_allclose(blended[:, 0, 0], targets[:, 0], rtol=1e-5)
    assert targets[0, 1] < -5
    assert ((targets[:, 1] >= 0) | (targets[:, 1] < -5)).all()


def test_every_record_comes_once_an_epoch_and_seeds_repeat():
    signal = np.arange(12, dtype=np.float16)[:, None, None] * np.ones((12, 8, 30), np.float16)
    targets = np.arange(12, dtype=np.float32)[:, None]

    def epoch(seed):
        made = batches(signal, targets, 4, 30, rng=np.random.default_rng(seed), bank=None, changes=NOTHING)
        return [next(made) for _ in range(3)]

    first, again = epoch(1), epoch(1)
    assert sorted(np.concatenate([y for _, y in first]).ravel()) == list(range(12))
    for (x, y), (other_x, other_y) in zip(first, again, strict=True):
        np.testing.assert_array_equal(x[:, 0, 0], y[:, 0])
        np.testing.assert_array_equal(x, other_x)
        np.testing.assert_array_equal(y, other_y)
    assert not np.array_equal(epoch(2)[0][1], first[0][1])
