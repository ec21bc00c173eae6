import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.preprocess import bandpass, highpass_edge_hz, keeps_st, monitor_view, normalise, remove_baseline
from ecg_core.recording import Recording
from tests.helpers import make_recording

FS = 500.0


def single(values, fs=FS):
    return Recording(np.atleast_2d(values), fs, tuple(f"ECG{i + 1}" for i in range(len(np.atleast_2d(values)))))


def gain_at(hz, low, high, fs=FS):
    """Return the amplitude in the middle of a long filtered sine."""
    t = np.arange(int(max(20, 12 / hz) * fs)) / fs
    wave = np.exp(2j * np.pi * hz * t)
    found = bandpass(single([wave.real, wave.imag], fs), low, high).signal
    return float(np.abs(found[0, len(t) // 2] + 1j * found[1, len(t) // 2]))


@pytest.mark.parametrize(
    ("low", "high", "fs", "edge"),
    [
        (0.5, 40, 500, 0.5),
        (0.5, 40, 500, 40),
        (0.05, 150, 1000, 0.05),
        (0.05, 150, 360, 150),
        (None, 45, 100, 45),
        (5, None, 250, 5),
    ],
)
def test_stated_edges_are_the_minus_3_db_points_of_both_passes(low, high, fs, edge):
    assert gain_at(edge, low, high, fs) == pytest.approx(np.sqrt(0.5), abs=0.01)


@pytest.mark.parametrize("hz", [0.25, 1.0, 10.0, 40.0, 75.0, 100.0])
def test_diagnostic_band_is_flat_inside(hz):
    assert gain_at(hz, 0.05, 150) == pytest.approx(1, abs=0.025)


@pytest.mark.parametrize(("hz", "most"), [(0.1, 0.01), (80.0, 0.02), (150.0, 1e-4)])
def test_monitor_band_rejects_what_lies_outside(hz, most):
    assert gain_at(hz, 0.5, 40) < most


@pytest.mark.parametrize("step", [bandpass, monitor_view])
@pytest.mark.parametrize("fs", [100.0, 257.0, 500.0, 1000.0])
def test_no_wave_moves_in_time(step, fs):
    """Zero group delay: a symmetric pulse keeps its peak sample and its symmetry."""
    n = int(10 * fs) | 1
    middle = n // 2
    t = (np.arange(n) - middle) / fs
    found = step(single(np.exp(-0.5 * (t / 0.015) ** 2), fs)).signal[0]
    assert np.argmax(found) == middle
    assert np.abs(found - found[::-1]).max() < 1e-4


@pytest.mark.parametrize(
    "values",
    [np.full(5000, 300.0), -3 + np.arange(5000) / 250, 250 - np.arange(5000) / 10],
    ids=["constant", "slow drift", "electrode settling at 50 mV/s"],
)
@pytest.mark.parametrize("step", [bandpass, monitor_view, remove_baseline])
def test_constant_and_straight_drift_leave_nothing_at_the_edges(step, values):
    assert np.abs(step(single(values)).signal).max() < 2e-3


def test_beats_of_ten_seconds_keep_their_shape_up_to_the_edges():
    """0.05 Hz takes 26 s to settle; on beats over a drift, 10 s come out as the same beats without the drift."""
    recording = make_recording(("II",), n_samples=5000)
    drifting = recording.signal + np.linspace(-1, 1, 5000)
    beats = recording.signal - recording.signal.mean()
    found = bandpass(Recording(drifting, FS, ("II",))).signal
    assert np.abs(found - beats)[:, :500].mean() < 0.05
    assert np.abs(found - beats)[:, -500:].mean() < 0.05


def test_transient_length_is_stated():
    edge_s = bandpass(make_recording()).history[-1].parameters["edge_s"]
    assert 20 < edge_s < 30
    n = int(4 * edge_s * FS)
    step = single(np.where(np.arange(n) < 100, 50.0, 0.0))
    changed = bandpass(step).signal[0]
    assert np.abs(changed[int(edge_s * FS) + 100 :]).max() < 0.02 * 50


def test_edge_above_the_rate_is_lowered_and_both_are_recorded():
    found = bandpass(make_recording(fs=100.0))
    parameters = found.history[-1].parameters
    assert (parameters["high_hz"], parameters["applied_high_hz"]) == (150.0, 45.0)
    assert (parameters["low_hz"], parameters["applied_low_hz"]) == (0.05, 0.05)


def test_open_low_side_keeps_the_level():
    found = bandpass(single(np.full(1000, 3.25)), None, 40).signal
    assert np.abs(found - 3.25).max() < 1e-6


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (40, 0.5),
        (10, 10),
        (
            300,
            None,
        ),
        (0, 40),
        (np.nan, 40),
        (0.5, -1),
    ],
)
def test_empty_or_impossible_band_is_refused(low, high):
    with pytest.raises(InvalidValue, match=r"low_hz|high_hz"):
        bandpass(make_recording(fs=100.0), low, high if high is not None else 400)


def test_gap_separates_what_is_filtered():
    recording = make_recording(("I", "II", "V1"), n_samples=4000)
    signal = recording.signal.copy()
    signal[1, 1000:1500] = np.nan
    signal[1, 1500:] += 100
    found = bandpass(Recording(signal, FS, recording.leads)).signal
    assert np.array_equal(np.isnan(found), np.isnan(signal))
    assert np.array_equal(found[[0, 2]], bandpass(recording).signal[[0, 2]])
    before = bandpass(Recording(signal[1:2, :1000], FS, ("II",))).signal
    after = bandpass(Recording(signal[1:2, 1500:], FS, ("II",))).signal
    assert np.array_equal(found[1, :1000], before[0])
    assert np.array_equal(found[1, 1500:], after[0])


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from([bandpass, monitor_view, remove_baseline]))
@settings(max_examples=40, deadline=None)
def test_stretch_of_any_length_is_filtered_and_nothing_else_is_touched(recorded, step):
    values = np.where(recorded, np.linspace(-2, 5, len(recorded)), np.nan)
    found = step(Recording(values[None], 250.0, ("II",))).signal[0]
    assert np.array_equal(np.isnan(found), np.isnan(values))
    assert np.nanmax(np.abs(found), initial=0) < 1e-3


def test_long_recordings_are_filtered_in_blocks_without_a_seam(monkeypatch):
    recording = make_recording(("I", "II"), n_samples=5000)
    whole = monitor_view(recording).signal
    monkeypatch.setattr("ecg_core.preprocess.zero_phase._BLOCK", 700)
    monkeypatch.setattr("ecg_core.preprocess.zero_phase._BUFFER_BYTES", 1)
    assert np.abs(monitor_view(recording).signal - whole).max() < 1e-6


def test_low_edge_at_a_high_rate_needs_and_has_double_precision():
    n = 60_000
    t = np.arange(n) / 1000
    found = bandpass(single(np.sin(2 * np.pi * 0.5 * t) + 300, 1000.0)).signal[0]
    assert np.abs(found - np.sin(2 * np.pi * 0.5 * t))[20_000:40_000].max() < 0.01


def test_history_tells_whether_st_segments_may_be_measured():
    recording = make_recording()
    assert highpass_edge_hz(recording) is None
    assert keeps_st(recording)
    assert keeps_st(bandpass(recording))
    assert highpass_edge_hz(bandpass(monitor_view(recording))) == 0.5
    for changed in (monitor_view(recording), remove_baseline(recording, "median"), normalise(recording)):
        assert not keeps_st(bandpass(changed))
