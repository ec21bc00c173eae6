"""The beat that electrodes are judged from: the same whatever was exchanged, the rate, and noise of one beat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg_core.beats import Beats, detect_beats
from ecg_core.evaluation.reversals import exchange
from ecg_core.leads import STANDARD_12
from ecg_core.quality.arrangements import ARRANGEMENTS
from ecg_core.quality.typical_beat import EDGES_S, N_TIMES, limb_leads, typical_beat
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize


def made(**options) -> Recording:
    return synthesize(**{"seed": 6, **options}).recording


def beat_of(recording: Recording) -> np.ndarray:
    beat = typical_beat(recording, detect_beats(recording, method="fast"))
    assert not isinstance(beat, str), beat
    return beat


def test_exchanging_electrodes_exchanges_its_rows_and_nothing_else():
    recording = made(fs=250)
    beats = detect_beats(recording, method="fast")
    right = typical_beat(recording, beats)
    for arrangement in ARRANGEMENTS:
        found = typical_beat(exchange(recording, arrangement.kind), beats)
        np.testing.assert_allclose(found, right[arrangement.placed], atol=2e-4)


def test_rate_hardly_matters():
    slow, fast = beat_of(made(fs=125)), beat_of(made(fs=1000))
    assert np.corrcoef(slow.ravel(), fast.ravel())[0, 1] > 0.98


def test_one_strange_beat_does_not_show():
    recording = made()
    strange = np.array(recording.signal)
    strange[:, 2000:2600] += 3 * np.sin(np.arange(600) / 20)
    assert np.abs(beat_of(replace(recording, signal=strange)) - beat_of(recording)).max() < 0.1


def test_it_has_no_mean():
    beat = beat_of(made())
    assert beat.shape == (9, N_TIMES)
    np.testing.assert_allclose(beat @ np.diff(EDGES_S), 0, atol=1e-9)
    i, ii, iii = limb_leads(beat)
    np.testing.assert_allclose(ii - i, iii)


def test_limb_leads_other_than_i_and_ii_serve_as_well():
    recording = made()
    others = recording.select(("aVR", "aVF", *STANDARD_12[6:]))
    np.testing.assert_allclose(beat_of(others), beat_of(recording), atol=0.05)


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (made(leads=("I", "II", "V1", "V2")), "V3, V4, V5, V6 not recorded"),
        (made(leads=("II", *STANDARD_12[6:])), "two limb leads are needed"),
        (made(fs=80), "80 Hz is too slow"),
        (made(duration_s=2), "whole beats"),
        (made(lead_off=("V3",), lead_off_mode="flat"), "V3 without a signal"),
        (made(lead_off=("V3",), lead_off_mode="nan"), "0 whole beats in which all leads were recorded"),
    ],
)
def test_where_there_is_none_there_is_a_reason(recording, reason):
    found = typical_beat(recording, detect_beats(recording, method="fast"))
    assert isinstance(found, str)
    assert reason in found


def test_a_long_recording_is_judged_from_some_of_its_beats():
    recording = made(duration_s=120, fs=125)
    beats = detect_beats(recording, method="fast")
    few = Beats(beats.times_s[::5], beats.stretch[::5], beats.method, beats.leads)
    assert np.abs(typical_beat(recording, beats) - typical_beat(recording, few)).max() < 0.05
