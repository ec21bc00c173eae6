"""What exchanging electrodes does to the leads, and what undoes it."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ecg_core.evaluation.reversals import exchange
from ecg_core.leads import CHEST, INDEPENDENT_8, LIMB, STANDARD_12
from ecg_core.quality.arrangements import ARRANGEMENTS, AS_RECORDED, ELECTRODES, candidates
from ecg_core.quality.typical_beat import potentials_of
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from ecg_core.synthesis.electrodes import all_leads

KINDS = {arrangement.kind: arrangement for arrangement in ARRANGEMENTS}


def twelve(eight: Recording) -> dict[str, np.ndarray]:
    return dict(zip(STANDARD_12, all_leads(eight.select(INDEPENDENT_8).signal, STANDARD_12), strict=True))


@pytest.fixture(scope="module")
def in_order() -> Recording:
    return synthesize(duration_s=3, fs=250, seed=2).recording


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_to_undo_it_undoes_it(kind, in_order):
    right, recorded = twelve(in_order), twelve(exchange(in_order, kind))
    arrangement = KINDS[kind]
    for lead in STANDARD_12:
        sign, source = arrangement.undo.get(lead, (1, lead))
        np.testing.assert_allclose(sign * recorded[source], right[lead], atol=1e-5, err_msg=lead)
        assert (lead in arrangement.undo) == (not np.allclose(recorded[lead], right[lead], atol=1e-5))


@pytest.mark.parametrize("kind", ["RA-LA", "RA-LL", "LA-LL", "V1-V2", "V4-V6"])
def test_it_does_what_the_synthesis_does(kind, in_order):
    made = synthesize(duration_s=3, fs=250, seed=2, lead_reversal=kind).recording
    np.testing.assert_allclose(exchange(in_order, kind).signal, made.select(INDEPENDENT_8).signal, atol=1e-5)


def test_exchanged_arms_are_undone_as_every_textbook_says():
    undo = KINDS["RA-LA"].undo
    assert undo == {"I": (-1, "I"), "II": (1, "III"), "III": (1, "II"), "aVR": (1, "aVL"), "aVL": (1, "aVR")}
    assert KINDS["LA-LL"].undo == {
        "I": (1, "II"),
        "II": (1, "I"),
        "III": (-1, "III"),
        "aVL": (1, "aVF"),
        "aVF": (1, "aVL"),
    }


def test_limb_exchanges_leave_the_chest_alone_and_the_other_way_round():
    for arrangement in ARRANGEMENTS:
        assert set(arrangement.undo) <= set(LIMB if arrangement.limb else CHEST)


def test_every_pair_of_limbs_and_of_the_chest_is_there_once():
    counts = Counter(arrangement.kind for arrangement in ARRANGEMENTS)
    assert set(counts.values()) == {1}
    assert len(ARRANGEMENTS) == 3 + 2 + 15 + 3
    assert len({tuple(arrangement.placed) for arrangement in (AS_RECORDED, *ARRANGEMENTS)}) == 24


def test_candidates_hold_the_right_one_where_it_is_expected(in_order):
    right = potentials_of(in_order)
    for number, arrangement in enumerate(ARRANGEMENTS, start=1):
        recorded = potentials_of(exchange(in_order, arrangement.kind))
        np.testing.assert_allclose(candidates(recorded)[number], right, atol=1e-5)
    assert candidates(right).shape == (24, len(ELECTRODES), in_order.n_samples)


def test_words_name_the_electrodes():
    assert KINDS["RA-LA"].title == "right arm and left arm exchanged"
    assert KINDS["V1-V2"].title == "V1 and V2 exchanged"
    assert KINDS["RA>LA>LL"].title.startswith("cables turned: right arm on the left arm, left arm on the left leg")
