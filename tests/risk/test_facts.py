"""Facts about a person: what may be stated, in which units, within which limits."""

from __future__ import annotations

import pytest

from ecg_core.errors import InvalidValue
from ecg_core.risk import FACTS, known_facts, parse_facts


@pytest.mark.parametrize(
    ("name", "stated", "value"),
    [
        ("height_cm", "172", 172),
        ("height_cm", 172.5, 172.5),
        ("height_cm", "1.72 m", 172),
        ("height_cm", "68 in", 172.72),
        ("weight_kg", "180lb", 81.6466266),
        ("systolic_mmhg", "18.0 kPa", 135.01116),
        ("smoker", "yes", True),
        ("smoker", False, False),
        ("diabetes", "No", False),
        ("diabetes", 1, True),
        ("race", "White", "white"),
    ],
)
def test_facts_are_taken_in_their_usual_forms(name, stated, value):
    assert parse_facts({name: stated}) == {name: pytest.approx(value)}


@pytest.mark.parametrize("stated", [None, "", "unknown", "None"])
def test_what_is_said_to_be_unknown_is_not_a_fact(stated):
    assert parse_facts({"smoker": stated, "race": stated, "height_cm": stated}) == {}


@pytest.mark.parametrize(
    ("stated", "sentence"),
    [
        ({"height_cm": 1.72}, r"height_cm: not a plausible value; found: 1\.72; expected: 100 to 250 cm"),
        ({"height_cm": "172 kg"}, r"height_cm: not a number in a known unit; found: 172 kg; .*options: cm, m, in"),
        ({"weight_kg": True}, "weight_kg: not a number"),
        ({"weight_kg": "nan"}, "weight_kg: not a number"),
        ({"systolic_mmhg": 13.5}, r"systolic_mmhg: not a plausible value; found: 13\.5; expected: 60 to 280 mmHg"),
        ({"smoker": "sometimes"}, "smoker: neither yes nor no; found: sometimes; options: yes, no"),
        ({"race": "caucasian"}, "race: no such value; found: caucasian; options: white, other"),
        ({"hight_cm": 172}, "no such fact; found: hight_cm; options: height_cm, weight_kg"),
        ({"systolic_mmhg": 80, "diastolic_mmhg": 120}, "diastolic pressure is not below the systolic; found: 80/120"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(stated, sentence):
    with pytest.raises(InvalidValue, match=sentence):
        parse_facts(stated)


def test_facts_of_a_file_are_taken_where_they_can_be_and_the_rest_is_noted():
    found, notes = known_facts(
        {"height_cm": "171", "weight_kg": "7", "diagnosis": "sinus rhythm", "systolic_mmhg": 80, "diastolic_mmhg": 90}
    )
    assert found == {"height_cm": 171}
    assert len(notes) == 2
    assert "weight_kg" in notes[0]
    assert "80/90 mmHg" in notes[1]


def test_every_fact_can_be_asked_for():
    for name, fact in FACTS.items():
        assert (fact.name, bool(fact.title)) == (name, True)
        assert fact.to_dict()["kind"] in ("number", "yes_no", "choice")
