"""The learned detector: its accuracy is a ratchet, on synthetic truth and on the real sets where they are."""

from __future__ import annotations

import os
import tracemalloc

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.beats import Beats, detect_beats
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.exams.base import evaluate
from ecg_core.recording import Recording
from ecg_core.robust import RobustDetector, robust_detector
from ecg_core.robust.candidates import Candidates, find_candidates
from ecg_core.robust.decoder import best_score_cpsc2019, decode
from ecg_core.robust.detector import _chunks
from ecg_core.robust.inputs import FS, LENGTH, STEP, network_input
from ecg_core.synthesis import RHYTHMS, synthesize

NOISE = {"motion": -10, "muscle": -3}


def found(times_s, probability) -> Candidates:
    return Candidates(np.array(times_s, np.float64), np.array(probability, np.float64))


def errors(beats: Beats, truth_s: np.ndarray, tolerance_s: float = 0.15) -> tuple[int, int]:
    """Return (missed, extra) away from the ends, where a beat may be cut."""
    inner = truth_s[(truth_s > 0.3) & (truth_s < truth_s.max() - 0.3)]
    answers = beats.times_s[(beats.times_s > 0.3) & (beats.times_s < truth_s.max() - 0.3)]
    missed = (np.abs(inner[:, None] - beats.times_s).min(axis=1) > tolerance_s).sum()
    extra = (np.abs(answers[:, None] - truth_s).min(axis=1) > tolerance_s).sum()
    return int(missed), int(extra)


def test_every_rhythm_in_noise_is_followed_better_than_by_the_classical_detector():
    wrong = {"fast": 0, "robust": 0}
    for seed, rhythm in enumerate(sorted(RHYTHMS)):
        made = synthesize(rhythm, seed=seed, leads=("II",), noise=NOISE, fs=250, duration_s=20)
        for method in wrong:
            wrong[method] += sum(errors(detect_beats(made.recording, method=method), made.truth.qrs.peak_s))
    assert wrong["robust"] <= 14
    assert wrong["robust"] < 0.4 * wrong["fast"]


def test_leads_that_are_noise_do_not_spoil_those_that_are_not():
    made = synthesize(seed=3, fs=250, leads=("I", "II", "V1"))
    signal = made.recording.signal.copy()
    signal[1:] = np.random.default_rng(0).normal(size=signal[1:].shape)
    beats = detect_beats(Recording(signal, 250, ("I", "II", "V1")))
    assert beats.leads == ("II", "I", "V1")
    assert errors(beats, made.truth.qrs.peak_s) == (0, 0)


def test_peaks_are_those_of_the_first_lead_to_the_sample():
    made = synthesize(seed=1, fs=1000, leads=("II",))
    lead = made.recording.lead("II")
    samples = np.rint(detect_beats(made.recording).times_s * 1000).astype(int)
    for sample in samples[1:-1]:
        assert lead[sample] == lead[sample - 30 : sample + 31].max()


def test_leads_recorded_one_after_the_other_are_searched_each_in_its_time():
    made = synthesize(seed=2, fs=250, leads=("I", "V1", "V4"), duration_s=9)
    signal = made.recording.signal.copy()
    for row in range(3):
        signal[row, : row * 750] = signal[row, (row + 1) * 750 :] = np.nan
    beats = detect_beats(Recording(signal, 250, ("I", "V1", "V4")))
    assert sum(errors(beats, made.truth.qrs.peak_s)) <= 1


def test_beats_do_not_depend_on_unit_level_or_direction():
    made = synthesize(seed=4, fs=250, leads=("II",), noise="muscle", snr_db=10)
    signal, truth = made.recording.signal, made.truth.qrs.peak_s
    for change in (signal * 1e6, signal * 1e-6, signal + 300, -signal):
        assert errors(detect_beats(Recording(change, 250, ("II",))), truth) == (0, 0)


def test_a_long_recording_is_answered_like_its_parts():
    made = synthesize("af", seed=5, fs=200, leads=("II",), duration_s=700)
    whole = detect_beats(made.recording)
    assert errors(whole, made.truth.qrs.peak_s) == (0, 0)
    middle = made.recording.signal[:, 60_000:64_000]
    part = detect_beats(Recording(middle, 200, ("II",)))
    inside = whole.times_s[(whole.times_s > 300.5) & (whole.times_s < 319.5)] - 300
    assert part.times_s[(part.times_s > 0.5) & (part.times_s < 19.5)] == pytest.approx(inside, abs=0.006)


def test_memory_does_not_grow_with_the_length_but_for_the_beats():
    detector = robust_detector()
    peaks = []
    for minutes in (10, 40):
        signal = np.tile(synthesize(seed=1, fs=125, leads=("II",), duration_s=60).recording.signal, minutes)
        detector.find(signal[:, :2000], 125)
        tracemalloc.start()
        detector.find(signal, 125)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2e6


def test_confidence_tells_right_beats_from_wrong_ones():
    right, wrong = [], []
    for seed in range(12):
        made = synthesize("af", seed=seed, fs=250, leads=("II",), noise={"motion": -13, "muscle": -8}, duration_s=20)
        beats = detect_beats(made.recording)
        assert beats.confidence.shape == beats.times_s.shape
        assert ((beats.confidence >= 0) & (beats.confidence <= 1)).all()
        near = np.abs(beats.times_s[:, None] - made.truth.qrs.peak_s).min(axis=1) < 0.15
        right += beats.confidence[near].tolist()
        wrong += beats.confidence[~near].tolist()
    assert len(wrong) > 5
    assert np.mean(wrong) < np.mean(right) - 0.1


def test_clear_beats_are_sure():
    assert detect_beats(synthesize(seed=6, fs=250, duration_s=30).recording).confidence.min() > 0.9


def test_the_network_is_small():
    assert len(load_model("beats").files["network.onnx"]) < 4_000_000


def test_network_input_is_relative_and_finite_for_anything():
    strips = np.stack(
        [np.zeros(LENGTH), np.full(LENGTH, 1e20), np.r_[np.zeros(LENGTH - 1), 1e-30], np.arange(LENGTH) * 1e3]
    ).astype(np.float32)
    assert np.isfinite(network_input(strips)).all()


def course(times: list[int], height: float, n: int = LENGTH // STEP) -> np.ndarray:
    """Return log odds that peak at some answers with a probability, shape (n,)."""
    bumps = (height * np.exp(-0.5 * ((np.arange(n) - at) / 1.5) ** 2) for at in times)
    probability = np.clip(np.max([*bumps], axis=0), 1e-3, 1 - 1e-3)
    return np.log(probability / (1 - probability))


def test_candidates_are_where_the_log_odds_peak():
    candidates = find_candidates(course([100, 180, 300], 0.999)[None], 5.0)
    assert candidates.time_s == pytest.approx(5 + (np.array([100, 180, 300]) * STEP + 0.5) / FS, abs=0.003)
    assert candidates.probability.min() > 0.9


def test_a_lead_denies_what_it_would_show_and_not_what_it_seldom_shows():
    every = list(range(20, 620, 50))
    clear, extra = course(every, 0.999), course(sorted([*every, 45]), 0.999)
    weak = course(every[::3], 0.9)

    def answer(*leads: np.ndarray) -> dict[int, float]:
        candidates = find_candidates(np.stack(leads), 0.0)
        return dict(
            zip(np.rint(candidates.time_s * FS / STEP).astype(int).tolist(), candidates.probability, strict=True)
        )

    assert min(answer(clear, weak)[at] for at in every) > 0.7
    beside = answer(clear, clear, extra)
    assert beside[45] < 0.3
    assert min(beside[at] for at in every) > 0.95


def test_a_lead_says_nothing_where_it_was_not_recorded():
    every = list(range(20, 620, 50))
    recorded = np.ones((2, LENGTH // STEP), bool)
    recorded[1, 300:] = False
    candidates = find_candidates(np.stack((course(every, 0.999), course(every[:6], 0.999))), 0.0, recorded)
    assert len(candidates.time_s) == len(every)
    assert candidates.probability.min() > 0.9
    assert len(find_candidates(course(every, 0.999)[None], 0.0, np.zeros((1, LENGTH // STEP), bool)).time_s) == 0


def test_no_two_beats_are_within_the_refractory_time_and_the_better_one_stays():
    assert decode(found([1.0, 1.15, 2.0], [0.6, 0.99, 0.9])).tolist() == [1, 2]


def test_a_doubtful_beat_is_called_where_one_is_due_and_not_where_none_is():
    times = [*np.arange(1, 9, 0.8)]
    sure = np.full(len(times), 0.999)
    due = sure.copy()
    due[4] = 0.45
    assert decode(found(times, due)).tolist() == list(range(len(times)))
    early = sorted([*times, 4.6])
    probability = np.where(np.array(early) == 4.6, 0.6, 0.999)
    assert len(decode(found(early, probability))) == len(times)


def test_nothing_probable_is_no_beats():
    assert len(decode(found([], []))) == 0
    assert len(decode(found([1.0, 2.0], [0.05, 0.2]))) == 0


@pytest.mark.parametrize(("probability", "called"), [(0.25, False), (0.4, True), (0.9, True)])
def test_scorers_mode_calls_a_lone_doubtful_beat_where_the_score_rewards_it(probability, called):
    times = np.array([1.0, 1.9, 3.0, 4.2, 5.0])
    candidates = found(times, [0.999, 0.999, 0.999, probability, 0.999])
    assert (3 in best_score_cpsc2019(candidates, np.array([0, 1, 2, 4]))) == called


def test_scorers_mode_leaves_beats_alone_that_are_not_scored():
    candidates = found([0.2, 1.0, 2.0, 9.8], [0.45, 0.999, 0.999, 0.45])
    assert best_score_cpsc2019(candidates, np.array([0, 1, 2])).tolist() == [0, 1, 2]


def test_an_unknown_mode_names_the_known_one():
    with pytest.raises(InvalidValue, match="cpsc2019"):
        robust_detector().find(np.zeros((1, 500)), 250, scorer="cpsc2018")


def test_a_single_sample_that_stands_far_out_is_no_beat():
    made = synthesize(seed=7, fs=500, leads=("II",))
    signal = made.recording.signal.copy()
    signal[0, 100::333] += 30
    assert sum(errors(detect_beats(Recording(signal, 500, ("II",))), made.truth.qrs.peak_s)) <= 1


def test_a_network_that_is_sure_of_nothing_finds_nothing():
    detector = RobustDetector(lambda inputs: np.full((len(inputs), LENGTH // STEP), -9.0))
    sample, confidence = detector.find(np.random.default_rng(0).normal(size=(2, 3000)), 250)
    assert (len(sample), len(confidence)) == (0, 0)


def counted() -> tuple[RobustDetector, list[int]]:
    """Return the detector that ships, and how many strips its network was asked about in each call."""
    shipped, asked = robust_detector(), []

    def log_odds(inputs: np.ndarray) -> np.ndarray:
        asked.append(len(inputs))
        return shipped.log_odds(inputs)

    return RobustDetector(log_odds, shipped.rules), asked


EIGHT = ("II", "I", "V1", "V2", "V3", "V4", "V5", "V6")


def eight_leads(**options) -> np.ndarray:
    made = synthesize(fs=250, seed=2, **options).recording
    return np.stack([made.lead(lead) for lead in EIGHT])


def test_of_many_clear_leads_three_are_read_and_the_beats_are_those_of_all():
    signal = eight_leads()
    detector, asked = counted()
    sample, _ = detector.find(signal, 250)
    assert asked == [3]
    answers = robust_detector()._answers(next(_chunks(signal, 250))[0])
    everything = find_candidates(answers, 0.0)
    all_leads = everything.time_s[decode(everything)]
    assert len(sample) == len(all_leads)
    assert np.abs(sample / 250 - all_leads).max() < 0.04


def test_where_three_leads_leave_doubt_the_others_are_read_too():
    detector, asked = counted()
    detector.find(eight_leads(noise={"motion": -20, "muscle": -15}), 250)
    assert asked == [3, 5]


def test_where_a_lead_was_not_recorded_throughout_all_are_read():
    signal = eight_leads()
    signal[4, 500:900] = np.nan
    detector, asked = counted()
    detector.find(signal, 250)
    assert asked == [8]


ROOT = os.environ.get("EINTHOVEN_DATA_DIR")


@pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")
def test_records_that_it_was_trained_on_are_known_and_answered_well():
    result = evaluate("beats", "cpsc2019", ROOT, include_trained=True)
    assert result.n == len(result.trained_on) > 0
    assert result.metrics["qrs_official"].value >= 0.9


@pytest.mark.parametrize("hours", [0.003, 0.0705, 0.0713, 0.1418, 1.0, 24.0])
def test_every_length_is_covered_without_gap_or_empty_end(hours):
    n = int(hours * 3600 * 40)
    parts = [(leads.shape[1], *times) for leads, *times in _chunks(np.zeros((1, n), np.float32), 40.0)]
    assert min(size for size, *_ in parts) >= min(1.28, hours * 3600) * FS - 4
    starts, ends = [part[2] for part in parts], [part[3] for part in parts]
    assert (starts[0], ends[-1]) == (-np.inf, np.inf)
    assert starts[1:] == ends[:-1]
    for size, start, from_s, to_s in parts:
        assert start <= max(from_s, 0)
        assert start + size / FS >= min(to_s, n / 40) - 1e-6
