"""What is done to whole recordings is what is said to be done, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.conditions import MADE_NOISE, RECORDED_NOISE, Noise, trials
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize


@pytest.fixture(scope="module")
def tried():
    return {trial.name: trial for trial in trials(Noise.made())}


@pytest.fixture(scope="module")
def recording() -> Recording:
    made = synthesize(fs=250, seed=1).recording
    signal = np.array(made.signal)
    signal[made.leads.index("V3"), :100] = np.nan
    return Recording(signal, 250, made.leads)


def changed(tried, name: str, recording: Recording) -> Recording:
    return tried[name].change(recording, np.random.default_rng(0))


def test_every_condition_keeps_the_form_of_a_recording_and_what_was_not_recorded(tried, recording):
    for name, trial in tried.items():
        after = changed(tried, name, recording)
        assert (after.leads, after.fs, after.signal.shape) == (recording.leads, 250, recording.signal.shape)
        if trial.kind != "electrodes exchanged":
            assert np.isnan(after.signal[recording.leads.index("V3"), :100]).all()


def test_limb_leads_follow_from_i_and_ii_under_noise(tried, recording):
    rows = dict(zip(recording.leads, changed(tried, "all noise: 0 dB", recording).signal, strict=True))
    np.testing.assert_allclose(rows["III"], rows["II"] - rows["I"], atol=1e-5)
    np.testing.assert_allclose(rows["aVR"], -(rows["I"] + rows["II"]) / 2, atol=1e-5)
    assert np.abs(rows["I"] - recording.lead("I")).max() > 0.1


def test_amplitude_is_scaled_and_noise_is_the_same_again(tried, recording):
    half = changed(tried, "amplitude: times 0.5", recording)
    np.testing.assert_allclose(half.signal, 0.5 * recording.signal, atol=1e-6)
    twice = [changed(tried, "muscle: 0 dB", recording).signal for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_lost_leads_and_what_follows_from_them_are_not_recorded(tried, recording):
    lost = np.isnan(changed(tried, "leads lost: 3 of 8", recording).signal).all(axis=1)
    names = {name for name, gone in zip(recording.leads, lost, strict=True) if gone}
    assert len(names & set(INDEPENDENT_8)) == 3
    assert ({"III", "aVR", "aVL", "aVF"} <= names) == bool(names & {"I", "II"})


def test_one_lead_alone_is_changed_as_it_is_and_has_no_electrodes_to_exchange(tried):
    one = synthesize(fs=360, leads=("II",), seed=2).recording
    assert changed(tried, "mains: 50 Hz, 0.2 mV", one).signal.shape == one.signal.shape
    needs = {trial.kind for trial in tried.values() if trial.needs}
    assert needs == {"leads lost", "electrodes exchanged"}


def test_noise_is_recorded_where_it_is_at_hand_and_says_so_where_not(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_DATA_DIR", str(tmp_path))
    assert Noise.find(tmp_path).about == MADE_NOISE
    assert "Stress Test" in RECORDED_NOISE
    assert Noise.made().at(500.0, 1_000_000)["em"].shape[1] > 1_000_000


def test_conditions_are_named_apart_and_ordered_by_kind(tried):
    kinds = [trial.kind for trial in tried.values()]
    assert len(dict.fromkeys(kinds)) == sum(1 for at, kind in enumerate(kinds) if at == 0 or kinds[at - 1] != kind)
    assert set(STANDARD_12) > set(INDEPENDENT_8)
