"""What the network is given: no drift, one size for all leads, and what was not recorded said to be so."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.delineation.inputs import WINDOW, network_windows
from ecg_core.synthesis import synthesize


@pytest.fixture(scope="module")
def strip() -> np.ndarray:
    """Return a lead of one window, mV."""
    return synthesize(fs=250, duration_s=WINDOW / 250, leads=("II",), seed=1).recording.signal[0]


def test_size_and_level_of_a_lead_do_not_matter(strip):
    values, recorded = network_windows(np.stack([strip, 5 * strip, strip / 20, strip + 3]))
    assert values.shape == recorded.shape == (4, WINDOW, 1)
    assert recorded.all()
    for other in values[1:]:
        np.testing.assert_allclose(other, values[0], atol=1e-3)
    assert 0.8 < np.ptp(values[0]) < 1.5


def test_slow_drift_goes_and_waves_stay(strip):
    time = np.arange(WINDOW) / 250
    drifting = strip + 2 * np.sin(2 * np.pi * 0.08 * time)
    plain, moved = network_windows(np.stack([strip, drifting]))[0][:, :, 0]
    inside = slice(300, -300)
    assert np.abs(plain - moved)[inside].max() < 0.1


def test_what_was_not_recorded_is_zero_and_disturbs_nothing_else(strip):
    gap = strip.copy()
    gap[1000:1500] = np.nan
    values, recorded = network_windows(np.stack([strip, gap]))
    assert not recorded[1, 1000:1500].any()
    assert not values[1, 1000:1500].any()
    assert recorded[1, :1000].all()
    np.testing.assert_allclose(values[1, :700], values[0, :700], atol=0.05)


def test_a_burst_does_not_shrink_the_rest(strip):
    burst = strip.copy()
    burst[1200:1300] += 50
    plain, shrunk = (np.ptp(row[:600]) for row in network_windows(np.stack([strip, burst]))[0])
    assert shrunk > 0.6 * plain


@pytest.mark.parametrize("dead", [0.0, 2.5, np.nan])
def test_a_lead_without_signal_counts_as_not_recorded(strip, dead):
    values, recorded = network_windows(np.stack([np.full(WINDOW, dead), strip]))
    assert not recorded[0].any()
    assert not values[0].any()
    assert recorded[1].all()
