"""Windows to look at hold what the whole would show."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.preprocess import envelope, resample_array, resample_window


def noise(seconds: float, fs: float, n_leads: int = 2) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((n_leads, round(seconds * fs))).astype(np.float32)


@pytest.mark.parametrize(("fs", "new"), [(500, 100), (360, 250), (257, 64), (1000, 1000 / 3)])
@pytest.mark.parametrize(("start", "stop"), [(0.0, 3.0), (17.013, 19.5), (27.0, 30.0)])
def test_a_window_at_a_lower_rate_is_a_window_of_the_whole(fs, new, start, stop):
    signal = noise(30, fs)
    whole = resample_array(signal, fs, new)
    part, at = resample_window(signal, fs, new, start, stop)
    first = round(at * new)
    assert start - 1e-6 <= at < start + 1 / new
    assert part.shape[1] == pytest.approx((stop - start) * new, abs=1)
    np.testing.assert_allclose(part, whole[:, first : first + part.shape[1]], atol=2e-5)


def test_nothing_above_half_the_new_rate_is_left_in_a_window():
    times = np.arange(10 * 500) / 500
    hum = np.sin(2 * np.pi * 80 * times)[None]
    part, _ = resample_window(hum, 500, 100, 4, 6)
    assert np.abs(part).max() < 1e-3


def test_the_envelope_holds_the_peak_of_every_group_in_order_of_time():
    signal = np.zeros((1, 1000))
    signal[0, 403], signal[0, 409] = 2.0, -1.0
    points, width = envelope(signal, 100)
    assert (points.shape, width) == ((1, 100), 20)
    pair = points[0, 40:42]
    assert pair.tolist() == [2.0, -1.0]
    assert np.count_nonzero(points) == 2


def test_the_envelope_keeps_gaps_and_a_last_group_that_is_short():
    signal = np.arange(105.0)[None]
    signal[0, 10:20] = np.nan
    signal[0, 25] = np.nan
    points, width = envelope(signal, 20)
    assert width == 11
    assert points.shape == (1, 20)
    assert points[0, :4].tolist() == [0.0, 9.0, 20.0, 21.0]
    assert points[0, -2:].tolist() == [99.0, 104.0]
    gone = envelope(np.full((1, 100), np.nan), 10)[0]
    assert np.isnan(gone).all()


def test_a_short_signal_is_its_own_envelope():
    signal = noise(1, 100)
    points, width = envelope(signal, 100)
    assert width == 1
    assert points is signal
    with pytest.raises(InvalidValue, match="2 or more"):
        envelope(signal, 1)
