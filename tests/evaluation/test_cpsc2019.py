"""The CPSC 2019 score, clause by clause."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.cpsc2019 import count_errors, heart_rate, qrs_score, rate_score, score_record, score_records

BEATS = np.array([400, 800, 1200, 1600, 2000, 2400, 2800, 3200, 3600, 4000, 4400])


def with_answers(*more: float, without: tuple[int, ...] = ()) -> np.ndarray:
    return np.sort(np.concatenate([np.delete(BEATS, without).astype(float), np.array(more, float)]))


def errors(answer: np.ndarray, *, strict: bool = False, beats: np.ndarray = BEATS) -> tuple[int, int]:
    return count_errors(beats, answer, strict=strict)


# --- QRS ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missed", "extra", "score"),
    [(0, 0, 1.0), (0, 1, 0.7), (1, 0, 0.3), (1, 1, 0.0), (0, 2, 0.0), (2, 0, 0.0), (5, 3, 0.0)],
)
def test_score_of_a_record_by_its_errors(missed, extra, score):
    assert qrs_score(missed, extra) == score


@pytest.mark.parametrize(("shift", "missed"), [(-37, 0), (37, 0), (37.5, 0), (-38, 1), (38, 1)])
def test_a_beat_is_found_within_75_ms_ends_included(shift, missed):
    answer = with_answers(without=(5,))
    assert errors(np.sort(np.append(answer, BEATS[5] + shift)), strict=True)[0] == missed


@pytest.mark.parametrize("place", [249, 250, 251, 4749, 4750, 4751])
def test_reference_beats_count_within_half_a_second_of_the_ends_included(place):
    assert count_errors(np.array([place]), np.empty(0)) == (int(250 <= place <= 4750), 0)


def test_a_second_answer_in_one_window_is_a_false_positive():
    for strict in (False, True):
        assert errors(with_answers(2410), strict=strict) == (0, 1)
        assert errors(with_answers(2390, 2410), strict=strict) == (0, 2)
        assert errors(with_answers(2390, 2410, without=(5,)), strict=strict) == (0, 1)


def test_a_second_answer_in_a_window_counts_even_outside_the_scored_stretch():
    assert count_errors(np.array([260, 1000]), np.array([255, 265, 1000])) == (0, 1)


@pytest.mark.parametrize(("place", "counts"), [(250, 0), (287, 0), (287.5, 1), (288, 1), (340, 1)])
def test_false_positives_before_the_first_beat_count_from_0_575_s(place, counts):
    for strict in (False, True):
        assert errors(with_answers(place), strict=strict) == (0, counts)


@pytest.mark.parametrize(("place", "counts"), [(4600, 1), (4712, 1), (4712.5, 1), (4713, 0), (4750, 0), (4990, 0)])
def test_false_positives_after_the_last_beat_count_until_9_425_s(place, counts):
    for strict in (False, True):
        assert errors(with_answers(place), strict=strict) == (0, counts)


def test_official_never_counts_false_positives_between_the_first_two_beats():
    for place in (450, 600, 750):
        assert errors(with_answers(place)) == (0, 0)
        assert errors(with_answers(place), strict=True) == (0, 1)
    assert errors(with_answers(1000)) == errors(with_answers(1000), strict=True) == (0, 1)


def test_official_starts_to_count_after_the_second_beat_that_lies_within_the_scored_stretch():
    beats = np.insert(BEATS, 0, 100)
    assert errors(with_answers(600), beats=beats) == (0, 0)
    assert errors(with_answers(600), beats=beats, strict=True) == (0, 1)


def test_official_looks_only_before_a_beat_that_is_alone():
    beats = np.array([2000])
    assert errors(np.array([1000, 2000]), beats=beats) == (0, 1)
    assert errors(np.array([2000, 3000]), beats=beats) == (0, 0)
    assert errors(np.array([2000, 3000]), beats=beats, strict=True) == (0, 1)


def test_official_finds_no_fault_where_there_is_no_beat():
    none = np.empty(0)
    assert errors(np.array([1000, 2000]), beats=none) == (0, 0)
    assert errors(np.array([1000, 2000]), beats=none, strict=True) == (0, 2)


def test_official_counts_an_answer_exactly_75_ms_away_as_hit_and_as_false_positive():
    answer = with_answers(2437.5, without=(5,))
    assert errors(answer) == (0, 1)
    assert errors(answer, strict=True) == (0, 0)


def test_one_answer_may_find_two_beats_closer_than_their_windows():
    for strict in (False, True):
        assert count_errors(np.array([1000, 2000, 2060]), np.array([1000, 2030]), strict=strict) == (0, 0)


def test_unsigned_reference_peaks_do_not_wrap():
    answer = with_answers(1000, without=(9,))
    assert count_errors(BEATS.astype(np.uint16), answer) == count_errors(BEATS, answer) == (1, 1)


def walked(beats: np.ndarray, answer: np.ndarray) -> tuple[int, int]:
    """Return the errors as somebody finds them who walks from beat to beat, looking at what each is responsible for."""
    beats = [beat for beat in beats if 250 <= beat <= 4750]
    missed = extra = 0
    for at, beat in enumerate(beats):
        in_window = sum(beat - 37.5 <= place <= beat + 37.5 for place in answer)
        missed += in_window == 0
        extra += max(in_window - 1, 0)
        if at == 0:
            stretch = (287.5, beat - 37.5)
        elif at == len(beats) - 1:
            stretch = (beat + 37.5, 4712.5)
        else:
            stretch = (beat + 37.5, beats[at + 1] - 37.5)
        extra += sum(stretch[0] <= place <= stretch[1] for place in answer)
    return missed, extra


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 5000), max_size=15).map(sorted),
    st.lists(st.integers(0, 10_000).map(lambda half: half / 2), max_size=18).map(sorted),
    st.lists(st.integers(-80, 80), min_size=15, max_size=15),
)
def test_official_equals_the_walk_from_beat_to_beat(beats, stray, shifts):
    near = [beat + shift / 2 for beat, shift in zip(beats, shifts, strict=False)]
    answer = np.array(sorted(stray[:3] + near), np.float64)
    assert count_errors(np.array(beats), answer) == walked(beats, answer)
    missed, extra = count_errors(np.array(beats), answer, strict=True)
    assert missed == walked(beats, answer)[0]
    if not any(abs(abs(place - beat) - 37.5) < 1e-6 for place in answer for beat in beats):
        assert extra >= walked(beats, answer)[1]


# --- heart rate -----------------------------------------------------------------------------------------------------


def test_rate_is_that_of_the_beats_between_5_5_and_9_5_s_ends_not_included():
    assert heart_rate(np.array([1000, 2000, 3000, 3400, 3800])) == 75
    assert heart_rate(np.array([2750, 3000, 3400, 4750])) == 75
    assert heart_rate(np.array([2751, 3000, 3400])) == round(30_000 / 324.5)


def test_rate_is_rounded_half_to_even():
    assert heart_rate(np.array([3000, 3480])) == 62  # 62.5
    assert heart_rate(np.array([2800, 2800 + 30_000 // 60 + 8])) == 59  # 59.06


@pytest.mark.parametrize("beats", [[], [3000], [1000, 2000, 3000], [2750, 3000, 4750], [3000, 3000]])
def test_fewer_than_two_beats_give_no_rate(beats):
    assert heart_rate(np.array(beats)) is None
    assert math.isnan(rate_score(heart_rate(np.array(beats)), 75))


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        *[(100, 1.0), (102, 1.0), (98, 1.0), (103, 0.75), (105, 0.75), (95, 0.75), (106, 0.5), (110, 0.5)],
        *[(90, 0.5), (111, 0.25), (120, 0.25), (80, 0.25), (121, 0.0), (79, 0.0), (None, 0.0), (math.nan, 0.0)],
    ],
)
def test_rate_score_steps_include_their_ends(answer, score):
    assert rate_score(100, answer) == score


def test_answers_are_truncated_to_whole_beats_a_minute():
    assert rate_score(100, 102.99) == 1.0
    assert rate_score(100, 97.99) == 0.75
    assert rate_score(100, 79.99) == 0.0


def test_infinite_answer_is_a_missing_one():
    assert rate_score(100, math.inf) == 0.0


# --- records --------------------------------------------------------------------------------------------------------


def test_means_over_records_and_a_record_without_rate_stays_out_of_the_rate_alone():
    records = [
        score_record(BEATS, with_answers(), 75),
        score_record(BEATS, with_answers(600), None),
        score_record(np.array([1000, 2000]), np.array([1000, 1500, 2000]), 80),
    ]
    metrics = measure(score_records(records), ["a", "b", "c"], resamples=10)
    assert metrics["qrs_official"].value == 1.0
    assert metrics["qrs_strict"].value == pytest.approx((1 + 0.7 + 0.7) / 3)
    assert metrics["hr_official"].value == 0.5
