from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.leads import (
    CHEST,
    INDEPENDENT_8,
    LIMB,
    LIMB_FROM_I_II,
    STANDARD_12,
    canonical_lead,
    derive_leads,
    derive_limb,
    is_generic_name,
    is_modified_lead,
    numbered_ecg,
)
from ecg_core.recording import Recording
from tests.helpers import make_recording

ALIASES = {
    "I": ["i", "D1", "DI", "LI", "L1", "MLI", "lead_I", "EKG I", "Lead I (Einthoven)", "MDC_ECG_LEAD_I"],
    "II": [
        "ii", "MLII", "ML2", "MLII ", "Lead II", "lead_ii", "LEAD-II", "DII", "D2", "L2", "ECG II", "ECG lead II",
        "II-", "'II'", "II (mV)", "II [mV]", "Ableitung II", "mod. II", "MDC_ECG_LEAD_II",
    ],
    "III": ["iii", "DIII", "D3", "Derivation III", "MLIII"],
    "aVR": ["aVR", "AVR", "avr", "aVr", "VR", "a-VR", "Lead aVR", "MDC_ECG_LEAD_AVR", "aVR+"],
    "aVL": ["AVL", "vl", "Lead aVL (Goldberger)"],
    "aVF": ["AVF", "ECG aVF", "VF", "MDC_ECG_LEAD_aVF"],
    "V1": ["v1", "V-1", "V_1", "C1", "MV1", "ECG V1-REF", "Channel V1"],
    "V6": ["v6", "lead_V6", "C6", "ecg-V6"],
    "V3R": ["v3r", "MDC_ECG_LEAD_V3R"],
    "X": ["x", "VX", "Frank X"],
}  # fmt: skip


@pytest.mark.parametrize(("alias", "lead"), [(alias, lead) for lead, names in ALIASES.items() for alias in names])
def test_alias_is_known(alias, lead):
    assert canonical_lead(alias) == lead


@pytest.mark.parametrize("lead", STANDARD_12)
@pytest.mark.parametrize("spelling", ["{}", " {} ", "Lead {}", "ECG {}", "MDC_ECG_LEAD_{}", "{} (mV)"])
def test_every_standard_lead_is_known_in_any_case(lead, spelling):
    for name in (lead, lead.lower(), lead.upper()):
        assert canonical_lead(spelling.format(name)) == lead


@pytest.mark.parametrize(
    "name",
    ["", "ECG", "ECG1", "ch 1", "1", "V10", "IV", "IIII", "D4", "Resp", "SpO2", "V1-V2", "I-II", "CM5", "LL", "RA"],
)
def test_name_that_is_no_lead_is_not_taken_for_one(name):
    assert canonical_lead(name) is None


@pytest.mark.parametrize("name", ["-aVR", "\u2212aVR", "Lead -aVR", "-II"])
def test_lead_upside_down_is_not_taken_for_the_lead(name):
    """Cabrera's -aVR is aVR with the sign changed."""
    assert canonical_lead(name) is None


@pytest.mark.parametrize("name", ["M1", "M2"])
def test_mastoid_electrodes_of_sleep_recordings_are_no_modified_limb_leads(name):
    assert canonical_lead(name) is None


@given(st.text(max_size=20))
def test_any_text_is_answered_and_canonical_names_are_stable(text):
    lead = canonical_lead(text)
    assert lead is None or canonical_lead(lead) == lead


@pytest.mark.parametrize(
    ("name", "modified"), [("MLII", True), ("mV1", True), ("mod. II", True), ("II", False), ("M2", False), ("x", False)]
)
def test_torso_placements_are_recognised(name, modified):
    assert is_modified_lead(name) == modified


@pytest.mark.parametrize(
    ("name", "generic"),
    [
        (None, True),
        ("", True),
        ("ECG", True),
        ("ch 3", True),
        ("7", True),
        ("val", True),
        ("II", False),
        ("Resp", False),
    ],
)
def test_names_that_say_nothing_are_recognised(name, generic):
    assert is_generic_name(name) == generic


@pytest.mark.parametrize(("name", "numbered"), [("ECG 2", "ECG2"), ("ekg#02", "ECG2"), ("ECG", None), ("II", None)])
def test_numbered_channels_keep_their_number(name, numbered):
    assert numbered_ecg(name) == numbered


@pytest.mark.parametrize("pair", list(combinations(LIMB, 2)), ids="-".join)
def test_any_two_limb_leads_give_the_other_four(pair):
    whole = make_recording()
    found = derive_leads(whole.select((*pair, *CHEST)))
    assert found.leads == STANDARD_12
    assert set(found.derived) == set(LIMB) - set(pair)
    assert np.abs(found.signal - whole.signal).max() < 1e-5
    assert np.array_equal(found.lead("V4"), whole.lead("V4"))
    assert np.array_equal(found.lead(pair[0]), whole.lead(pair[0]))


def test_limb_leads_follow_einthoven_and_goldberger():
    found = derive_leads(Recording(np.array([[1.0], [0.25]]), 500, ("I", "II")))
    values = {name: float(found.lead(name)[0]) for name in LIMB}
    assert values == {"I": 1, "II": 0.25, "III": -0.75, "aVR": -0.625, "aVL": 0.875, "aVF": -0.25}
    assert values["aVR"] + values["aVL"] + values["aVF"] == pytest.approx(0)


def test_each_sample_is_derived_from_whichever_two_were_recorded():
    whole = make_recording(LIMB)
    known = ("I", "aVL", "aVF")
    signal = whole.select(known).signal.copy()
    signal[0, 100:300] = np.nan
    signal[1, 200:400] = np.nan
    signal[2, 500:600] = np.nan
    found = derive_limb(signal, known, ("II", "III", "aVR"))
    for row, name in zip(found, ("II", "III", "aVR"), strict=True):
        assert np.flatnonzero(np.isnan(row)).tolist() == list(range(200, 300)), name
        assert np.nanmax(np.abs(row - whole.lead(name))) < 1e-5


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=20), st.permutations(LIMB))
def test_derivation_invents_nothing_where_fewer_than_two_were_recorded(recorded, order):
    pattern = np.array(recorded).T
    true = {name: np.full(pattern.shape[1], a * 0.7 + b * -0.3) for name, (a, b) in LIMB_FROM_I_II.items()}
    known, wanted = tuple(order[:3]), tuple(order[3:])
    signal = np.where(pattern, np.stack([true[name] for name in known]), np.nan)
    found = derive_limb(signal, known, wanted)
    enough = pattern.sum(axis=0) >= 2
    assert np.array_equal(~np.isnan(found), np.tile(enough, (3, 1)))
    assert np.nanmax(np.abs(found - np.stack([true[name] for name in wanted]))[:, enough], initial=0) < 1e-6


def test_nothing_missing_changes_nothing():
    recording = make_recording()
    assert derive_leads(recording) is recording


def test_other_leads_stay_at_the_end_and_chest_leads_are_not_invented():
    recording = Recording(make_recording(("I", "II", "V1")).signal, 500, ("thorax", "II", "I"))
    found = derive_leads(recording)
    assert found.leads == (*LIMB, "thorax")
    assert found.history[-1].name == "derive_leads"
    assert np.array_equal(found.lead("thorax"), recording.lead("thorax"))


def test_eight_leads_become_twelve():
    assert derive_leads(make_recording(INDEPENDENT_8)).leads == STANDARD_12


@pytest.mark.parametrize("leads", [("II",), ("V1", "V2"), ("aVR", "V1")])
def test_fewer_than_two_limb_leads_are_refused(leads):
    with pytest.raises(InvalidValue, match=r"cannot be derived.*any two of I, II, III, aVR, aVL, aVF"):
        derive_leads(Recording(np.zeros((len(leads), 5)), 500, leads))
