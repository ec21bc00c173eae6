"""The table of measurements: what is read, and that text stays text."""

from __future__ import annotations

import pytest

from api.schemas import Measurement, Measurements, Range
from dashboard import words
from dashboard.components import measurement_table


def table_of(**items: Measurement) -> Measurements:
    missing = Measurement(value=None, method="stated", reason="not stated")
    names = [name for name, field in Measurements.model_fields.items() if field.annotation is Measurement]
    return Measurements(**{**dict.fromkeys(names, missing), **items}, leads={}, notes=[])


@pytest.fixture
def html(monkeypatch):
    shown = []
    monkeypatch.setattr(measurement_table.st, "html", shown.append)
    return shown


def test_every_value_of_the_api_has_a_name_and_a_place():
    names = [name for name, field in Measurements.model_fields.items() if field.annotation is Measurement]
    assert sorted(words.MEASURED) == sorted(names)
    assert sorted(name for _, group in measurement_table.GROUPS for name in group) == sorted(names)


def test_a_value_stands_beside_its_flag_range_and_spread(html):
    usual = Range(low=120, high=200, source="guideline <2018>")
    item = Measurement(value=214.2, method="P & QRS", spread=4.4, n=9, range=usual, flag="high")
    measurement_table.measurement_table(table_of(pr_ms=item))
    for text in (
        "214\u202fms",
        ">high<",
        "120\u2013200",
        "±\u202f4",
        "guideline &lt;2018&gt;",
        "P &amp; QRS",
        "over 9 beats",
    ):
        assert text in html[0]


def test_a_normal_value_is_not_flagged_and_a_caution_is_said_once_for_all_that_it_concerns(html):
    item = Measurement(value=1, method="", flag="normal")
    wide = Measurement(value=1, method="", caution="QRS lasts 150 ms")
    measurement_table.measurement_table(table_of(pr_ms=item, qtc_hodges_ms=wide, qtc_bazett_ms=wide))
    assert 'ecg-flag"' not in html[0]
    assert html[0].count("QRS lasts 150 ms") == 1
    assert "Bazett, Hodges: QRS lasts 150 ms" in html[0]


def test_reasons_are_text_and_not_markup(html):
    item = Measurement(value=None, method="", reason="<b>no</b> P")
    measurement_table.measurement_table(table_of(pr_ms=item, p_ms=item))
    assert "&lt;b&gt;no&lt;/b&gt; P" in html[0]
    assert ">PR, P<" in html[0]


def test_leads_show_what_is_out_of_range_and_why_a_level_is_missing(html):
    level = Measurement(value=0.213, method="", flag="high")
    gone = Measurement(value=None, method="", reason="flat")
    row = {"st_j_mv": level, "r_mv": Measurement(value=-0.0004, method=""), "q_mv": gone}
    measurement_table.lead_table(table_of().model_copy(update={"leads": {"V2": row}}))
    assert '<span class="ecg-odd">0.21</span>' in html[0]
    assert "<td>0.00</td>" in html[0]
    assert 'title="flat"' in html[0]


@pytest.mark.parametrize(
    ("name", "number", "text"),
    [
        ("hr_bpm", 71.6, "72\u202f/min"),
        ("qrs_axis_deg", -59.7, "\u221260°"),
        ("cornell_mv", 1.234, "1.23\u202fmV"),
        ("r_transition", 3.4, "V3\u2013V4"),
        ("r_transition", 3.0, "V3"),
        ("t_axis_deg", -0.2, "0°"),
    ],
)
def test_figures_have_the_digits_that_mean_something(name, number, text):
    assert words.value(name, number) == text


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ((None, None, True), ""),
        ((120, 200, True), "120\u2013200"),
        ((None, 110, True), "\u2264\u202f110"),
        ((None, 450, False), "<\u202f450"),
        ((359, None, True), "\u2265\u202f359"),
        ((-30, 90, True), "\u221230 to 90"),
    ],
)
def test_ranges_are_written_as_people_do(limits, text):
    low, high, included = limits
    assert words.usual("pr_ms", Range(low=low, high=high, high_included=included, source="x")) == text
