"""Which leads a recording is read from."""

from __future__ import annotations

import pytest

from ecg_core.leads import STANDARD_12
from ecg_core.predictors.views import Reading, choose_reading
from ecg_core.predictors.windows import INPUTS
from tests.helpers import make_recording
from tests.predictors.heart12_model import VIEWS


def choose(leads: tuple[str, ...], poor: tuple[str, ...] = ()) -> Reading | str:
    trusted = [name for name in leads if name not in poor]
    return choose_reading(make_recording(leads), trusted, VIEWS)


@pytest.mark.parametrize(
    ("leads", "view", "read", "lost"),
    [
        (STANDARD_12, "full", INPUTS, ()),
        (INPUTS, "full", INPUTS, ()),
        (("aVR", "aVL", "V1", "V2", "V3", "V4", "V5", "V6"), "full", INPUTS, ()),
        (("I", "II", "V1", "V2", "V3", "V4", "V5"), "full", INPUTS[:-1], ("V6",)),
        (("II", "V1", "V2", "V3", "V5", "V6"), "full", ("II", "V1", "V2", "V3", "V5", "V6"), ("I", "V4")),
        (("I", "II", "V1", "V2", "V5"), "limb_v1", ("I", "II", "V1"), ()),
        (("I", "II", "III", "aVR", "aVL", "aVF"), "limb", ("I", "II"), ()),
        (("II", "V5"), "II", ("II",), ()),
        (("V5", "I"), "I", ("I",), ()),
    ],
)
def test_the_largest_view_that_the_leads_allow(leads, view, read, lost):
    found = choose(leads)
    assert (found.view, found.leads, found.lost) == (view, read, lost)


def test_poor_leads_are_left_out_and_computed_from_others_where_that_is_possible():
    found = choose(STANDARD_12, poor=("I", "V3"))
    assert (found.view, found.lost, found.computed) == ("full", ("V3",), ("I",))
    assert not {"I", "V3"} & set(found.sources)


def test_many_poor_leads_leave_a_smaller_view():
    assert choose(STANDARD_12, poor=("V2", "V3", "V4")).view == "limb_v1"
    assert choose(STANDARD_12, poor=("V1", "V2", "V3")).view == "limb"


def test_no_view_at_all_is_said_with_what_is_read_and_what_is_here():
    assert choose(("V5",)) == (
        "the model reads one of these sets of leads: I, II, V1, V2, V3, V4, V5, V6; I, II, V1; I, II; I; II; "
        "here are V5"
    )
    assert choose(("I", "V5"), poor=("I",)).endswith("here are I, V5, of which I cannot be trusted")
