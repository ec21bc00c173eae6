import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.preprocess import resample, resample_array
from tests.helpers import make_recording

RATIOS = [
    (257, 500),
    (128.5, 360),
    (500, 100),
    (100, 500),
    (360, 128),
    (1000 / 3, 250),
    (128.2051, 360),
    (499.9999, 500),
    (360.00001, 257.0003),
]


def band_limited(t):
    """Well under the Nyquist frequency of the slowest rate in the tests, on a large offset and a drift."""
    return np.sin(2 * np.pi * 5 * t) + 0.5 * np.cos(2 * np.pi * 17 * t + 1) + 300 + 0.1 * t


@pytest.mark.parametrize(("fs_from", "fs_to"), RATIOS)
def test_every_new_sample_holds_the_value_at_its_own_time(fs_from, fs_to):
    n = int(10 * fs_from)
    found = resample_array(band_limited(np.arange(n) / fs_from)[None], fs_from, fs_to)[0]
    expected = band_limited(np.arange(len(found)) / fs_to)
    inner = slice(int(0.3 * fs_to), -int(0.3 * fs_to))
    assert np.abs(found - expected)[inner].max() < 2e-3
    assert found[0] == pytest.approx(expected[0], abs=0.05)


@pytest.mark.parametrize(("fs_from", "fs_to"), [(500, 257), (128.5, 360), (128.2051, 360), (499.9999, 500), (250, 500)])
def test_time_axis_does_not_drift_over_a_day(fs_from, fs_to):
    """One narrow pulse late in a day-long recording at a low rate stands where it stood: nothing adds up."""
    scale = 32
    fs_from, fs_to = fs_from / scale, fs_to / scale
    n = int(86_400 * fs_from)
    at = (n - 300) / fs_from
    pulse = np.exp(-0.5 * ((np.arange(n) / fs_from - at) * fs_from / 3) ** 2)
    found = resample_array(pulse[None].astype(np.float32), fs_from, fs_to)[0].astype(np.float64)
    near = slice(int((at - 20 / fs_from) * fs_to), int((at + 20 / fs_from) * fs_to))
    times = np.arange(len(found))[near] / fs_to
    assert abs((found[near] @ times) / found[near].sum() - at) * fs_to < 0.03


def test_interpolating_at_exact_times_agrees_with_the_polyphase_filter(monkeypatch):
    signal = make_recording(fs=250.0).signal[:2].astype(np.float64)
    polyphase = resample_array(signal, 250, 360)
    monkeypatch.setattr("ecg_core.preprocess.resampling._rational", lambda *_: None)
    assert np.abs(resample_array(signal, 250, 360) - polyphase).max() < 1e-3


@given(st.integers(1, 400), st.floats(1, 2000), st.floats(1, 2000))
@settings(max_examples=60, deadline=None)
def test_length_covers_the_same_duration_and_a_constant_stays_one(n, fs_from, fs_to):
    found = resample_array(np.full((1, n), 2.5), fs_from, fs_to)
    assert found.shape[1] - 1 < n * fs_to / fs_from + 1e-6
    assert found.shape[1] > n * fs_to / fs_from - 0.05
    assert np.abs(found - 2.5).max(initial=0) < 1e-9


@pytest.mark.parametrize("fs_to", [1000.0, 257.0, 125.0001])
def test_gaps_stay_where_they_were_and_do_not_grow(fs_to):
    signal = np.full((3, 3000), 5.0)
    signal[0, 100:200] = np.nan
    signal[1, :7] = np.nan
    signal[1, 2990:] = np.nan
    found = resample_array(signal, 500, fs_to)
    covering = np.minimum((np.arange(found.shape[1]) / fs_to * 500 + 0.1).astype(int), 2999)
    assert np.array_equal(np.isnan(found), np.isnan(signal[:, covering]))
    assert np.nanmax(np.abs(found - 5)) < 1e-9


def test_what_the_new_rate_cannot_hold_is_removed_and_not_folded_back():
    t = np.arange(5000) / 500
    folded = resample_array(np.sin(2 * np.pi * 60 * t)[None], 500, 100)[0]
    assert np.abs(folded[50:-50]).max() < 1e-3


def test_lead_without_a_sample_stays_missing():
    signal = np.stack([np.full(100, np.nan), np.zeros(100)])
    assert np.isnan(resample_array(signal, 100, 250)[0]).all()


def test_single_precision_stays_single_precision():
    assert resample_array(np.zeros((1, 10), np.float32), 100, 250).dtype == np.float32
    assert resample_array(np.zeros((1, 10), np.int16), 100, 250).dtype == np.float64


def test_recording_is_resampled_with_a_history_entry():
    recording = make_recording(fs=360.0, n_samples=3600)
    found = resample(recording, 500)
    assert (found.fs, found.n_samples, found.start) == (500.0, 5000, recording.start)
    assert found.history[-1].parameters == {"fs": 500.0, "fs_before": 360.0, "method": "polyphase"}
    peak = np.argmax(recording.lead("II")) / 360
    assert abs(np.argmax(found.lead("II")) / 500 - peak) <= 1 / 360


@pytest.mark.parametrize("fs", [0, -1, np.nan, np.inf])
def test_impossible_rate_is_refused(fs):
    with pytest.raises(InvalidValue, match="not a sampling rate"):
        resample(make_recording(), fs)


@pytest.mark.parametrize(
    ("fs_from", "fs_to"), [(500, 250), (500, 125), (100, 250), (300, 125), (1000, 100), (250, 500)]
)
@pytest.mark.parametrize("n", [7, 300, 4001])
def test_matrix_products_give_what_the_polyphase_filter_gives(monkeypatch, fs_from, fs_to, n):
    rng = np.random.default_rng(n)
    signal = rng.normal(size=(3, n)).cumsum(axis=1)
    signal[1, : n // 3] = np.nan
    signal[2, n // 2 : n // 2 + 2] = np.nan
    monkeypatch.setattr("ecg_core.preprocess.resampling._AT_ONCE", 1 << 10)
    in_products = resample_array(signal, fs_from, fs_to)
    monkeypatch.setattr("ecg_core.preprocess.resampling._LARGEST_UP", 0)
    np.testing.assert_allclose(in_products, resample_array(signal, fs_from, fs_to), atol=1e-9)
