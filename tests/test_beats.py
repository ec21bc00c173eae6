from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.beats import DETECTORS, MIN_FS, Beats, detect_beats, heart_rate
from ecg_core.errors import InvalidValue, UnknownName
from ecg_core.reading import read
from ecg_core.recording import Recording
from tests.helpers import make_recording

BEATS_OF_NORMAL = {"N", "L", "R", "B", "A", "a", "J", "S", "V", "r", "F", "e", "j", "n", "E", "/", "f", "Q"}


def pulses(times_s: list[float], *, fs: float, seconds: float, height: float = 1.0) -> np.ndarray:
    """One lead (mV) with a QRS-like pulse at each time, on a little noise."""
    t = np.arange(round(seconds * fs)) / fs
    noise = 0.005 * np.random.default_rng(0).standard_normal(t.size)
    return noise + height * sum(np.exp(-0.5 * ((t - s) / 0.012) ** 2) for s in times_s)


@pytest.mark.parametrize("fs", [MIN_FS, 50.0, 61.0, 100.0, 128.0, 250.0, 360.0, 500.0, 1000.0, 5000.0])
def test_beats_are_found_where_they_are_at_any_rate(fs):
    truth = [0.6, 1.4, 2.3, 3.0, 3.9, 4.7]
    beats = detect_beats(Recording(pulses(truth, fs=fs, seconds=5.5)[None], fs, ("II",)))
    assert beats.times_s == pytest.approx(truth, abs=max(0.01, 1 / fs))
    assert beats.times_s.dtype == np.float64
    assert (beats.method, beats.leads, beats.reason) == ("fast", ("II",), None)


def test_rate_is_sixty_over_the_median_interval_with_the_range_of_the_intervals():
    truth = [1.0, 2.0, 2.8, 3.8, 4.8, 6.05]
    rate = detect_beats(Recording(pulses(truth, fs=500, seconds=7)[None], 500, ("II",))).heart_rate
    assert rate.bpm == pytest.approx(60, abs=0.5)
    assert rate.low == pytest.approx(60 / 1.25, abs=0.5)
    assert rate.high == pytest.approx(60 / 0.8, abs=0.5)
    assert rate.reason is None


def test_one_beat_gives_no_rate_but_a_reason():
    beats = detect_beats(Recording(pulses([0.5], fs=500, seconds=0.9)[None], 500, ("II",)))
    assert len(beats) == 1
    assert beats.reason is None
    assert (beats.heart_rate.bpm, beats.heart_rate.low, beats.heart_rate.high) == (None, None, None)
    assert "only one beat" in beats.heart_rate.reason


@pytest.mark.parametrize(
    "values",
    [np.zeros(5000), np.full(5000, np.nan), np.ones(100), np.array([1.0]), np.random.default_rng(0).normal(size=200)],
    ids=["flat", "missing", "short and flat", "one sample", "shorter than half a second"],
)
def test_a_lead_without_a_signal_has_no_beats_and_a_reason(values):
    beats = detect_beats(Recording(values[None], 500, ("II",)))
    assert len(beats) == 0
    assert "lead II" in beats.reason
    assert beats.heart_rate.to_dict() == {"bpm": None, "low": None, "high": None, "reason": beats.reason}


def test_a_rate_too_slow_to_show_beats_is_said_so():
    beats = detect_beats(Recording(np.random.default_rng(0).normal(size=(1, 500)), MIN_FS - 1, ("II",)))
    assert len(beats) == 0
    assert "24 Hz is too slow" in beats.reason


def test_lead_ii_is_searched_wherever_it_stands_and_the_first_signal_where_ii_is_flat():
    recording = make_recording()
    assert detect_beats(recording).leads == ("II",)
    assert detect_beats(recording.select(("V3", "II", "I"))).leads == ("II",)
    signal = recording.signal.copy()
    signal[1], signal[0, 200:] = 0, np.nan
    assert detect_beats(Recording(signal, recording.fs, recording.leads)).leads == ("III",)


def test_a_named_lead_is_searched_under_any_of_its_names():
    recording = make_recording(("I", "II"))
    assert detect_beats(recording, lead="Lead I").leads == ("I",)
    with pytest.raises(InvalidValue, match="V6"):
        detect_beats(recording, lead="V6")


def test_an_unknown_detector_names_the_known_ones():
    with pytest.raises(UnknownName, match="fast"):
        detect_beats(make_recording(("II",)), method="fats")


def test_no_interval_is_measured_across_a_gap():
    values = pulses([1.0, 1.8, 2.6, 6.5, 7.3, 8.1], fs=500, seconds=9)
    values[1600:3000] = np.nan
    beats = detect_beats(Recording(values[None], 500, ("II",)))
    assert beats.times_s == pytest.approx([1.0, 1.8, 2.6, 6.5, 7.3, 8.1], abs=0.01)
    assert beats.rr_s == pytest.approx([0.8] * 4, abs=0.01)


def test_beats_that_no_stretch_holds_two_of_give_no_rate():
    values = pulses([0.5, 2.5], fs=500, seconds=3)
    values[500:1000] = np.nan
    rate = heart_rate(detect_beats(Recording(values[None], 500, ("II",))))
    assert rate.bpm is None
    assert "no two of the 2 beats" in rate.reason


def test_beats_cannot_be_changed_afterwards():
    times = np.array([1.0, 2.0])
    beats = Beats(times, [1.0], "fast", ("II",))
    times[0] = 9
    assert beats.times_s[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        beats.times_s[0] = 9


@settings(max_examples=80, deadline=None)
@given(
    fs=st.sampled_from([25.0, 33.3, 62.0, 100.0, 360.0, 500.0]),
    seconds=st.floats(0.01, 4),
    seed=st.integers(0, 2**32 - 1),
    scale=st.integers(-30, 30),
    gaps=st.floats(0, 0.02),
)
def test_noise_of_any_length_and_size_gives_beats_in_order_or_a_reason(fs, seconds, seed, scale, gaps):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=max(1, round(seconds * fs))) * 10.0**scale
    values[rng.random(values.size) < gaps] = np.nan
    beats = detect_beats(Recording(values[None], fs, ("V1",)))
    assert len(beats) or beats.reason
    assert (np.diff(beats.times_s) > 0).all()
    assert ((beats.times_s >= 0) & (beats.times_s < values.size / fs)).all()
    assert (beats.heart_rate.bpm is None) == (beats.heart_rate.reason is not None)


def test_noise_does_not_corrupt_memory():
    """What sleepecg's C backend did: run in a process of its own, with an allocator that checks itself."""
    script = (
        "import numpy as np\n"
        "from ecg_core.beats import DETECTORS\n"
        "for n in (32, 501, 1001, 2501):\n"
        "    for seed in range(20):\n"
        "        DETECTORS['fast'](np.random.default_rng(seed).normal(size=n), n - 1.0)\n"
    )
    environment = os.environ | {"MALLOC_CHECK_": "3", "MALLOC_PERTURB_": "7"}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0


def test_detector_agrees_with_sleepecg_as_published():
    from sleepecg.heartbeats import detect_heartbeats

    signal = make_recording(("II",), n_samples=20_000).signal[0].astype(np.float64)
    assert np.array_equal(DETECTORS["fast"](signal, 500.0), detect_heartbeats(signal, 500.0))


@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="EINTHOVEN_DATA_DIR names no folder")
def test_beats_of_mitdb_101_are_found():
    recording = read(Path(os.environ["EINTHOVEN_DATA_DIR"]) / "mitdb" / "101.hea")
    truth = [
        time
        for time, symbol in zip(recording.annotations["atr"].time_s, recording.annotations["atr"].symbol, strict=True)
        if symbol in BEATS_OF_NORMAL
    ]
    found = detect_beats(recording).times_s
    distance = np.abs(found[:, None] - np.array(truth)[None]).min
    assert (distance(axis=0) < 0.15).mean() > 0.998
    assert (distance(axis=1) < 0.15).mean() > 0.998
