import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.preprocess import remove_baseline
from ecg_core.recording import Recording
from tests.helpers import make_recording

METHODS = pytest.mark.parametrize("method", ["median", "highpass"])


@METHODS
def test_breathing_wander_is_removed(method):
    recording = make_recording(("II", "V2"), n_samples=10_000)
    t = np.arange(10_000) / 500
    wander = 0.8 * np.sin(2 * np.pi * 0.15 * t + 0.4)
    found = remove_baseline(Recording(recording.signal + wander, 500.0, recording.leads), method)
    rest = found.signal - remove_baseline(recording, method).signal
    assert np.sqrt(np.mean(rest**2)) < 0.1 * np.sqrt(np.mean(wander**2)) + 0.02


@METHODS
@pytest.mark.parametrize("fs", [100.0, 257.0, 1000.0])
def test_r_peaks_do_not_move_and_keep_their_height(method, fs):
    recording = make_recording(("II",), fs=fs, n_samples=int(8 * fs))
    found = remove_baseline(recording, method).signal[0]
    original = recording.signal[0]
    assert np.argmax(found) == np.argmax(original)
    assert found.max() - np.median(found) == pytest.approx(original.max() - np.median(original), rel=0.08)


def test_median_follows_a_step_that_a_high_pass_rings_on():
    step = np.where(np.arange(10_000) < 5000, 0.0, 2.0)
    recording = Recording(step[None], 500.0, ("II",))
    settled = np.abs(np.arange(10_000) - 5000) > 150
    assert np.abs(remove_baseline(recording, "median").signal[0, settled]).max() < 0.01
    assert np.abs(remove_baseline(recording, "highpass").signal[0, settled]).max() > 0.5


def test_both_methods_distort_st_segments_but_the_median_far_more():
    """The numbers behind the warning in the docstring: 0.2 mV of ST elevation at 60 bpm."""
    t = np.arange(15_000) / 500
    signal = np.zeros_like(t)
    beats = np.arange(1.0, 29, 1.0)
    for beat in beats:
        signal += 1.2 * np.exp(-0.5 * ((t - beat) / 0.012) ** 2) + 0.35 * np.exp(
            -0.5 * ((t - beat - 0.26) / 0.045) ** 2
        )
        signal += np.interp(t - beat, [0.0, 0.04, 0.24, 0.3], [0, 0.2, 0.2, 0])
    recording = Recording(signal[None], 500.0, ("II",))

    def st_mv(values):
        at = np.round(beats[5:-5] * 500).astype(int)
        return float(np.mean(values[at + 50] - values[at - 40]))

    true = st_mv(signal)
    assert st_mv(remove_baseline(recording, "highpass").signal[0]) == pytest.approx(true, abs=0.01)
    assert st_mv(remove_baseline(recording, "median").signal[0]) < 0.7 * true


@METHODS
def test_gaps_stay_and_stretches_of_any_length_are_treated(method):
    signal = np.full((3, 1000), 4.0)
    signal[0, 1:997] = np.nan
    signal[1, 40:50] = np.nan
    found = remove_baseline(Recording(signal, 250.0, ("I", "II", "V1")), method).signal
    assert np.array_equal(np.isnan(found), np.isnan(signal))
    assert np.nanmax(np.abs(found)) < 1e-6


def test_blocks_of_a_long_recording_join_without_a_seam(monkeypatch):
    recording = make_recording(("II",), n_samples=5000)
    whole = remove_baseline(recording, "median").signal
    monkeypatch.setattr("ecg_core.preprocess.baseline._BLOCK", 333)
    assert np.array_equal(remove_baseline(recording, "median").signal, whole)


def test_unknown_method_lists_the_options():
    with pytest.raises(InvalidValue, match="options: highpass, median"):
        remove_baseline(make_recording(), "spline")
