"""What may be said of which recording."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg_core.pacing import Pacing
from ecg_core.predictors.scope import TOPICS, judge, refusals
from ecg_core.quality import LeadQuality
from ecg_core.quality.reversals import Reversals, Suspicion
from ecg_core.recording import Subject
from tests.predictors.heart12_model import a_recording, context_of

PACED = Pacing(True, np.array([1.0, 2.0, 3.0]), ("ventricular",) * 3, ("II",), ("spikes",))
UNJUDGED = Pacing(None, np.empty(0), (), (), (), "100 Hz is too slow")
REVERSED = Reversals((Suspicion("RA-LA", "right arm and left arm exchanged", ("I",), 0.9, (), None),))


def aged(years: float | None, **facts):
    return a_recording(subject=Subject(age=years, facts=facts))


@pytest.mark.parametrize(("years", "said"), [(0.0, "0"), (17.9, "17.9")])
def test_nothing_is_said_of_those_under_18(years, said):
    (reason,) = refusals(context_of(aged(years)))
    assert reason.startswith(f"the person is {said} years old; the model learned from adults")


def test_adults_are_spoken_of():
    assert refusals(context_of(aged(18))) == ()
    assert judge(context_of(aged(64))).cautions == ()


def test_an_unknown_age_is_taken_for_an_adult_and_said_so():
    scope = judge(context_of(aged(None)))
    assert scope.refusals == ()
    assert scope.cautions == ("the age is not stated: an adult is assumed",)
    assert judge(context_of(aged(None, age="over 89"))).cautions == ()


def test_under_pacing_infarction_hypertrophy_qt_and_normal_are_withheld_and_the_rest_is_not():
    scope = judge(context_of(a_recording(), pacing=PACED))
    for label in ("IMI", "ASMI", "INJAS", "MI", "LVH", "VCLVH", "LAO/LAE", "HYP", "LNGQT", "NORM"):
        assert "paced" in scope.reason(label), label
    for label in ("AFIB", "CLBBB", "STTC", "CD", "1AVB", "PACE", "ISC_"):
        assert scope.reason(label) is None, label
    assert any("withheld" in caution for caution in scope.cautions)


def test_a_tracing_that_looks_paced_counts_as_paced_where_spikes_cannot_be_seen():
    scope = judge(context_of(a_recording(), pacing=UNJUDGED), looks_paced="so it looks")
    assert scope.reason("MI") == "infarction is not judged in a paced rhythm (so it looks)"


def test_where_spikes_cannot_be_looked_for_it_is_said():
    scope = judge(context_of(a_recording(), pacing=UNJUDGED))
    assert scope.reason("MI") is None
    assert scope.cautions == ("a pacemaker could not be looked for: 100 Hz is too slow",)


def test_nothing_is_said_of_a_recording_that_is_poor_as_a_whole():
    everywhere = context_of(a_recording(), verdict="poor")
    assert refusals(everywhere) == ("the signal is poor: too noisy",)
    no_lead = context_of(a_recording(("I",)), poor=("I",), verdict="poor")
    assert refusals(no_lead) == ("the signal is poor: too noisy",)


def test_nothing_is_said_where_the_leads_that_are_not_poor_are_not_good_either():
    noisy = context_of(a_recording(), poor=("V1", "V2"), verdict="poor")
    leads = {
        name: lead if lead.verdict == "poor" else LeadQuality("usable", ("muscle noise",))
        for name, lead in noisy.quality.leads.items()
    }
    assert refusals(replace(noisy, quality=replace(noisy.quality, leads=leads))) == ("the signal is poor: too noisy",)


def test_poor_leads_are_left_out_with_a_caution_and_it_is_not_called_normal():
    scope = judge(context_of(a_recording(), poor=("V1", "V2"), verdict="poor"))
    assert scope.refusals == ()
    assert scope.reason("NORM") == "a recording is not called normal where the signal is poor"
    assert "poor leads are left out: V1, V2" in scope.cautions
    assert "the signal is poor" in scope.cautions


def test_a_suspected_reversal_is_a_caution_and_forbids_normal():
    scope = judge(context_of(a_recording(), reversals=REVERSED))
    assert scope.reason("NORM").endswith("electrodes may be exchanged (right arm and left arm exchanged)")
    assert scope.reason("MI") is None
    assert scope.cautions[0].startswith("electrodes may be exchanged (right arm and left arm exchanged)")


def test_an_incomplete_or_short_recording_is_not_called_normal():
    incomplete = judge(context_of(a_recording()), incomplete="only I can be read")
    assert incomplete.reason("NORM") == "a recording is not called normal where only I can be read"
    short = judge(context_of(a_recording(duration_s=5)))
    assert short.reason("NORM") == "a recording is not called normal where only 5.0 s were recorded"
    assert judge(context_of(a_recording())).withheld == {}


def test_every_infarct_and_hypertrophy_code_of_the_set_has_its_topic():
    """Of the diagnostic statements of PTB-XL, by the superclass that the set gives them."""
    infarct = "IMI ASMI ILMI AMI ALMI INJAS LMI INJAL IPLMI IPMI INJIN INJLA PMI INJIL".split()
    hypertrophy = "LVH LAO/LAE RVH RAO/RAE SEHYP".split()
    assert {name for name, topic in TOPICS.items() if topic == "infarct"} == {*infarct, "MI"}
    assert {name for name, topic in TOPICS.items() if topic == "hypertrophy"} == {*hypertrophy, "VCLVH", "HYP"}
