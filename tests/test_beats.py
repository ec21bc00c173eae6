from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecg_core.beats import CPSC2019_WINDOW_S, DETECTORS, MIN_FS, Beats, detect_beats, heart_rate
from ecg_core.errors import InvalidValue, UnknownName
from ecg_core.recording import Recording
from tests.helpers import make_recording


def pulses(times_s: list[float], *, fs: float, seconds: float, height: float = 1.0) -> np.ndarray:
    """One lead (mV) with a QRS-like pulse at each time, on a little noise."""
    t = np.arange(round(seconds * fs)) / fs
    noise = 0.005 * np.random.default_rng(0).standard_normal(t.size)
    return noise + height * sum(np.exp(-0.5 * ((t - s) / 0.012) ** 2) for s in times_s)


@pytest.mark.parametrize("fs", [MIN_FS, 50.0, 61.0, 100.0, 128.0, 187.0, 188.0, 250.0, 360.0, 500.0, 1000.0, 50_000.0])
def test_beats_are_found_where_they_are_at_any_rate(fs):
    truth = [0.6, 1.4, 2.3, 3.0, 3.9, 4.7]
    beats = detect_beats(Recording(pulses(truth, fs=fs, seconds=5.5)[None], fs, ("II",)), method="fast")
    assert beats.times_s == pytest.approx(truth, abs=max(0.01, 1 / fs))
    assert beats.times_s.dtype == np.float64
    assert (beats.method, beats.leads, beats.reason, beats.confidence) == ("fast", ("II",), None, None)


def test_rate_is_sixty_over_the_median_interval_with_the_range_of_the_intervals():
    truth = [1.0, 2.0, 2.8, 3.8, 4.8, 6.05]
    rate = detect_beats(Recording(pulses(truth, fs=500, seconds=7)[None], 500, ("II",)), method="fast").heart_rate
    assert rate.bpm == pytest.approx(60, abs=0.5)
    assert rate.low == pytest.approx(60 / 1.25, abs=0.5)
    assert rate.high == pytest.approx(60 / 0.8, abs=0.5)
    assert rate.mean_bpm == pytest.approx(60 * 5 / 5.05, abs=0.5)
    assert rate.reason is None


def test_intervals_are_summed_up_in_milliseconds():
    rr = Beats([1.0, 2.0, 2.8, 9.0, 10.1], [0, 0, 0, 1, 1], "fast", ("II",)).rr
    assert rr.n == 3
    assert (rr.median_ms, rr.mean_ms, rr.min_ms, rr.max_ms) == pytest.approx((1000, 2900 / 3, 800, 1100))


def test_rate_in_the_window_of_cpsc2019_is_from_the_mean_interval_of_the_beats_strictly_inside():
    beats = Beats([4.0, 5.5, 6.0, 7.0, 9.0, 9.5], np.zeros(6), "fast", ("II",))
    rate = heart_rate(beats, CPSC2019_WINDOW_S)
    assert rate.mean_bpm == pytest.approx(40)
    assert (rate.low, rate.high) == pytest.approx((30, 60))


@pytest.mark.parametrize(
    ("times_s", "reason"), [([1.0, 2.0, 6.0], "only one beat was found between 5.5"), ([1.0, 2.0], "no beat was found")]
)
def test_fewer_than_two_beats_in_the_window_give_no_rate_but_a_reason(times_s, reason):
    rate = heart_rate(Beats(times_s, np.zeros(len(times_s)), "fast", ("II",)), CPSC2019_WINDOW_S)
    assert rate.mean_bpm is None
    assert reason in rate.reason


def test_one_beat_gives_no_rate_but_a_reason():
    beats = detect_beats(Recording(pulses([0.5], fs=500, seconds=0.9)[None], 500, ("II",)), method="fast")
    assert len(beats) == 1
    assert beats.reason is None
    assert (beats.heart_rate.bpm, beats.heart_rate.low, beats.heart_rate.high) == (None, None, None)
    assert "only one beat" in beats.heart_rate.reason


@pytest.mark.parametrize(
    "values",
    [np.zeros(5000), np.full(5000, np.nan), np.ones(100), np.array([1.0]), np.random.default_rng(0).normal(size=200)],
    ids=["flat", "missing", "short and flat", "one sample", "shorter than half a second"],
)
@pytest.mark.parametrize("method", list(DETECTORS))
def test_a_lead_without_a_signal_has_no_beats_and_a_reason(values, method):
    beats = detect_beats(Recording(values[None], 500, ("II",)), method=method)
    assert len(beats) == 0
    assert "lead II" in beats.reason
    nothing = dict.fromkeys(("bpm", "mean_bpm", "low", "high"))
    assert beats.heart_rate.to_dict() == nothing | {"reason": beats.reason}
    assert beats.rr.to_dict() == {"n": 0, "reason": beats.reason} | dict.fromkeys(
        ("median_ms", "mean_ms", "min_ms", "max_ms")
    )


def test_a_rate_too_slow_to_show_beats_is_said_so():
    beats = detect_beats(Recording(np.random.default_rng(0).normal(size=(1, 500)), MIN_FS - 1, ("II",)))
    assert len(beats) == 0
    assert "39 Hz is too slow" in beats.reason


def test_fast_searches_lead_ii_wherever_it_stands_and_the_first_signal_where_ii_is_flat():
    recording = make_recording()
    assert detect_beats(recording, method="fast").leads == ("II",)
    assert detect_beats(recording.select(("V3", "II", "I")), method="fast").leads == ("II",)
    signal = recording.signal.copy()
    signal[1], signal[0, 200:] = 0, np.nan
    assert detect_beats(Recording(signal, recording.fs, recording.leads), method="fast").leads == ("III",)


def test_robust_searches_the_leads_that_hold_a_signal_and_do_not_follow_from_others():
    recording = make_recording()
    chest = ("V1", "V2", "V3", "V4", "V5", "V6")
    assert detect_beats(recording).leads == ("II", "I", *chest)
    assert detect_beats(recording.select(("V3", "aVF", "aVL", "III"))).leads == ("V3", "aVF", "aVL")
    signal = recording.signal.copy()
    signal[1], signal[6] = 0, np.nan
    assert detect_beats(Recording(signal, recording.fs, recording.leads)).leads == ("I", "III", *chest[1:])
    limb = recording.select(("I", "II", "III"))
    assert detect_beats(replace(limb, derived=("I",))).leads == ("II", "III")


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
    beats = detect_beats(Recording(values[None], 500, ("II",)), method="fast")
    assert beats.times_s == pytest.approx([1.0, 1.8, 2.6, 6.5, 7.3, 8.1], abs=0.01)
    assert beats.rr_s == pytest.approx([0.8] * 4, abs=0.01)


def test_beats_that_no_stretch_holds_two_of_give_no_rate():
    values = pulses([0.5, 2.5], fs=500, seconds=3)
    values[500:1000] = np.nan
    rate = heart_rate(detect_beats(Recording(values[None], 500, ("II",)), method="fast"))
    assert rate.bpm is None
    assert "no two of the 2 beats" in rate.reason


def test_beats_cannot_be_changed_afterwards():
    times, confidence = np.array([1.0, 2.0]), np.array([0.9, 0.8])
    beats = Beats(times, [0, 0], "robust", ("II",), confidence=confidence)
    times[0] = confidence[0] = 9
    assert (beats.times_s[0], beats.confidence[0]) == (1, 0.9)
    with pytest.raises(ValueError, match="read-only"):
        beats.times_s[0] = 9


@settings(max_examples=80, deadline=None)
@example(method="robust", fs=360.0, seconds=1.0, seed=0, scale=19, gaps=0.0)
@given(
    method=st.sampled_from(["fast", "robust"]),
    fs=st.sampled_from([40.0, 62.0, 100.0, 360.0, 500.0, 2000.0]),
    seconds=st.floats(0.01, 4),
    seed=st.integers(0, 2**32 - 1),
    scale=st.integers(-30, 30),
    gaps=st.floats(0, 0.02),
)
def test_noise_of_any_length_and_size_gives_beats_in_order_or_a_reason(method, fs, seconds, seed, scale, gaps):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=max(1, round(seconds * fs))) * 10.0**scale
    values[rng.random(values.size) < gaps] = np.nan
    beats = detect_beats(Recording(values[None], fs, ("V1",)), method=method)
    assert len(beats) or beats.reason
    assert (np.diff(beats.times_s) > 0).all()
    assert ((beats.times_s >= 0) & (beats.times_s < values.size / fs)).all()
    assert (beats.heart_rate.bpm is None) == (beats.heart_rate.reason is not None)
