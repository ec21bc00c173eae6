from __future__ import annotations

import pytest

from api.schemas import LeadQuality, Problem, Quality
from dashboard import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.898, "0.898 s"),
        (10, "10 s"),
        (99.84, "99.8 s"),
        (99.99, "1 min 40 s"),
        (1805.6, "30 min 6 s"),
        (86_399.9, "24 h 0 min"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("n_bytes", "text"), [(104_857_600, "100 MB"), (512, "0 kB"), (20_480, "20 kB")])
def test_a_size_is_said_as_people_say_it(n_bytes, text):
    assert words.size(n_bytes) == text


def test_a_problem_is_told_with_what_was_found_and_expected():
    problem = Problem(
        type="x", title="x", status=422, code="x", detail="a.edf: cut short", found="3 bytes", options=["a", "b"]
    )
    assert words.what_happened(problem) == "a.edf: cut short. Found: 3 bytes."
    assert words.what_to_do(problem) == "a; b"


def test_quality_is_told_with_the_leads_that_are_not_good():
    leads = {"I": LeadQuality(verdict="good"), "II": LeadQuality(verdict="poor", reasons=["flat: one value"])}
    found = Quality(verdict="usable", reasons=["poor: II"], unacceptable_probability=None, leads=leads)
    assert words.quality(found) == "Signal quality: usable (poor: II)."
    assert words.lead_faults(found) == {"II": "flat: one value"}


@pytest.mark.parametrize(
    ("probability", "text"), [(0.5, "0.50"), (0.99, "0.99"), (0.9999, "over 0.99"), (0.0001, "under 0.01")]
)
def test_no_probability_is_said_to_be_certain(probability, text):
    assert words.chance(probability) == text


@pytest.mark.parametrize(("part", "text"), [(0.0424, "4.2\u202f%"), (0.34, "34\u202f%"), (0.0, "0.0\u202f%")])
def test_a_share_is_said_as_people_say_it(part, text):
    assert words.percent(part) == text


@pytest.mark.parametrize(("number", "text"), [(1, "1st"), (2.2, "2nd"), (13, "13th"), (72, "72nd"), (111, "111th")])
def test_a_rank_is_said_as_people_say_it(number, text):
    assert words.ordinal(number) == text


def test_text_from_a_file_is_no_markup():
    assert words.literally("**x** :red[y]") == r"\*\*x\*\* \:red\[y\]"


def test_what_has_no_figure_says_so_with_proper_names():
    text = words.equations("charge_af: the equation is for ages 46 to 94; stated: 41")
    assert text == "CHARGE-AF: the equation is for ages 46 to 94; stated: 41"
