"""The features of beats: what they must not depend on, and what they must tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.beat_classes.families import FS, find_families
from ecg_core.beat_classes.features import beat_features, feature_matrix, feature_names
from ecg_core.beat_classes.timing import running_median, timing_features
from ecg_core.synthesis import synthesize


def features_of(made, gain=1.0, shift_s=0.0):
    times = made.truth.r_s[(made.truth.r_s > 0.2) & (made.truth.r_s < made.recording.duration_s - 0.3)]
    zeros = np.zeros(len(times))
    return beat_features(made.recording.signal * gain, times + shift_s, zeros, zeros)


@pytest.fixture(scope="module")
def pvc():
    return synthesize("pvc", fs=FS, leads=("II", "V1"), duration_s=30, seed=1)


def test_names_are_the_same_for_any_recording(pvc):
    names = feature_names()
    assert len(set(names)) == len(names)
    assert tuple(features_of(pvc)) == names
    matrix = feature_matrix({"rr_before_s": np.ones(2)}, names)
    assert matrix.shape == (2, len(names))
    assert np.isnan(matrix).sum() == 2 * (len(names) - 1)


def test_gain_and_small_errors_of_place_change_nothing_but_the_stated_amplitude(pvc):
    plain = features_of(pvc)
    louder, moved = features_of(pvc, gain=3.0), features_of(pvc, shift_s=0.008)
    for name, values in plain.items():
        if not name.startswith("template_mv"):
            np.testing.assert_allclose(louder[name], values, atol=1e-3, err_msg=name)
        if name.startswith(("body_likeness", "family_is", "family_share")):
            np.testing.assert_allclose(moved[name], values, atol=0.05, err_msg=name)


def test_ventricular_beats_are_early_broad_and_of_another_family(pvc):
    found = features_of(pvc)
    times = pvc.truth.r_s
    inside = (times > 0.2) & (times < 29.7)
    v = np.array([name == "V" for name in pvc.truth.symbol])[inside]
    assert (found["family_is_dominant"] == ~v).all()
    assert np.nanmax(found["rr_before_to_normal"][v]) < np.nanmin(found["rr_before_to_normal"][~v])
    assert found["qrs_width_more_s.0"][v].min() > found["qrs_width_more_s.0"][~v].max()


def test_a_bigeminy_has_the_later_beats_for_its_usual_ones():
    made = synthesize("bigeminy", fs=FS, leads=("II",), duration_s=30, seed=2)
    found = features_of(made)
    inside = (made.truth.r_s > 0.2) & (made.truth.r_s < 29.7)
    v = np.array([name == "V" for name in made.truth.symbol])[inside]
    assert (found["family_is_dominant"] == ~v).all()


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 2))
@settings(max_examples=30, deadline=None)
def test_any_beats_in_any_noise_have_features_without_warnings(n, seed, n_leads):
    rng = np.random.default_rng(seed)
    signal = rng.standard_normal((n_leads, 2500)) * rng.choice((0, 0.01, 1.0), (n_leads, 1))
    signal[:, rng.integers(2500) :] = rng.choice((np.nan, 0.0))
    times = np.sort(rng.uniform(0, 10, n))
    found = beat_features(signal, times, np.sort(rng.integers(0, 3, n)), np.full(n, np.nan))
    assert not any(np.isinf(values).any() for values in found.values())
    assert all(values.shape == (n,) for values in found.values())


def test_no_interval_reaches_across_a_gap():
    times = np.array([0.0, 1.0, 2.0, 9.0, 10.0])
    found = timing_features(times, np.array([0, 0, 0, 1, 1]), np.ones(5, bool))
    np.testing.assert_array_equal(found["rr_before_s"], [np.nan, 1, 1, np.nan, 1])
    np.testing.assert_array_equal(found["rr_after_s"], [1, 1, np.nan, 1, np.nan])


def test_a_run_that_begins_with_a_jump_is_told_from_a_heart_that_hastens():
    jump = np.cumsum(np.r_[np.full(40, 0.8), np.full(20, 0.45), np.full(40, 0.8)])
    hasten = np.cumsum(np.r_[np.full(40, 0.8), np.linspace(0.8, 0.45, 20), np.full(20, 0.45)])
    entries = []
    for times in (jump, hasten):
        found = timing_features(times, np.zeros(len(times)), np.ones(len(times), bool))
        entries.append(found["episode_jump"][-1 if times is hasten else 50])
    assert entries[0] == pytest.approx(np.log(0.45 / 0.8))
    assert np.isnan(entries[1]) or entries[1] > -0.1


def test_running_median_passes_over_what_is_not_known():
    values = np.array([1.0, np.nan, 3.0, 100.0, 5.0])
    np.testing.assert_array_equal(running_median(values, 3), [1.0, 2.0, 51.5, 5.0, 52.5])
    assert np.isnan(running_median(np.full(3, np.nan), 3)).all()


def test_families_are_as_many_as_there_are_shapes(pvc):
    times = pvc.truth.r_s[(pvc.truth.r_s > 0.2) & (pvc.truth.r_s < 29.7)]
    families = find_families(pvc.recording.signal, np.rint(times * FS).astype(int))
    assert len(families.templates) == 2
    assert families.size.sum() == len(times)
