"""The shipped model: what it says of rhythms whose truth is known, and when it says nothing. It may only get better."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from ecg_core.beats import Beats, detect_beats
from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording
from ecg_core.rhythm import LABELS, classify_rhythm, read_rhythm
from ecg_core.synthesis import synthesize

SEEDS = range(4)
TRUTH = {
    "sinus": "N",
    "af": "A",
    "pac": "O",
    "pvc": "O",
    "bigeminy": "O",
    "bradycardia": "O",
    "tachycardia": "O",
    "block_2_to_1": "O",
    "paced": "O",
}


def record(rhythm: str = "sinus", duration_s: float = 30.0, **options) -> Recording:
    given = {"fs": 300, "leads": ("I",), "noise": {"muscle": 20}, **options}
    return synthesize(rhythm, duration_s=duration_s, **given).recording


def joined(*parts: Recording) -> Recording:
    """Return recordings of one lead behind each other."""
    signal = np.concatenate([part.signal for part in parts], axis=1)
    return Recording(signal, parts[0].fs, parts[0].leads)


@pytest.mark.parametrize("seconds", [10, 30])
@pytest.mark.parametrize("rhythm", TRUTH)
def test_label_of_a_synthetic_rhythm(rhythm, seconds):
    told = [read_rhythm(record(rhythm, seconds, seed=seed)).label for seed in SEEDS]
    assert told == [TRUTH[rhythm]] * len(SEEDS)


@pytest.mark.parametrize("rhythm", ["sinus", "af"])
def test_turning_the_electrodes_round_does_not_change_the_label(rhythm):
    recording = record(rhythm, seed=1)
    turned = Recording(-recording.signal, recording.fs, recording.leads)
    assert read_rhythm(turned).label == read_rhythm(recording).label == TRUTH[rhythm]


@pytest.mark.parametrize("fs", [100, 128, 512])
@pytest.mark.parametrize("rhythm", ["sinus", "af"])
def test_any_rate_will_do(rhythm, fs):
    assert read_rhythm(record(rhythm, fs=fs, seed=2)).label == TRUTH[rhythm]


def test_noise_louder_than_the_heart_is_called_noise_or_left_without_an_answer():
    told = [read_rhythm(record(noise={"motion": -12, "muscle": -12}, seed=seed)) for seed in SEEDS]
    assert [rhythm.label for rhythm in told if rhythm.label not in ("~", None)] == []


def test_probabilities_sum_to_one_and_the_json_form_is_whole():
    rhythm = read_rhythm(record())
    assert sum(rhythm.probabilities.values()) == pytest.approx(1)
    assert tuple(rhythm.probabilities) == LABELS
    (episode,) = rhythm.episodes
    assert (episode.start_s, episode.end_s, episode.label) == (0, 30, "N")
    assert episode.probability == pytest.approx(rhythm.probability)
    found = json.loads(json.dumps(rhythm.to_dict(), allow_nan=False))
    assert found["label"] == "N"
    assert found["title"] == "normal rhythm"
    assert set(found["model"]) == {"name", "version", "sha256"}
    assert (found["lead"], found["reason"], found["unread_s"], found["af_burden"]) == ("I", None, 0, 0)


# --- long recordings ------------------------------------------------------------------------------------------------


def test_an_episode_of_fibrillation_is_found_where_it_is():
    recording = joined(record("sinus", 180, seed=1), record("af", 120, seed=2), record("sinus", 180, seed=3))
    rhythm = read_rhythm(recording)
    (af,) = (episode for episode in rhythm.episodes if episode.label == "A")
    assert af.start_s == pytest.approx(180, abs=31)
    assert af.end_s == pytest.approx(300, abs=31)
    assert rhythm.af_burden == pytest.approx(0.25, abs=0.07)
    assert rhythm.label == "N"


def test_episodes_follow_each_other_without_gap_or_overlap():
    rhythm = read_rhythm(joined(record("af", 100, seed=1), record("pvc", 100, seed=2)))
    edges = [(episode.start_s, episode.end_s) for episode in rhythm.episodes]
    assert edges[0][0] == 0
    assert edges[-1][1] == pytest.approx(200)
    assert all(first[1] == second[0] for first, second in pairwise(edges))


def test_what_was_not_recorded_lies_in_no_episode():
    gap = Recording(np.full((1, 300 * 120), np.nan), 300, ("I",))
    rhythm = read_rhythm(joined(record(duration_s=120, seed=1), gap, record(duration_s=120, seed=2)))
    assert rhythm.unread_s == pytest.approx(120, abs=1)
    first, second = rhythm.episodes
    assert first.end_s == pytest.approx(120, abs=1)
    assert second.start_s == pytest.approx(240, abs=1)


def test_a_window_is_answered_as_a_strip_of_its_own():
    long = joined(record("pvc", 90, seed=4))
    whole = read_rhythm(long)
    parts = [read_rhythm(Recording(long.signal[:, at : at + 9000], 300, ("I",))) for at in (0, 9000, 18000)]
    assert {part.label for part in parts} == {whole.label} == {"O"}


# --- which lead, which beats ----------------------------------------------------------------------------------------


def test_lead_two_is_read_unless_it_is_poor_or_another_is_named():
    leads = ("I", "II", "V1")
    assert read_rhythm(record(leads=leads)).lead == "II"
    assert read_rhythm(record(leads=leads, lead_off=("II",), lead_off_mode="flat")).lead == "I"
    assert read_rhythm(record(leads=leads), "v1").lead == "V1"


def test_beats_of_another_detector_are_not_read():
    recording = record("sinus", seed=1)
    misleading = Beats(np.sort(np.random.default_rng(0).uniform(0, 30, 30)), np.zeros(30), "by eye", ("I",))
    assert classify_rhythm(recording, misleading).to_dict() == read_rhythm(recording).to_dict()


def test_beats_of_the_detector_it_was_trained_with_are_read():
    recording = record("sinus", seed=1)
    method = read_rhythm(recording).beats_method
    beats = detect_beats(recording, "I", method)
    assert classify_rhythm(recording, beats).to_dict() == read_rhythm(recording).to_dict()
    few = Beats(beats.times_s[:2], beats.stretch[:2], method, ("I",))
    assert "only 2 beats were found" in classify_rhythm(recording, few).reason


# --- when nothing is said -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (record(duration_s=4), "4.0 s were recorded; a rhythm needs 5 s"),
        (record(fs=50), "50 Hz is too slow"),
        (record(lead_off=("I",), lead_off_mode="flat"), "the signal is poor in I (lead off"),
        (Recording(np.full((1, 9000), np.nan), 300, ("I",)), "0.0 s were recorded"),
    ],
    ids=["short", "slow", "off", "empty"],
)
def test_where_nothing_can_be_said_the_reason_is(recording, reason):
    rhythm = read_rhythm(recording)
    assert (rhythm.label, rhythm.probability, rhythm.probabilities, rhythm.episodes) == (None, None, None, ())
    assert rhythm.reason.startswith(reason)
    assert rhythm.to_dict()["label"] is None


def test_five_seconds_are_enough():
    assert read_rhythm(record("af", 5.0, seed=3)).label in LABELS


def test_a_lead_that_there_is_not_is_an_error():
    with pytest.raises(InvalidValue, match="no such lead"):
        read_rhythm(record(), "V6")


def test_a_lead_that_is_known_to_be_good_is_not_judged_again():
    recording = record("af", seed=1)
    beats = detect_beats(recording)
    judged, trusted = (classify_rhythm(recording, beats, "I", trusted=known) for known in (False, True))
    assert trusted.to_dict() == judged.to_dict()
    poor = record(lead_off=("I",), lead_off_mode="flat")
    assert "poor" in classify_rhythm(poor, detect_beats(poor), "I").reason
    assert "poor" not in classify_rhythm(poor, detect_beats(poor), "I", trusted=True).reason
