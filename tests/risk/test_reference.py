"""People of an age in the cohorts: rates a year, as published, made a five-year risk."""

from __future__ import annotations

import math

import pytest

from ecg_core.risk import reference_risk


@pytest.mark.parametrize(
    ("age", "sex", "rate"),
    [
        (55, "male", 3.1),
        (64.9, "female", 1.9),
        (65, "male", 17.6),
        (70, "female", 10.1),
        (75, "male", 42.7),
        (84.9, "female", 21.6),
    ],
)
def test_published_rates_become_a_risk_over_five_years(age, sex, rate):
    found = reference_risk(age, sex)
    assert found.value == pytest.approx(1 - math.exp(-5 * rate / 1000))
    assert (found.low, found.high) == (None, None)
    assert "not from this ECG" in found.says
    assert "doi:" in found.source


def test_without_a_sex_both_stand_around_their_mean():
    women, men = reference_risk(70, "female").value, reference_risk(70, "male").value
    both = reference_risk(70, None)
    assert (both.low, both.value, both.high) == pytest.approx((women, (women + men) / 2, men))


@pytest.mark.parametrize("age", [None, 30, 54.9, 85, 99])
def test_where_no_rate_is_published_there_is_none(age):
    found = reference_risk(age, "male")
    assert found.value is None
    assert found.reason
