"""The published equation: its terms, its limits, and what it does with facts that nobody stated."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.risk import charge_af, charge_af_risk
from ecg_core.risk.charge_af import CENTRE, SHARES, SURVIVAL, TERMS

BODY = {"height_cm": 170.0, "weight_kg": 75.0, "systolic_mmhg": 140.0, "diastolic_mmhg": 80.0}
HEALTHY = {
    "race": "other",
    "smoker": False,
    "antihypertensives": False,
    "diabetes": False,
    "heart_failure": False,
    "myocardial_infarction": False,
}


def by_hand(total: float) -> float:
    return 1 - 0.9718412736 ** math.exp(total - 12.58156)


def test_a_healthy_person_by_hand():
    # 65/5 * .508 + 170/10 * .248 + 75/15 * .115 + 140/20 * .197 - 80/10 * .101
    total = 6.604 + 4.216 + 0.575 + 1.379 - 0.808
    assert charge_af_risk(65, BODY | HEALTHY) == pytest.approx(by_hand(total), abs=1e-12)
    assert charge_af_risk(65, BODY | HEALTHY) == pytest.approx(0.0153, abs=5e-5)


def test_a_person_with_every_risk_factor_by_hand():
    # 80/5 * .508 + 180/10 * .248 + 90/15 * .115 + 160/20 * .197 - 90/10 * .101
    # + .465 + .359 + .349 + .237 + .701 + .496
    total = 8.128 + 4.464 + 0.69 + 1.576 - 0.909 + 2.607
    facts = {"height_cm": 180, "weight_kg": 90, "systolic_mmhg": 160, "diastolic_mmhg": 90, "race": "white"} | {
        name: True for name in HEALTHY if name != "race"
    }
    assert charge_af_risk(80, facts) == pytest.approx(by_hand(total), abs=1e-12)
    assert charge_af_risk(80, facts) > 0.6


def test_at_the_centre_stands_the_baseline_survival():
    rest = sum(float(BODY[name]) / TERMS[name][0] * TERMS[name][1] for name in BODY)
    age = (CENTRE - rest) / TERMS["age"][1] * TERMS["age"][0]
    assert charge_af_risk(age, BODY | HEALTHY) == pytest.approx(1 - SURVIVAL, abs=1e-12)


def test_the_average_person_of_the_cohorts_lies_near_the_centre():
    # About 65 years, 167 cm, 77 kg, 130/73 mmHg: the equation's centre is the mean of its own cohorts.
    facts = sum(share.value * TERMS[name][1] for name, share in SHARES.items())
    body = 65 / 5 * 0.508 + 16.7 * 0.248 + 77 / 15 * 0.115 + 6.5 * 0.197 - 7.3 * 0.101
    assert facts + body == pytest.approx(CENTRE, abs=0.3)


@pytest.mark.parametrize("name", [name for name in TERMS if name not in ("age", "race")])
def test_each_fact_multiplies_the_hazard_as_published(name):
    less = BODY | HEALTHY
    more = less | {name: True} if name in HEALTHY else less | {name: less[name] + TERMS[name][0]}
    hazard = [math.log(1 - charge_af_risk(60, facts)) for facts in (less, more)]
    assert hazard[1] / hazard[0] == pytest.approx(math.exp(TERMS[name][1]))


def test_an_error_of_seven_years_of_age_doubles_the_hazard():
    hazard = [math.log(1 - charge_af_risk(age, BODY | HEALTHY)) for age in (60, 67)]
    assert hazard[1] / hazard[0] == pytest.approx(2.04, abs=0.01)


def test_the_equation_alone_refuses_to_guess():
    with pytest.raises(InvalidValue, match="lacks facts"):
        charge_af_risk(60, BODY)


# --- what is not stated ---------------------------------------------------------------------------------------------


def test_unknown_facts_are_averaged_as_frequent_as_in_the_cohorts():
    found = charge_af(65, BODY)
    expected = 0.0
    for truths in product((False, True), repeat=len(SHARES)):
        weight, facts = 1.0, dict(BODY)
        for (name, share), true in zip(SHARES.items(), truths, strict=True):
            weight *= share.value if true else 1 - share.value
            facts[name] = ("white" if true else "other") if name == "race" else true
        expected += weight * charge_af_risk(65, facts)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert dict(found.averaged_over) == {name: share.value for name, share in SHARES.items()}


def test_the_range_holds_whatever_the_unknown_facts_turn_out_to_be():
    found = charge_af(65, BODY)
    assert found.low == pytest.approx(charge_af_risk(65, BODY | HEALTHY))
    assert found.high == pytest.approx(
        charge_af_risk(65, BODY | {name: True for name in HEALTHY if name != "race"} | {"race": "white"})
    )
    assert found.low <= found.likely_low <= found.value <= found.likely_high <= found.high


def test_race_is_averaged_like_any_other_fact():
    found = charge_af(65, BODY | {name: value for name, value in HEALTHY.items() if name != "race"})
    white, other = (charge_af_risk(65, BODY | HEALTHY | {"race": race}) for race in ("white", "other"))
    assert found.value == pytest.approx(0.81 * white + 0.19 * other)
    assert (found.low, found.high) == (pytest.approx(other), pytest.approx(white))
    assert any("race" in caution for caution in found.cautions)
    assert "white: 81 % of the 18,556" in found.source


def test_with_everything_known_there_is_no_range_and_nothing_to_ask():
    found = charge_af(65, BODY | HEALTHY)
    assert found.value == found.low == found.high == pytest.approx(charge_af_risk(65, BODY | HEALTHY))
    assert found.would_narrow is None
    assert not found.averaged_over


def test_the_fact_to_ask_for_leaves_the_narrowest_range_on_average():
    found = charge_af(65, BODY)
    widths = {}
    for name, share in SHARES.items():
        said = {
            true: charge_af(65, BODY | {name: ("white" if true else "other") if name == "race" else true})
            for true in (True, False)
        }
        width = {true: answer.high - answer.low for true, answer in said.items()}
        widths[name] = share.value * width[True] + (1 - share.value) * width[False]
    assert found.would_narrow.fact == min(widths, key=widths.get) == "heart_failure"
    assert found.would_narrow.width_expected == pytest.approx(min(widths.values()))
    assert found.would_narrow.width_now == pytest.approx(found.high - found.low)


@settings(deadline=None, max_examples=50)
@given(
    st.floats(46, 94),
    st.dictionaries(st.sampled_from([name for name in HEALTHY if name != "race"]), st.booleans()),
    st.sampled_from([name for name in HEALTHY if name != "race"]),
    st.booleans(),
)
def test_one_more_fact_never_widens_the_range(age, facts, name, value):
    before = charge_af(age, BODY | facts)
    after = charge_af(age, BODY | facts | ({name: value} if name not in facts else {}))
    assert 0 < before.low <= before.value <= before.high < 1
    assert before.low - 1e-12 <= after.low <= after.high <= before.high + 1e-12


@pytest.mark.parametrize("age", [45.9, 94.1, 12])
def test_outside_its_ages_it_declines(age):
    found = charge_af(age, BODY | HEALTHY)
    assert found.value is None
    assert found.reason == f"the equation is for ages 46 to 94; stated: {age:g}"
    assert found.needs == ()


def test_without_its_least_facts_it_declines_and_names_them():
    found = charge_af(None, {"height_cm": 170.0, "systolic_mmhg": 140.0})
    assert found.value is None
    assert found.needs == ("age", "weight_kg", "diastolic_mmhg")
    assert "age, weight, diastolic blood pressure" in found.reason


def test_it_says_that_it_overestimated_elsewhere():
    assert any("two-fold in EPIC-Norfolk" in caution for caution in charge_af(65, BODY).cautions)
