"""Scoring suspected exchanges, and making recordings with them."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation import measure
from ecg_core.evaluation.reversals import (
    GROUPS,
    KINDS,
    RIGHT_LEG,
    RIGHT_LEG_KINDS,
    exchange,
    metric_name,
    score_reversals,
    tally_answer,
)
from ecg_core.quality.reversals import IN_ORDER, Reversals, Suspicion
from ecg_core.synthesis import synthesize


def suspicion(kind: str) -> Suspicion:
    return Suspicion(kind, kind, ("I",), 0.9, ("",), None)


def test_figures_of_alarms_names_and_silence():
    alarmed, silent = Reversals((suspicion("RA-LA"),)), Reversals(())
    records = [
        tally_answer(IN_ORDER, silent) | tally_answer("RA-LA", alarmed) | tally_answer("V1-V2", silent),
        tally_answer(IN_ORDER, alarmed) | tally_answer("RA-LA", silent) | tally_answer("V1-V2", alarmed),
        tally_answer(IN_ORDER, Reversals((), "too slow")),
    ]
    found = measure(score_reversals(records), ["a", "b", "c"], resamples=10)
    values = {name: metric.value for name, metric in found.items()}
    assert values["specificity"] == pytest.approx(2 / 3)
    assert values["answered"] == pytest.approx(2 / 3)
    assert (values["se_ra_la"], values["named_ra_la"]) == (0.5, 0.5)
    assert (values["se_v1_v2"], values["named_v1_v2"]) == (0.5, 0.0)
    assert values["se_limb"] is None


def test_every_kind_is_in_one_group_and_has_a_metric_of_its_own():
    assert sorted(kind for kinds in GROUPS.values() for kind in kinds) == sorted(KINDS)
    assert len({metric_name(kind) for kind in KINDS}) == len(KINDS)
    assert metric_name("RA>LA>LL") == "ra_to_la_to_ll"


def test_the_right_leg_leaves_a_tenth_of_a_lead():
    recording = synthesize(duration_s=3, fs=250, seed=1).recording
    left_leg = (2 * recording.lead("II") - recording.lead("I")) / 3
    for kind, lead in zip(RIGHT_LEG_KINDS[1:], ("II", "III"), strict=True):
        found = exchange(recording, kind)
        flat = found.lead("II") if lead == "II" else found.lead("II") - found.lead("I")
        np.testing.assert_allclose(flat, (1 - RIGHT_LEG) * left_leg, atol=1e-5)
    np.testing.assert_allclose(exchange(recording, RIGHT_LEG_KINDS[0]).lead("I"), (1 - RIGHT_LEG) * left_leg, atol=1e-5)
