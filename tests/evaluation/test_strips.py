"""What a recording cost, in points and in beats."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.cpsc2019 import rate_score, step_score
from ecg_core.evaluation.strips import compare_beats, exact_rate, lost_points, score_answers, tell_apart

BEATS = np.arange(0.8, 10, 0.8)


def compare(found_s, reference_s=BEATS, duration_s=10.0):
    return compare_beats(np.asarray(reference_s), np.asarray(found_s), 500.0, duration_s)


def test_all_beats_found_cost_nothing():
    assert lost_points(compare(BEATS)) is None
    metrics = score_answers([compare(BEATS)])(np.ones((1, 1)))
    assert {name: values[0] for name, values in metrics.items()} == dict.fromkeys(
        ("qrs_official", "qrs_strict", "hr_official", "hr_strict", "se_150ms", "ppv_150ms", "f1_150ms"), 1.0
    )


def test_a_missed_beat_costs_its_points_and_is_named_with_the_rates():
    lost = lost_points(compare(np.delete(BEATS, 8)))
    assert lost["cost"] == {"qrs_official": 0.7, "qrs_strict": 0.7, "hr_official": 1.0, "hr_strict": 1.0}
    assert (lost["missed_s"], lost["extra_s"]) == ([pytest.approx(7.2)], [])
    assert (lost["reference_bpm"], lost["found_bpm"]) == (75.0, 56.25)


def test_an_invented_beat_between_the_first_two_costs_only_the_strict_score():
    lost = lost_points(compare(np.sort(np.append(BEATS, 1.2))))
    assert lost["cost"] == {"qrs_official": 0.0, "qrs_strict": 0.3, "hr_official": 0.0, "hr_strict": 0.0}
    assert lost["extra_s"] == [1.2]


def test_beats_in_the_first_and_last_half_second_count_nowhere():
    assert lost_points(compare(np.sort([*BEATS, 0.3, 9.95]))) is None
    metrics = score_answers([compare(np.sort([*BEATS, 0.3, 9.95]))])(np.ones((1, 1)))
    assert metrics["ppv_150ms"][0] == 1.0


def test_no_beat_found_costs_everything():
    lost = lost_points(compare(np.empty(0)))
    assert set(lost["cost"].values()) == {1.0}
    assert lost["missed"] == 11
    assert lost["found_bpm"] is None


def test_the_strict_rate_is_not_rounded():
    reference = 5.6 + np.arange(5) * 60 / 70.4
    found = 5.6 + np.arange(5) * 60 / 68.99
    rates = exact_rate(reference), exact_rate(found)
    assert rates == (pytest.approx(70.4), pytest.approx(68.99))
    assert step_score(*rates) == 0.75
    assert rate_score(70, 69) == 1.0


def test_a_longer_recording_loses_beats_and_no_points():
    reference = np.arange(1.0, 100.0)
    answer = compare_beats(reference, np.sort([*reference[1:], 50.5]), 500.0, 100.0)
    lost = lost_points(answer)
    assert lost["cost"] == {}
    assert (lost["missed_s"], lost["extra_s"]) == ([1.0], [50.5])
    metrics = score_answers([answer])(np.ones((1, 1)))
    assert set(metrics) == {"se_150ms", "ppv_150ms", "f1_150ms"}


def test_spans_that_are_left_out_are_left_out_of_what_is_told():
    answer = compare_beats(np.arange(1.0, 60.0), np.arange(1.0, 40.0), 500.0, 60.0, [(39.5, 60.0)])
    assert lost_points(answer) is None
    assert tell_apart(answer)[0].tolist() == []


def test_strips_and_longer_recordings_together_are_scored_each_by_what_it_has():
    long = compare_beats(np.arange(1.0, 60.0), np.arange(1.0, 31.0), 500.0, 60.0)
    metrics = score_answers([compare(BEATS), long])(np.ones((1, 2)))
    assert metrics["qrs_official"][0] == 1.0
    assert metrics["se_150ms"][0] == pytest.approx((11 + 30) / (11 + 59))
