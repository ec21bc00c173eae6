"""Figures of the leads against what was put into them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.quality import LeadFigures, measure_leads
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

NAMES = [item.name for item in fields(LeadFigures)]


def one_lead(signal: np.ndarray, fs: float = 500.0) -> Recording:
    return Recording(signal[None], fs, ("II",))


def beats(**options) -> Recording:
    return synthesize(seed=1, **options).recording


def test_hum_is_measured_in_millivolts_at_either_frequency():
    base = beats(leads=("II",))
    t = np.arange(base.n_samples) / base.fs
    for hz in (50, 60, 59.8):
        figures = measure_leads(replace(base, signal=base.signal + 0.3 * np.sin(2 * np.pi * hz * t)))
        assert figures.mains_mv[0] == pytest.approx(0.3, abs=0.01)
    assert measure_leads(base).mains_mv[0] < 0.01


def test_tremor_is_measured_between_the_beats():
    rng = np.random.default_rng(0)
    base = beats(leads=("II",))
    white = 0.1 * rng.standard_normal(base.n_samples)
    in_band = 0.1 * np.sqrt((45 - 30) / 250)
    for signal in (white, base.signal[0] + white):
        # So short a stretch of so narrow a band is quieter in the median than on average.
        assert 0.75 * in_band < measure_leads(one_lead(signal)).muscle_mv[0] < in_band
    assert measure_leads(base).muscle_mv[0] < 0.005


def test_wander_is_the_span_of_the_means():
    base = beats(leads=("II",))
    t = np.arange(base.n_samples) / base.fs
    wander = measure_leads(replace(base, signal=base.signal + np.sin(2 * np.pi * 0.1 * t))).baseline_mv[0]
    assert wander == pytest.approx(2.0, abs=0.2)


def test_flat_and_clipped_are_shares_of_the_time():
    signal = np.array(beats(leads=("II",)).signal[0])
    signal[2500:] = 0.0
    assert measure_leads(one_lead(signal)).flat[0] == pytest.approx(0.5)
    swing = np.clip(3 * np.sin(2 * np.pi * np.arange(5000) / 500), -1, 1)
    assert measure_leads(one_lead(swing)).clipped[0] == pytest.approx(1 - 2 * np.arcsin(1 / 3) / np.pi, abs=0.02)


def test_slow_clean_beats_are_neither_flat_nor_clipped():
    figures = measure_leads(synthesize(rate_bpm=40, duration_s=20, seed=2).recording)
    assert not figures.flat.any()
    assert figures.clipped.max() < 0.01


def test_a_lead_of_noise_disagrees_and_a_dead_one_has_no_agreement():
    base = beats()
    signal = np.array(base.signal)
    signal[3] = 0.2 * np.random.default_rng(0).standard_normal(base.n_samples)
    signal[7] = 1.0
    agreement = measure_leads(replace(base, signal=signal)).agreement
    assert abs(agreement[3]) < 0.3
    assert agreement[7] == 0
    assert np.delete(agreement, (3, 7)).min() > 0.7


def test_one_lead_alone_agrees_with_nobody():
    assert np.isnan(measure_leads(beats(leads=("II",))).agreement).all()


def test_hum_at_a_rate_that_cannot_hold_it_is_unknown_not_none():
    figures = measure_leads(beats(fs=100))
    assert np.isnan(figures.mains_mv).all()
    assert not np.isnan(figures.muscle_mv).any()
    assert np.isnan(measure_leads(beats(fs=80)).muscle_mv).all()


def test_figures_hardly_depend_on_the_rate():
    low, high = (measure_leads(beats(fs=fs, noise="muscle", snr_db=15)) for fs in (250, 1000))
    for name in ("span_mv", "baseline_mv", "beat_mv", "agreement", "beat_share"):
        np.testing.assert_allclose(getattr(low, name), getattr(high, name), rtol=0.15, atol=0.03, err_msg=name)


def test_a_strip_on_a_printed_page_is_measured_where_it_was_recorded():
    base = beats(noise="muscle", snr_db=10)
    signal = np.full_like(base.signal, np.nan)
    for row in range(12):
        start = row // 3 * 1250
        signal[row, start : start + 1250] = base.signal[row, start : start + 1250]
    page, whole = measure_leads(replace(base, signal=signal)), measure_leads(base)
    np.testing.assert_allclose(page.missing, 0.75)
    np.testing.assert_allclose(page.muscle_mv, whole.muscle_mv, rtol=0.5)
    assert not np.isnan(page.agreement).any()


def test_long_recordings_are_measured_window_by_window():
    hour = synthesize(duration_s=600, fs=125, leads=("I", "II"), seed=3).recording
    signal = np.array(hour.signal)
    signal[0, : hour.n_samples // 4] = 0.0
    figures = measure_leads(replace(hour, signal=signal))
    assert figures.flat[0] == pytest.approx(0.25, abs=0.01)
    assert figures.beat_mv[0] > 0.05


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 400),
    st.sampled_from([1.0, 40.0, 100.0, 128.2, 500.0]),
    st.integers(0, 2**32 - 1),
)
def test_any_shape_rate_and_gaps_give_one_figure_a_lead(n_leads, n, fs, seed):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((n_leads, n))
    signal[rng.random((n_leads, n)) < rng.choice([0, 0.1, 0.9, 1.0])] = np.nan
    figures = measure_leads(Recording(signal, fs, tuple(f"ECG{i}" for i in range(n_leads))))
    for name in NAMES:
        values = getattr(figures, name)
        assert values.shape == (n_leads,)
        assert not np.isinf(values).any()
    np.testing.assert_allclose(figures.missing, np.isnan(signal).mean(axis=1), atol=1e-9)
    for name in ("flat", "clipped", "beat_share"):
        values = getattr(figures, name)
        assert np.all(np.isnan(values) | ((values >= 0) & (values <= 1 + 1e-6)))
