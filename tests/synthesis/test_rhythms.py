"""Rhythms: when the beats come, and what belongs to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.synthesis import RHYTHMS, synthesize


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(25, 220), seed=st.integers(0, 1000))
def test_sinus_rhythm_keeps_the_rate_it_is_given(rate, seed):
    truth = synthesize(rate_bpm=rate, duration_s=30, fs=100, seed=seed).truth
    assert truth.heart_rate_bpm == pytest.approx(rate, rel=0.03)
    assert set(truth.symbol) == {"N"}
    expected = "SBRAD" if rate < 60 else "STACH" if rate > 100 else "SR"
    assert expected in truth.statements
    assert ("NORM" in truth.statements) == (expected == "SR")


def test_rr_breathes_with_respiration_and_stands_still_without_variability():
    swinging = synthesize(duration_s=120, fs=100, respiratory_swing=0.08, respiration_hz=0.2).truth
    spectrum = np.abs(
        np.fft.rfft(np.interp(np.arange(0, 118, 0.25), swinging.r_s[1:], swinging.rr_s) - swinging.rr_s.mean())
    )
    assert np.fft.rfftfreq(472, 0.25)[spectrum.argmax()] == pytest.approx(0.2, abs=0.02)
    still = synthesize(duration_s=30, fs=100, variability=0).truth
    assert np.ptp(still.rr_s) < 1e-9


def test_r_peaks_are_where_the_signal_is_largest():
    made = synthesize("pac", fs=1000)
    size = np.abs(made.recording.signal).max(axis=0)
    for at in made.truth.r_s:
        nearby = slice(max(0, round(1000 * at) - 60), round(1000 * at) + 60)
        assert abs(size[nearby].argmax() - (round(1000 * at) - nearby.start)) < 25


def test_fibrillation_has_no_p_and_rr_intervals_that_know_nothing_of_each_other():
    made = synthesize("af", duration_s=900, fs=100)
    truth = made.truth
    rr = truth.rr_s
    assert np.isnan(truth.p.onset_s).all()
    assert len(truth.lone["p"]) == 0
    assert np.isnan(truth.pr_ms).all()
    assert np.isnan(truth.p_axis_deg).all()
    assert rr.std() / rr.mean() == pytest.approx(0.22, abs=0.03)
    assert rr.min() > 0.3
    assert abs(np.corrcoef(rr[:-1], rr[1:])[0, 1]) < 3 / np.sqrt(len(rr))


def test_fibrillation_waves_of_5_to_8_hz_fill_the_gaps_in_v1():
    # A dipole without beats to speak of: what is left is the baseline.
    made = synthesize("af", duration_s=60, fs=100, rate_bpm=40, gain=1.0)
    flat = synthesize("af", duration_s=60, fs=100, rate_bpm=40, gain=1.0, f_wave_mv=0.0)
    waves = made.recording.lead("V1") - flat.recording.lead("V1")
    spectrum = np.abs(np.fft.rfft(waves)) ** 2
    frequency = np.fft.rfftfreq(len(waves), 0.01)
    assert spectrum[(frequency > 4) & (frequency < 9)].sum() > 0.6 * spectrum.sum()
    assert 0.03 < waves.std() < 0.15


@pytest.mark.parametrize(("conduction", "ratios"), [("2:1", {2}), ("3:1", {3}), ("4:1", {4}), ("variable", {2, 3, 4})])
def test_flutter_conducts_whole_waves(conduction, ratios):
    rate = 300 / np.mean([2, 2, 3, 4] if conduction == "variable" else list(ratios))
    truth = synthesize("flutter", conduction=conduction, rate_bpm=rate, duration_s=60, fs=100).truth
    waves = truth.rr_s / 0.2
    assert set(np.round(waves).astype(int)) == ratios
    np.testing.assert_allclose(waves, np.round(waves), atol=1e-3)
    assert len(truth.lone["p"]) == 0


def test_flutter_waves_come_at_300_a_minute_and_point_down_in_the_inferior_leads():
    made = synthesize("flutter", duration_s=20, fs=250, gain=1)
    flat = synthesize("flutter", duration_s=20, fs=250, gain=1, f_wave_mv=0.0)
    tooth = (made.recording.lead("II") - flat.recording.lead("II")).astype(float)
    assert np.fft.rfftfreq(len(tooth), 1 / 250)[np.abs(np.fft.rfft(tooth)).argmax()] == pytest.approx(5.0)
    # A long descent, a quick return.
    assert (np.diff(tooth) < 0).mean() > 0.6


def test_supraventricular_beats_come_early_with_another_p_and_an_incomplete_pause():
    truth = synthesize("pac", duration_s=60, fs=100, variability=0).truth
    early = np.flatnonzero(np.array(truth.symbol) == "S")
    early = early[(early > 0) & (early < len(truth.symbol) - 1)]
    assert len(early) > 5
    normal = 60 / 70
    before, after = truth.rr_s[early - 1], truth.rr_s[early]
    assert (before < 0.75 * normal).all()
    assert (after > normal).all()
    assert (before + after < 1.9 * normal).all()
    assert np.isfinite(truth.p.peak_s[early]).all()
    assert (np.abs(truth.p_axis_deg[early] - truth.axis_deg("p")) > 90).all()
    np.testing.assert_allclose(truth.qrs_ms[early], truth.interval_ms("qrs"))


@pytest.mark.parametrize("rhythm", ["pvc", "bigeminy"])
def test_ventricular_beats_are_broad_without_p_and_followed_by_a_full_pause(rhythm):
    made = synthesize(rhythm, duration_s=60, fs=250, variability=0)
    truth = made.truth
    early = np.flatnonzero(np.array(truth.symbol) == "V")
    early = early[(early > 0) & (early < len(truth.symbol) - 1)]
    assert np.isnan(truth.p.onset_s[early]).all()
    assert (truth.qrs_ms[early] > 120).all()
    normal = np.setdiff1d(np.arange(len(truth.symbol)), np.flatnonzero(np.array(truth.symbol) == "V"))
    around = truth.qrs.onset_s[early + 1] - truth.qrs.onset_s[early - 1]
    np.testing.assert_allclose(around, 2 * 60 / RHYTHMS[rhythm].rate_bpm, atol=1e-9)
    ii = made.recording.lead("II")
    for i in early:
        rows = slice(round(truth.qrs.onset_s[i] * 250), round(truth.qrs.end_s[i] * 250))
        assert ii[rows].sum() * ii[round(truth.t.peak_s[i] * 250)] < 0
    assert {truth.symbol[i] for i in normal} == {"N"}
    if rhythm == "bigeminy":
        assert "".join(truth.symbol).replace("NV", "") in ("", "N", "V", "VN")


def test_first_degree_block_prolongs_pr():
    truth = synthesize("first_degree_block").truth
    assert truth.interval_ms("pr") == pytest.approx(260)
    assert synthesize("first_degree_block", pr_ms=320).truth.interval_ms("pr") == pytest.approx(320)
    assert "1AVB" in truth.statements


def test_two_to_one_block_has_a_blocked_p_between_any_two_beats():
    truth = synthesize("block_2_to_1", duration_s=60, fs=100).truth
    assert truth.heart_rate_bpm == pytest.approx(40, rel=0.03)
    blocked, conducted = truth.lone["p"].peak_s, truth.p.peak_s
    for first, second in zip(truth.r_s[:-1], truth.r_s[1:], strict=True):
        assert ((blocked > first) & (blocked < second)).sum() == 1
        assert ((conducted > first) & (conducted < second)).sum() == 1
    peaks = np.concatenate([blocked, conducted])
    assert np.diff(np.sort(peaks[~np.isnan(peaks)])).std() < 0.05


@pytest.mark.parametrize("fs", [250.0, 500.0, 1000.0])
def test_paced_beats_follow_narrow_spikes_that_every_rate_shows(fs):
    made = synthesize("paced", fs=fs)
    truth = made.truth
    assert set(truth.symbol) == {"Q"}
    assert (truth.qrs_ms >= 150).all()
    assert np.isnan(truth.pr_ms).all()
    assert np.isnan(truth.p.onset_s).all()
    assert len(truth.lone["p"]) > 10
    assert truth.statements == ("PACE",)
    ii = made.recording.lead("II").astype(float)
    for spike in truth.pacing_spikes_s:
        at = round(spike * fs)
        near = ii[max(0, at - 3) : at + 4]
        width = (np.abs(near) > 0.5 * np.abs(near).max()).sum()
        assert near.max() > 0.35
        assert width <= max(2, 0.002 * fs + 1)
    gaps = truth.qrs.onset_s[:, None] - truth.pacing_spikes_s
    nearest = np.min(np.where(gaps > 0, gaps, np.inf), axis=1)
    np.testing.assert_allclose(nearest[np.isfinite(truth.qrs.onset_s)][1:], 0.004, atol=1e-9)


def test_paced_without_atrial_activity_has_no_p_at_all():
    truth = synthesize("paced", p_rate_bpm=0).truth
    assert len(truth.lone["p"]) == 0


@pytest.mark.parametrize("rhythm", RHYTHMS)
def test_one_episode_spans_the_recording(rhythm):
    made = synthesize(rhythm, duration_s=7.0, fs=100)
    (episode,) = made.truth.episodes
    assert (episode.start_s, episode.end_s, episode.rhythm) == (0.0, 7.0, rhythm)


def test_no_sinus_rate_makes_t_run_into_the_next_p_up_to_140():
    for rate in (60, 100, 120, 140):
        truth = synthesize(rate_bpm=rate, fs=100).truth
        assert (truth.t.end_s[:-1] < truth.p.onset_s[1:]).all()


def test_an_hour_is_as_easy_as_ten_seconds():
    made = synthesize(duration_s=3600, fs=100, leads=("II",))
    assert made.recording.signal.shape == (1, 360_000)
    assert len(made.truth.symbol) == pytest.approx(3600 * 68 / 60, rel=0.01)
