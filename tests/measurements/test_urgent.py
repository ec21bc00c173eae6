"""Critical findings by rule."""

import json
from dataclasses import replace

import pytest

from ecg_core.measurements import VALUES, Measurement, Measurements, measure
from ecg_core.measurements.ranges import st_ranges
from ecg_core.recording import Subject
from ecg_core.synthesis import bundled_cases, synthesize
from ecg_core.urgent import urgent_findings
from tests.measurements.marks import waves_of

MAN = Subject(age=60, sex="male")
CASES = bundled_cases()


def stated(subject: Subject = MAN, *, st: dict[str, float] | None = None, r_mv: float = 1.0, **values: float):
    """Return a table of stated values, the other ones missing; each lead has R and an S of 0.5 mV."""
    table = {name: Measurement(None, "stated", reason="not stated") for name in VALUES}
    table |= {name: Measurement(value, "stated") for name, value in values.items()}
    usual = st_ranges(subject)
    leads = {
        lead: {
            "st_j_mv": Measurement(level, "stated").judged(usual.get(lead)),
            **{f"{wave}_mv": Measurement(v, "stated") for wave, v in (("q", 0.0), ("r", r_mv), ("s", 0.5))},
        }
        for lead, level in (st or {}).items()
    }
    return Measurements(table, leads, subject, paced=False)


def codes(table: Measurements) -> list[str]:
    return [finding.code for finding in urgent_findings(table)]


def analysed(case: str, **options) -> Measurements:
    made = CASES[case].synthesize()
    return measure(made.recording, waves_of(made.truth), **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"hr_bpm": 39.9}, ["slow_rate"]),
        ({"hr_bpm": 40}, []),
        ({"hr_bpm": 150}, []),
        ({"hr_bpm": 150.1}, ["fast_rate"]),
        ({"qtc_fridericia_ms": 500}, []),
        ({"qtc_fridericia_ms": 501}, ["long_qtc"]),
        ({"qtc_bazett_ms": 520}, []),
        ({}, []),
    ],
)
def test_rate_and_qtc_beyond_their_limits_are_urgent(values, expected):
    assert codes(stated(**values)) == expected


@pytest.mark.parametrize(
    ("subject", "st", "expected"),
    [
        (MAN, {"V2": 0.2, "V3": 0.2}, True),
        (MAN, {"V2": 0.2, "V3": 0.19}, False),
        (MAN, {"V2": 0.2, "V4": 0.2}, False),
        (MAN, {"V3": 0.2, "V4": 0.1}, True),
        (MAN, {"II": 0.1, "III": 0.12}, True),
        (MAN, {"I": 0.1, "aVL": 0.1}, True),
        (MAN, {"aVL": 0.3, "III": 0.3}, False),
        (MAN, {"aVR": 0.3, "V1": 0.3}, False),
        (Subject(age=30, sex="male"), {"V2": 0.22, "V3": 0.22}, False),
        (Subject(age=30, sex="female"), {"V2": 0.16, "V3": 0.16}, True),
        (Subject(age=10, sex="male"), {"V2": 0.4, "V3": 0.4}, False),
    ],
)
def test_st_elevation_is_urgent_in_contiguous_leads_by_age_and_sex(subject, st, expected):
    assert codes(stated(subject, st=st)) == ["st_elevation"] * expected


@pytest.mark.parametrize(("spread", "expected"), [(None, 1), (0.1, 1), (0.2, 0)])
def test_st_levels_that_drown_in_their_scatter_are_not_urgent(spread, expected):
    table = stated(st={"II": 0.2, "III": 0.2})
    for row in table.leads.values():
        row["st_j_mv"] = replace(row["st_j_mv"], n=10, spread=spread)
    assert len(urgent_findings(table)) == expected


def test_in_wide_qrs_only_elevation_along_an_upright_complex_counts():
    levels = {"V2": 0.5, "V3": 0.5}
    assert codes(stated(st=levels, qrs_ms=150, r_mv=0.1)) == []
    (finding,) = urgent_findings(stated(st={"V2": 0.5, "V5": 0.12}, qrs_ms=150))
    assert finding.source == "Sgarbossa 1996"
    assert codes(stated(st={"V2": 0.15, "V3": 0.15}, qrs_ms=125)) == []
    assert finding.values["qrs_ms"] == 150


@pytest.mark.parametrize(
    ("case", "leads"),
    [("inferior_infarction", {"II", "III", "aVF"}), ("anterior_infarction", {"V1", "V2", "V3", "V4"})],
)
def test_acute_infarctions_are_urgent_with_their_leads(case, leads):
    (finding,) = urgent_findings(analysed(case))
    assert finding.code == "st_elevation"
    assert {name.split(".")[0] for name in finding.values} == leads
    assert "Fourth Universal Definition" in finding.source
    assert json.loads(json.dumps(finding.to_dict()))["values"] == finding.values


@pytest.mark.parametrize(
    "case",
    [
        "normal",
        "atrial_fibrillation",
        "left_bundle_branch_block",
        "left_ventricular_hypertrophy",
        "ischaemia",
        "pre_excitation",
    ],
)
def test_other_conditions_are_not_urgent(case):
    assert urgent_findings(analysed(case, fibrillation=case == "atrial_fibrillation")) == []


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_noise_alone_raises_no_st_segment(snr_db):
    for seed in range(5):
        made = synthesize(noise=("muscle", "baseline"), snr_db=snr_db, seed=seed)
        assert codes(measure(made.recording, waves_of(made.truth))) == []


def test_long_qt_is_urgent_and_pacing_is_not():
    assert codes(analysed("long_qt")) == ["long_qtc"]
    assert codes(analysed("paced", paced=True)) == []


@pytest.mark.parametrize(("rate", "expected"), [(36, "slow_rate"), (165, "fast_rate")])
def test_rates_of_adults_alone_are_urgent(rate, expected):
    made = synthesize(rate_bpm=rate)
    waves = waves_of(made.truth)
    assert expected in codes(measure(made.recording, waves))
    assert codes(measure(made.recording, waves, Subject(age=0.5))) == []


def test_a_wide_qrs_qualifies_the_long_qtc():
    made = synthesize(shape="lbbb", qt_ms=560, rate_bpm=60)
    (finding,) = urgent_findings(measure(made.recording, waves_of(made.truth)))
    assert finding.code == "long_qtc"
    assert "judge JT" in finding.text


def test_high_voltage_qualifies_st_elevation():
    table = stated(st={"V2": 0.3, "V3": 0.3}, sokolow_lyon_mv=4.2)
    values = dict(table.values)
    values["sokolow_lyon_mv"] = Measurement(4.2, "stated", flag="high")
    (finding,) = urgent_findings(Measurements(values, table.leads, MAN, paced=False))
    assert "hypertrophy" in finding.text
