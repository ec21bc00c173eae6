"""Waves made straight or usual, and what becomes of an answer that is known to hang on some of them."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.explain.occlusion import Variant, occlude, occluded, variants
from ecg_core.explain.segments import Segments
from ecg_core.explain.value import WAVES
from ecg_core.leads import INDEPENDENT_8

QRS, ST = WAVES.index("qrs"), WAVES.index("st")
V2 = INDEPENDENT_8.index("V2")
EVERY = tuple(range(8))


@pytest.fixture
def parts():
    """Return a strip whose waves are blocks: wave k of all leads on samples 100 k to 100 k + 50; there is no P."""
    masks = np.zeros((8, 6, 1000))
    for k in range(1, 6):
        masks[:, k, 100 * k : 100 * k + 50] = 1
    size = np.arange(1, 9)[:, None, None]
    return Segments((masks * size).astype(np.float32), (masks * 0.5).astype(np.float32), masks)


def sum_of(lead, begin, end):
    return lambda strips: strips[:, begin:end, lead].sum(axis=1).astype(np.float64)


def test_every_wave_every_lead_and_every_wave_of_a_lead_is_replaced(parts):
    found = list(variants(parts, EVERY))
    straight = [variant for variant in found if variant.how == "without"]
    assert len(straight) == 5 + 8 + 5 * 8
    assert len(found) - len(straight) == 4 + 4 * 8
    assert len(set(found)) == len(found)
    assert not any(variant.wave == "p" for variant in found)
    assert Variant(None, "rest", "usual") not in found


def test_only_leads_that_are_read_are_replaced(parts):
    assert {variant.lead for variant in variants(parts, (0, 1))} == {None, 0, 1}


def test_without_a_usual_beat_waves_are_only_made_straight(parts):
    alone = Segments(parts.parts, None, parts.masks)
    assert {variant.how for variant in variants(alone, EVERY)} == {"without"}


def test_the_answer_falls_by_what_the_wave_added_and_by_nothing_elsewhere(parts):
    answers = sum_of(V2, 300, 350)
    found = occlude(parts, EVERY, answers)
    (whole,) = answers(parts.parts.sum(axis=1).T[None])
    lost = {variant: whole - answer for variant, answer in found.items()}
    size = 50 * (V2 + 1)
    assert lost[Variant(V2, "st", "without")] == pytest.approx(size)
    assert lost[Variant(None, "st", "without")] == pytest.approx(size)
    assert lost[Variant(V2, None, "without")] == pytest.approx(size)
    assert lost[Variant(V2, "st", "usual")] == pytest.approx(size - 25)
    assert lost[Variant(V2, "qrs", "without")] == 0
    assert lost[Variant(0, "st", "without")] == 0


def test_all_else_stays_as_it_is(parts):
    (strip,) = occluded(parts, [Variant(V2, "qrs", "without")])
    changed = strip != parts.parts.sum(axis=1).T
    assert changed[200:250, V2].all()
    assert changed.sum() == 50
