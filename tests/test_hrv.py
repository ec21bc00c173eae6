"""Heart rate variability, on tachograms whose truth is known and against NeuroKit2."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.hrv import MIN_INTERVALS, measure_hrv

TIME_DOMAIN = ("mean_nn_ms", "sdnn_ms", "rmssd_ms", "pnn50_percent", "sd1_ms", "sd2_ms", "sd1_sd2")
NEUROKIT = {
    "mean_nn_ms": 848.2367137934251,
    "sdnn_ms": 39.59001962439789,
    "rmssd_ms": 26.488723480981424,
    "pnn50_percent": 2.9702970297029703,
    "sd1_ms": 18.743505490708838,
    "sd2_ms": 52.767648275213965,
    "sd1_sd2": 0.3552082782418227,
    "vlf_ms2": 449.944477613608,
    "lf_ms2": 799.3064777699534,
    "hf_ms2": 304.1898485793392,
    "lf_hf": 2.627656647659224,
}
"""Of ``beat_times()``, by NeuroKit2 0.2.13: hrv_time, hrv_nonlinear, hrv_frequency(interpolation_rate=4,
normalize=False), each given {"RRI": 1000 * diff(times), "RRI_Time": times[1:]}."""


def beat_times(seconds: float = 600.0, amplitude: float = 1.0) -> np.ndarray:
    """Beats whose intervals swing by 30 ms at 0.02 Hz, 40 ms at 0.1 Hz and 25 ms at 0.25 Hz."""
    times = [0.5]
    while times[-1] < seconds:
        swing = [ms * np.sin(2 * np.pi * hz * times[-1]) for hz, ms in ((0.02, 0.03), (0.1, 0.04), (0.25, 0.025))]
        times.append(times[-1] + 0.85 + amplitude * sum(swing))
    return np.array(times)


def measure(times_s: np.ndarray, stretch: np.ndarray | None = None):
    return measure_hrv(times_s, np.zeros(len(times_s)) if stretch is None else stretch)


def values(found):
    return {name: figure.value for name, figure in found.figures.items()}


@pytest.mark.parametrize("name", NEUROKIT)
def test_figures_agree_with_neurokit(name):
    # Its powers are of an interpolation by parabolas, which damps 0.25 Hz a little.
    tolerance = 1e-9 if name in TIME_DOMAIN else 0.02
    assert values(measure(beat_times()))[name] == pytest.approx(NEUROKIT[name], rel=tolerance)


def test_power_of_each_band_is_that_of_its_oscillation():
    found = values(measure(beat_times()))
    assert found["vlf_ms2"] == pytest.approx(30**2 / 2, rel=0.03)
    assert found["lf_ms2"] == pytest.approx(40**2 / 2, rel=0.03)
    assert found["hf_ms2"] == pytest.approx(25**2 / 2, rel=0.03)
    assert found["lf_nu"] == pytest.approx(100 * 1600 / 2225, rel=0.03)
    assert found["lf_nu"] + found["hf_nu"] == pytest.approx(100)
    assert found["lf_hf"] == pytest.approx(1600 / 625, rel=0.05)


@pytest.mark.parametrize(
    ("seconds", "absent"),
    [
        (305, set()),
        (290, {"vlf_ms2"}),
        (110, {"vlf_ms2", "lf_ms2", "lf_hf", "lf_nu", "hf_nu"}),
        (50, {"vlf_ms2", "lf_ms2", "hf_ms2", "lf_hf", "lf_nu", "hf_nu"}),
    ],
)
def test_a_band_needs_a_recording_of_ten_of_its_periods(seconds, absent):
    found = measure(beat_times(seconds)).figures
    assert {name for name, figure in found.items() if figure.value is None} == absent
    assert all("are needed" in found[name].reason for name in absent)


def test_an_early_beat_and_its_pause_are_left_out_and_change_little():
    clean = beat_times()
    early = clean.copy()
    early[[100, 300, 500]] -= 0.3
    before, after = measure(clean), measure(early)
    assert after.n_left_out == 6
    assert after.n_intervals == before.n_intervals
    for name in ("sdnn_ms", "rmssd_ms", "hf_ms2", "lf_ms2"):
        assert values(after)[name] == pytest.approx(values(before)[name], rel=0.06), name


def test_a_missed_beat_is_left_out():
    found = measure(np.delete(beat_times(), 300))
    assert found.n_left_out == 1
    assert found.figures["rmssd_ms"].n == found.n_intervals - 3


def test_an_irregular_rhythm_has_no_variability_to_speak_of():
    rr = np.random.default_rng(0).uniform(0.4, 1.2, 400)
    found = measure(np.cumsum(rr))
    assert set(values(found).values()) == {None}
    assert all("sinus rhythm only" in figure.reason for figure in found.figures.values())
    assert found.n_left_out > 80


def test_nothing_is_taken_across_a_gap():
    times = beat_times(300)
    halves = np.concatenate([times, times + 302.3])
    stretch = np.repeat([0, 1], len(times))
    found, one = measure(halves, stretch), measure(times)
    assert found.n_intervals == 2 * one.n_intervals
    assert found.figures["rmssd_ms"].n == 2 * one.figures["rmssd_ms"].n
    for name, value in values(one).items():
        assert values(found)[name] == pytest.approx(value, rel=0.01), name


@pytest.mark.parametrize("n_beats", range(MIN_INTERVALS + 1))
def test_too_few_beats_give_reasons(n_beats):
    found = measure(np.arange(n_beats) * 0.8)
    assert set(values(found).values()) == {None}
    assert all(figure.reason and "are needed" in figure.reason for figure in found.figures.values())


def test_a_metronome_has_no_ratio_to_give():
    found = measure(np.arange(500) * 0.8)
    assert values(found)["sdnn_ms"] == pytest.approx(0, abs=1e-9)
    assert found.figures["sd1_sd2"].reason == "SD2 is 0"
    assert found.figures["lf_hf"].value is None
    assert "no power" in found.figures["lf_hf"].reason
