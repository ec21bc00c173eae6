"""Reference ranges by age and sex."""

import pytest

from ecg_core.measurements import Measurement, Range, measure
from ecg_core.measurements.ranges import assumptions, reference_ranges, st_ranges
from ecg_core.recording import Subject
from ecg_core.synthesis import synthesize
from tests.measurements.marks import waves_of

MAN, WOMAN = Subject(age=60, sex="male"), Subject(age=60, sex="female")


def flag(name: str, value: float, subject: Subject = MAN) -> str | None:
    return Measurement(value, "stated").judged(reference_ranges(subject).get(name)).flag


@pytest.mark.parametrize(
    ("name", "value", "subject", "expected"),
    [
        ("hr_bpm", 49.9, MAN, "low"),
        ("hr_bpm", 50, MAN, "normal"),
        ("hr_bpm", 100.1, MAN, "high"),
        ("pr_ms", 119, MAN, "low"),
        ("pr_ms", 200, MAN, "normal"),
        ("pr_ms", 201, MAN, "high"),
        ("p_ms", 120, MAN, "high"),
        ("qrs_ms", 110, MAN, "normal"),
        ("qrs_ms", 111, MAN, "high"),
        ("qtc_bazett_ms", 450, MAN, "high"),
        ("qtc_bazett_ms", 449, MAN, "normal"),
        ("qtc_bazett_ms", 360, MAN, "low"),
        ("qtc_fridericia_ms", 359, WOMAN, "normal"),
        ("qtc_fridericia_ms", 358, WOMAN, "low"),
        ("qtc_hodges_ms", 340, WOMAN, "normal"),
        ("qtc_fridericia_ms", 455, WOMAN, "normal"),
        ("qtc_hodges_ms", 460, WOMAN, "high"),
        ("qtc_framingham_ms", 455, Subject(age=60), "normal"),
        ("qrs_axis_deg", -31, MAN, "low"),
        ("qrs_axis_deg", -30, MAN, "normal"),
        ("qrs_axis_deg", 91, MAN, "high"),
        ("sokolow_lyon_mv", 3.5, MAN, "high"),
        ("cornell_mv", 2.8, MAN, "normal"),
        ("cornell_mv", 2.1, WOMAN, "high"),
        ("cornell_mv", 2.1, Subject(), "normal"),
        ("jt_ms", 300, MAN, None),
    ],
)
def test_limits_are_the_published_ones(name, value, subject, expected):
    assert flag(name, value, subject) == expected


@pytest.mark.parametrize(
    ("subject", "v2"),
    [
        (WOMAN, 0.15),
        (Subject(age=25, sex="female"), 0.15),
        (MAN, 0.2),
        (Subject(age=39, sex="male"), 0.25),
        (Subject(age=40, sex="male"), 0.2),
        (Subject(), 0.2),
    ],
)
def test_st_limits_in_v2_and_v3_depend_on_age_and_sex(subject, v2):
    limits = st_ranges(subject)
    assert (limits["V2"].high, limits["V3"].high) == (v2, v2)
    assert {limits[lead].high for lead in limits if lead not in ("V2", "V3")} == {0.1}
    assert limits["II"].flag(0.1) == "high"
    assert "aVR" not in limits


def test_children_are_given_no_adult_range():
    child = Subject(age=17.9, sex="female")
    assert reference_ranges(child) == {}
    assert st_ranges(child) == {}
    made = synthesize(seed=1)
    table = measure(made.recording, waves_of(made.truth), child)
    assert {item.flag for item in table.values.values()} == {None}
    assert {row["st_j_mv"].range for row in table.leads.values()} == {None}
    assert any("under 18" in note for note in table.notes)


def test_what_is_unknown_of_the_person_is_said():
    assert assumptions(Subject(age=40, sex="male")) == []
    assert any("adult is assumed" in note for note in assumptions(Subject(sex="male")))
    assert any("sex is unknown" in note for note in assumptions(Subject(age=40)))


def test_voltages_of_the_young_are_qualified():
    made = synthesize(shape="lvh", seed=1)
    young, old = (measure(made.recording, waves_of(made.truth), Subject(age=age, sex="male")) for age in (25, 60))
    assert young["sokolow_lyon_mv"].flag is None
    assert "35 years" in young["sokolow_lyon_mv"].caution
    assert old["sokolow_lyon_mv"].flag == "high"


def test_the_subject_of_the_recording_counts_unless_another_is_given():
    made = synthesize(seed=1, subject=WOMAN)
    waves = waves_of(made.truth)
    assert measure(made.recording, waves).subject == WOMAN
    assert measure(made.recording, waves, MAN).subject == MAN


def test_every_range_names_its_source():
    ranges = [*reference_ranges(MAN).values(), *st_ranges(MAN).values()]
    assert all(isinstance(usual, Range) and usual.source for usual in ranges)
