"""Pacing spikes: found where they are, and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_core.pacing import find_pacing
from ecg_core.preprocess import bandpass, resample
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from ecg_core.synthesis.shapes import SHAPES

SPIKE_MV = np.array([0.5, 0.8, 0.3, -0.65, 0.1, 0.55, -0.4, 0.3, 0.6, 0.9, 0.7, 0.5])


def made(rhythm: str = "sinus", shape: str = "normal", **options) -> Recording:
    return synthesize(rhythm, shape, **{"seed": 4, **options}).recording


def with_spikes(recording: Recording, times_s, size_mv=SPIKE_MV, width_s: float = 0.002) -> Recording:
    """Return the recording with a rectangular spike at each time, of its own size in each lead."""
    signal = np.array(recording.signal)
    for time_s in times_s:
        first = round(time_s * recording.fs)
        signal[:, first : first + max(1, round(width_s * recording.fs))] += np.asarray(size_mv)[:, None]
    return replace(recording, signal=signal)


def onsets(kind: str, **options) -> tuple[Recording, np.ndarray]:
    """Return a sinus rhythm and the onsets of its P waves or QRS complexes, those cut by an edge left out."""
    found = synthesize("sinus", seed=4, **options)
    times = getattr(found.truth, kind).onset_s
    return found.recording, times[(times > 0.2) & (times < found.recording.duration_s - 0.5)]


@pytest.mark.parametrize("fs", [250, 360, 500, 1000, 2000])
@pytest.mark.parametrize("leads", [("II",), ("II", "V1"), None])
def test_ventricular_pacing_is_found_at_every_rate(fs, leads):
    options = {} if leads is None else {"leads": leads}
    recording = made("paced", fs=fs, **options)
    found = find_pacing(recording)
    assert found.paced is True
    assert set(found.chambers) == {"ventricular"}
    assert len(found) >= 9
    assert set(found.leads) <= set(recording.leads)
    assert "ventricular pacing" in found.evidence[0]


def test_spikes_are_timed_to_a_few_milliseconds():
    recording, qrs_s = onsets("qrs")
    spikes_s = qrs_s - 0.02
    found = find_pacing(with_spikes(recording, spikes_s))
    assert len(found) == len(spikes_s)
    np.testing.assert_allclose(found.times_s, spikes_s, atol=0.005)


def test_atrial_and_dual_chamber_pacing_are_told_apart():
    recording, p_s = onsets("p", duration_s=12)
    _, qrs_s = onsets("qrs", duration_s=12)
    atrial = find_pacing(with_spikes(recording, p_s - 0.02))
    assert (atrial.paced, set(atrial.chambers)) == (True, {"atrial"})
    both = find_pacing(with_spikes(recording, np.concatenate((p_s - 0.02, qrs_s - 0.02))))
    assert set(both.chambers) == {"atrial", "ventricular"}
    assert (np.diff(both.times_s) > 0).all()
    assert len(both.evidence) == 3


def test_demand_pacing_of_some_beats_is_found():
    recording, qrs_s = onsets("qrs")
    found = find_pacing(with_spikes(recording, qrs_s[:4] - 0.02))
    assert found.paced is True
    assert len(found) == 4


@pytest.mark.parametrize("fs", [250, 500])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_of_the_heart_is_taken_for_pacing(shape, fs):
    for leads in (("II",), None):
        recording = made(shape=shape, fs=fs, **({} if leads is None else {"leads": leads}))
        assert find_pacing(recording).paced is False


@pytest.mark.parametrize("noise", [{"muscle": 6}, {"muscle": -6}, {"motion": 0}, {"mains": -6}, {"baseline": -10}])
@pytest.mark.parametrize("rhythm", ["sinus", "af", "flutter", "bigeminy"])
def test_no_noise_makes_pacing(rhythm, noise):
    recording = made(rhythm, noise=noise)
    assert find_pacing(recording).paced is False
    assert find_pacing(recording.select(("V5",))).paced is False


def test_glitches_at_random_times_are_no_pacing():
    rng = np.random.default_rng(1)
    recording = made()
    assert find_pacing(with_spikes(recording, rng.uniform(0.3, 9.5, 12))).paced is False
    alone = with_spikes(recording, rng.uniform(0.3, 9.5, 12), size_mv=np.full(12, 8.0)).select(("II",))
    assert find_pacing(alone).paced is False


def test_glitches_of_one_lead_among_twelve_are_no_pacing():
    recording, qrs_s = onsets("qrs")
    size = np.zeros(12)
    size[8] = 1.0
    assert find_pacing(with_spikes(recording, qrs_s - 0.03, size_mv=size)).paced is False


def test_noise_of_one_arm_in_all_limb_leads_is_no_pacing():
    recording, qrs_s = onsets("qrs")
    right_arm = np.array([-1, -1, 0, 1, -0.5, -0.5, 0, 0, 0, 0, 0, 0])
    assert find_pacing(with_spikes(recording, qrs_s - 0.03, size_mv=right_arm)).paced is False


def test_steps_and_saturation_are_no_pacing():
    base = made()
    stepped = np.array(base.signal)
    for first in (900, 2100, 3300):
        stepped[:, first:] += 1.5
    assert find_pacing(replace(base, signal=stepped)).paced is False
    assert find_pacing(replace(base, signal=np.clip(base.signal, -0.1, 0.1))).paced is False


def test_two_spikes_are_too_few():
    recording, qrs_s = onsets("qrs")
    found = find_pacing(with_spikes(recording, qrs_s[2:4] - 0.02))
    assert found.paced is False
    assert len(found) == 0


def test_gaps_and_missing_leads_do_not_matter():
    recording, qrs_s = onsets("qrs")
    signal = np.array(with_spikes(recording, qrs_s - 0.02).signal)
    signal[:, 2000:2300] = np.nan
    signal[7] = np.nan
    found = find_pacing(replace(recording, signal=signal))
    assert found.paced is True
    assert "V2" not in found.leads


def test_a_long_recording_paced_for_a_while_tells_when():
    recording, qrs_s = onsets("qrs", duration_s=180, leads=("II", "V1"))
    paced_s = qrs_s[(qrs_s > 60) & (qrs_s < 90)] - 0.02
    found = find_pacing(with_spikes(recording, paced_s, size_mv=[0.8, -0.6]))
    assert len(found) == pytest.approx(len(paced_s), abs=2)
    assert found.times_s.min() >= 59
    assert found.times_s.max() <= 90


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (made("paced", fs=128), "128 Hz is too slow"),
        (made("paced", duration_s=2), "2.0 s are too short"),
        (bandpass(made("paced"), 0.5, 40), "the samples are not those recorded: bandpass"),
        (resample(made("paced"), 250), "the samples are not those recorded: resample"),
        (Recording(np.zeros((2, 5000)), 500, ("I", "II")), "no lead holds a signal"),
        (Recording(np.full((2, 5000), np.nan), 500, ("I", "II")), "no lead holds a signal"),
    ],
)
def test_where_it_cannot_be_judged_there_is_a_reason(recording, reason):
    found = find_pacing(recording)
    assert found.paced is None
    assert reason in found.reason
    assert len(found) == 0


def test_json_form():
    found = json.loads(json.dumps(find_pacing(made("paced")).to_dict(), allow_nan=False))
    assert set(found) == {"paced", "times_s", "chambers", "leads", "evidence", "reason"}
    assert found["paced"] is True
    assert len(found["times_s"]) == len(found["chambers"])
