"""The figures of a strip: each tells the rhythms apart that it is there for, and none depends on what it must not."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.beats import detect_beats
from ecg_core.recording import Recording
from ecg_core.rhythm.intervals import measure_intervals
from ecg_core.rhythm.morphology import FS
from ecg_core.rhythm.strip import NETWORK_LENGTH, measure_strip, network_rows, prepare
from ecg_core.statistics import median, quantiles
from ecg_core.synthesis import synthesize


def measure(rhythm: str, *, lead: str = "II", **options) -> dict[str, float]:
    made = synthesize(rhythm, fs=options.pop("fs", 250), duration_s=30, leads=(lead,), **options)
    return of(made.recording)


def of(recording: Recording) -> dict[str, float]:
    times = detect_beats(recording, recording.leads[0], "fast").times_s
    return measure_strip(prepare(recording.signal[0], recording.fs), times)


@pytest.mark.parametrize("seed", range(3))
def test_p_waves_keep_step_in_sinus_rhythm_and_not_in_fibrillation(seed):
    sinus, af = measure("sinus", rate_bpm=88, seed=seed), measure("af", seed=seed)
    assert sinus["p_coherence"] > 0.9 > 0.6 > af["p_coherence"]
    assert sinus["p_alike_q20"] > 0.8 > af["p_alike_q20"]


@pytest.mark.parametrize("seed", range(3))
def test_intervals_of_fibrillation_are_irregular_throughout(seed):
    sinus, pac, af = (measure(rhythm, rate_bpm=80, seed=seed) for rhythm in ("sinus", "pac", "af"))
    assert sinus["rr_step_median"] < 0.05 < 0.1 < af["rr_step_median"]
    assert pac["rr_run_calm"] < af["rr_run_calm"]
    assert pac["rr_rmssd"] > 3 * sinus["rr_rmssd"]


def test_premature_beats_are_counted_and_told_by_their_shape():
    pac, pvc = measure("pac", seed=1), measure("pvc", seed=1)
    assert pac["rr_early_n"] >= 5
    assert pac["qrs_alike_early_n"] >= 5
    assert pac["qrs_odd_early_n"] == 0
    assert pvc["qrs_odd_early_n"] >= 5
    assert pvc["odd_spread_ratio"] > 1.2


def test_what_is_left_without_the_beats_shows_flutter():
    flutter, sinus = measure("flutter", rate_bpm=75, seed=1), measure("sinus", rate_bpm=75, seed=1)
    assert flutter["tq_f_rms"] > 2 * sinus["tq_f_rms"]
    assert flutter["rest_f_hz"] == pytest.approx(5.0, abs=0.3)


@pytest.mark.parametrize("rhythm", ["sinus", "af", "pvc"])
def test_a_strip_upside_down_has_the_same_figures(rhythm):
    recording = synthesize(rhythm, fs=250, duration_s=30, leads=("II",), noise="muscle", snr_db=25, seed=2).recording
    times = detect_beats(recording, "II", "fast").times_s
    strip = prepare(recording.signal[0], 250)
    up, down = measure_strip(strip, times), measure_strip(-strip, times)
    assert up.keys() == down.keys()
    assert [name for name in up if down[name] != pytest.approx(up[name], rel=1e-4, abs=1e-4)] == []


@pytest.mark.parametrize("fs", [128, 300, 1000])
def test_figures_hardly_depend_on_the_rate(fs):
    reference, found = measure("af", fs=250, seed=5), measure("af", fs=fs, seed=5)
    for name in ("rr_cv", "p_coherence", "qrs_alike_mean", "qrs_mv", "tq_f_rms"):
        assert found[name] == pytest.approx(reference[name], rel=0.1, abs=0.03), name


def test_amplitude_changes_amplitudes_alone():
    recording = synthesize("pvc", fs=250, duration_s=30, leads=("II",), noise="muscle", snr_db=25, seed=3).recording
    twice = Recording(recording.signal * 2, recording.fs, recording.leads)
    one, two = of(recording), of(twice)
    for name in one:
        if name.endswith("_mv"):
            assert two[name] == pytest.approx(2 * one[name], rel=0.02), name
        elif name != "flat_share":
            assert two[name] == pytest.approx(one[name], rel=0.05, abs=0.01), name


@pytest.mark.parametrize("n_beats", [0, 1, 2, 3, 4, 5])
def test_few_beats_give_fewer_figures_and_all_of_them_finite(n_beats):
    strip = prepare(synthesize(fs=250, leads=("I",), noise="muscle", snr_db=10).recording.signal[0], 250)
    found = measure_strip(strip, 1.0 + np.arange(n_beats) * 0.9)
    assert np.isfinite(list(found.values())).all()
    assert ("rr_cv" in found) == (n_beats >= 5)
    assert ("p_coherence" in found) == (n_beats >= 3)


@pytest.mark.parametrize("values", [np.zeros(2500), np.full(2500, np.nan), np.resize([0.0, 1.0], 2500)])
def test_signals_that_are_none_have_finite_figures(values):
    strip = prepare(values.astype(np.float32), 250)
    assert np.isfinite(strip).all()
    found = measure_strip(strip, np.arange(1, 9, 0.8))
    assert np.isfinite(list(found.values())).all()


def test_a_gap_is_bridged():
    recording = synthesize(fs=250, leads=("I",)).recording
    holed = np.array(recording.signal[0])
    holed[1000:1100] = np.nan
    strip = prepare(holed, 250)
    assert np.isfinite(strip).all()
    np.testing.assert_allclose(strip[:700], prepare(recording.signal[0], 250)[:700], atol=0.05)


def test_evenly_spaced_beats_are_regular_and_one_early_beat_is_seen():
    regular = measure_intervals(np.full(20, 0.8))
    assert regular["rr_cv"] == pytest.approx(0, abs=1e-12)
    assert regular["rr_early_n"] == 0
    assert regular["rr_origin"] == 1
    rr = np.full(20, 0.8)
    rr[7:9] = 0.5, 1.1
    early = measure_intervals(rr)
    assert (early["rr_early_n"], early["rr_late_n"], early["rr_early_paused_n"]) == (1, 1, 1)
    assert early["rr_steady_cv"] == pytest.approx(0, abs=1e-12)


def test_quantiles_are_those_of_numpy():
    rng = np.random.default_rng(0)
    for shape in ((1,), (2,), (7,), (10, 3)):
        values = rng.standard_normal(shape)
        np.testing.assert_allclose(
            quantiles(values, (0.0, 0.1, 0.25, 0.5, 0.95, 1.0)),
            np.quantile(values, (0.0, 0.1, 0.25, 0.5, 0.95, 1.0), axis=0),
        )
        np.testing.assert_allclose(median(values), np.median(values, axis=0))


@pytest.mark.parametrize(("seconds", "windows"), [(5, 1), (10, 1), (10.5, 1), (11, 2), (30, 3), (61, 7)])
def test_the_network_is_given_as_many_windows_as_hold_the_strip(seconds, windows):
    strip = np.sin(np.arange(int(seconds * FS)) / 7).astype(np.float32)
    rows = network_rows(strip)
    assert rows.shape == (windows, NETWORK_LENGTH, 1)
    held = (rows != 0).sum(axis=1)
    assert (held >= min(seconds, 10) * 125 * 0.98).all()


def test_the_network_is_given_the_same_whatever_the_gain():
    strip = prepare(synthesize(fs=250, leads=("I",)).recording.signal[0], 250)
    np.testing.assert_allclose(network_rows(strip), network_rows(10 * strip), atol=1e-5)
