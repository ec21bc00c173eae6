"""Explanations in words, from waves of leads made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.explain.words import (
    becomes,
    becomes_years,
    carried,
    find_groups,
    hangs_on_nothing,
    lead_words,
    neighbours,
    over_time,
    with_usual,
)
from ecg_core.leads import INDEPENDENT_8


def cells(leads=INDEPENDENT_8, waves=("p", "pr", "qrs", "st", "t", "rest"), **values):
    """Return waves of leads that add nothing but for those named, ``V2_st=1.0``."""
    found = {(lead, wave): 0.0 for lead in leads for wave in waves}
    for name, value in values.items():
        lead, wave = name.split("_")
        found[lead, wave] = value
    return found


def test_one_wave_of_neighbouring_leads_that_carries_most_is_named_alone():
    found = cells(V2_st=1.0, V3_st=1.2, V4_st=0.64, I_t=0.5, V6_qrs=0.66, II_p=-1.0)
    assert carried(found, "for") == "The ST segment of V2-V4 carries 71 % of what speaks for this answer."


def test_a_lead_that_adds_hardly_anything_is_not_named():
    assert carried(cells(V2_st=2.0, V3_st=0.05), "for").startswith("The ST segment of V2 carries 98 %")


def test_two_waves_are_named_where_neither_carries_half():
    found = cells(V1_qrs=0.4, V2_qrs=0.5, V5_t=0.4, V6_t=0.3, I_p=0.3, II_st=0.3)
    assert carried(found, "for") == (
        "The QRS complex of V1-V2 (41 %) and the T wave of V5-V6 (32 %) carry 73 % of what speaks for this answer."
    )


def test_one_wave_at_two_places_is_named_once():
    found = cells(V1_qrs=0.4, V2_qrs=0.5, V5_qrs=0.4, V6_qrs=0.4, V4_qrs=-0.5, I_p=0.4)
    assert carried(found, "for") == (
        "The QRS complex of V1-V2 (43 %) and of V5-V6 (38 %) carries 81 % of what speaks for this answer."
    )


def test_what_is_spread_is_said_to_be():
    found = dict.fromkeys(cells(), 0.1)
    said = carried(found, "for")
    assert said.startswith("What speaks for this answer is spread over the tracing: the P wave of")
    assert "largest part" in said


def test_against_an_unlikely_answer_the_other_sign_counts():
    found = cells(V1_qrs=-2.0, V5_t=0.3)
    assert carried(found, "against") == "The QRS complex of V1 carries 100 % of what speaks against this answer."


def test_a_tracing_that_speaks_the_other_way_on_balance_is_said_to():
    found = cells(V1_qrs=-0.5, V5_t=2.0)
    assert carried(found, "against").endswith("On balance, though, the tracing speaks for this answer.")


def test_where_hardly_anything_speaks_nothing_is_named():
    assert carried(cells(V1_qrs=0.1), "for") == "Hardly anything in the tracing speaks for this answer."
    assert carried(cells(V1_qrs=-3.0), "for") == "Hardly anything in the tracing speaks for this answer."


def test_of_years_it_is_said_what_makes_them_more_or_less():
    assert carried(cells(V1_t=4.0), "up") == "The T wave of V1 carries 100 % of what makes the answer higher."
    assert carried(cells(V1_t=-4.0), "down") == "The T wave of V1 carries 100 % of what makes the answer lower."


def test_all_leads_are_named_as_such():
    found = cells(**{f"{lead}_qrs": 0.5 for lead in INDEPENDENT_8})
    assert carried(found, "for") == "The QRS complex of all leads carries 100 % of what speaks for this answer."


def test_without_waves_leads_are_named():
    found = {(lead, None): 1.0 if lead in ("V2", "V3") else 0.1 for lead in INDEPENDENT_8}
    assert carried(found, "for") == "Leads V2-V3 carry 77 % of what speaks for this answer."


def test_limb_leads_alone_claim_no_others():
    found = cells(("I", "II"), II_qrs=1.0, I_qrs=0.6)
    assert carried(found, "for") == "The QRS complex of all leads carries 100 % of what speaks for this answer."
    found = cells(("I", "II", "V1"), II_qrs=1.0, I_qrs=0.6)
    assert carried(found, "for") == "The QRS complex of I and II carries 100 % of what speaks for this answer."


def test_neighbours_leave_no_gap_where_a_lead_was_not_read():
    found = neighbours(("I", "II", "V1", "V2", "V4", "V5"))
    assert ("V1", "V2") in found
    assert ("V2", "V4") not in found
    assert ("I", "V5", "V6") not in found


def test_one_lead_alone_is_named():
    assert carried(cells(("II",), II_p=0.7), "for") == "The P wave of II carries 100 % of what speaks for this answer."


def test_a_second_group_shares_no_cell_with_the_first():
    rng = np.random.default_rng(0)
    for _ in range(200):
        found = {cell: float(value) for cell, value in zip(cells(), rng.normal(size=48), strict=True)}
        total, groups = find_groups(found)
        assert total == pytest.approx(sum(value for value in found.values() if value > 0))
        named = [(lead, group.wave) for group in groups for lead in group.leads]
        assert len(named) == len(set(named))


@pytest.mark.parametrize(
    ("leads", "words"),
    [
        (("V2",), "V2"),
        (("V2", "V3"), "V2-V3"),
        (("I", "II"), "I and II"),
        (("I", "V5", "V6"), "I and V5-V6"),
    ],
)
def test_leads_in_words(leads, words):
    assert lead_words(leads) == words


def test_the_change_of_an_occlusion_is_told():
    said = becomes("the ST segment of V2-V4", 0.83, 0.21)
    assert said == "Without the ST segment of V2-V4 the probability falls from 0.83 to 0.21."
    assert becomes("the P wave of all leads", 0.002, 0.4).endswith("rises from under 0.01 to 0.40.")
    assert becomes_years("the T wave of V1", 63.2, 58.4).endswith("the age falls from 63 to 58 years.")
    assert with_usual("qrs", 0.2) == "With the QRS complex of every beat as in the usual beat it is 0.20."


def test_where_no_wave_decides_no_change_is_claimed():
    assert hangs_on_nothing("it", 0.97, 0.95).endswith("the probability is 0.95 in place of 0.97.")
    assert hangs_on_nothing("it", 0.001, 0.002).endswith("the probability stays under 0.01.")


def test_a_short_time_that_carries_half_is_named():
    values = np.full(32, 0.01)
    values[10:13] = 1.0
    assert over_time(values, 0.32, 10.0, "for") == (
        "The time from 3.2 to 3.8 s carries 61 % of what speaks for this answer."
    )
    assert "over the whole time" in over_time(np.full(32, 0.1), 0.32, 10.0, "for")
    assert over_time(-values, 0.32, 10.0, "for").startswith("Hardly anything")
    assert "3.2 to 3.8 s" in over_time(-values, 0.32, 10.0, "against")
