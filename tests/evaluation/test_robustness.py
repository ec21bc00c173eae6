"""What is done to strips is what is said to be done."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.reversals import exchange
from ecg_core.evaluation.robustness import (
    add_mains,
    add_noise,
    conditions,
    exchange_electrodes,
    lose_leads,
    scale,
    through_rate,
)
from ecg_core.leads import INDEPENDENT_8
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

FS = 100.0


@pytest.fixture(scope="module")
def strips() -> np.ndarray:
    made = [synthesize(fs=FS, duration_s=10, seed=seed).recording.select(INDEPENDENT_8).signal for seed in range(3)]
    return np.stack(made).astype(np.float64)


@pytest.fixture(scope="module")
def noise() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {kind: rng.normal(0, size, (2, 5000)) for kind, size in (("bw", 3.0), ("em", 1.0), ("ma", 0.2))}


@pytest.mark.parametrize("snr_db", [0, 12])
def test_noise_has_the_power_that_the_ratio_says_whatever_its_own_size(strips, noise, snr_db):
    added = add_noise(strips, noise, snr_db, np.random.default_rng(1)) - strips
    pieces = strips.reshape(3, 8, 8, -1)
    size = np.median(np.ptp(pieces, axis=3), axis=2)
    ratio = 10 * np.log10((size**2 / 8) / added.var(axis=2))
    assert ratio.mean() == pytest.approx(snr_db, abs=0.3)


def test_noise_of_a_seed_is_the_same_again_and_differs_from_lead_to_lead(strips, noise):
    first, again = (add_noise(strips, noise, 6, np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    added = (first - strips)[0]
    assert abs(np.corrcoef(added)[np.triu_indices(8, 1)]).max() < 0.9


def test_there_and_back_again_keeps_what_both_rates_can_hold(strips):
    assert np.abs(through_rate(strips, FS, 500.0) - strips)[:, :, 50:-50].max() < 0.02
    coarse = through_rate(strips, FS, 62.5)
    assert coarse.shape == strips.shape
    assert 0.02 < np.abs(coarse - strips).max() < 1.0


def test_mains_under_the_new_rate_stay_and_at_its_limit_are_filtered_away(strips):
    rng = np.random.default_rng(3)
    slow = add_mains(strips, FS, 20.0, 0.2, 250.0, rng) - through_rate(strips, FS, 250.0)
    assert slow[:, :, 100:-100].std() == pytest.approx(0.2 / np.sqrt(2), rel=0.05)
    fast = add_mains(strips, FS, 60.0, 0.2, 250.0, rng) - through_rate(strips, FS, 250.0)
    assert fast[:, :, 100:-100].std() < 0.02


@pytest.mark.parametrize("lost", [1, 5, 7])
def test_as_many_leads_are_lost_as_said_and_not_always_the_same(strips, lost):
    many = np.tile(strips, (20, 1, 1))
    empty = (lose_leads(many, lost, np.random.default_rng(4)) == 0).all(axis=2)
    assert (empty.sum(axis=1) == lost).all()
    assert empty.any(axis=0).all()


@pytest.mark.parametrize("kind", ["RA-LA", "LA-LL", "V1-V2", "RA>LA>LL"])
def test_exchanged_electrodes_give_what_the_recording_would_have_shown(strips, kind):
    expected = exchange(Recording(strips[0], FS, INDEPENDENT_8), kind).signal
    np.testing.assert_allclose(exchange_electrodes(strips, kind)[0], expected, atol=1e-5)


def test_conditions_are_few_differ_in_name_and_keep_the_form_of_strips(strips, noise):
    tried = conditions(noise, FS)
    assert len({condition.name for condition in tried}) == len(tried) <= 40
    for condition in tried:
        changed = condition.change(strips, np.random.default_rng(0))
        assert changed.shape == strips.shape
        assert np.isfinite(changed).all()
        nearly_nothing = condition.kind in ("mains", "resampling")
        assert nearly_nothing or np.abs(changed - strips).max() > 0.02
    np.testing.assert_allclose(scale(strips, 2.0), 2 * strips)
