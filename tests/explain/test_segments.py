"""A strip in parts, from waves that are marked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.beats import Beats
from ecg_core.explain import segments as module
from ecg_core.explain.segments import REST, split_strip, waves_at
from ecg_core.explain.value import WAVES
from ecg_core.leads import INDEPENDENT_8
from ecg_core.measurements import Part
from ecg_core.predictors.windows import N_SAMPLES
from ecg_core.recording import Recording
from ecg_core.waves import BeatWaves, Wave, Waves
from tests.predictors.heart12_model import context_of

BEATS_S = np.arange(0.6, 9.6, 0.8)
AT = {wave: k for k, wave in enumerate(WAVES)}
V2 = INDEPENDENT_8.index("V2")


def beat(r_s, *, p=True, t=True, qrs=True):
    return BeatWaves(
        Wave(r_s - 0.20, r_s - 0.16, r_s - 0.12) if p else None,
        Wave(r_s - 0.05, r_s, r_s + 0.05) if qrs else None,
        Wave(r_s + 0.20, r_s + 0.28, r_s + 0.36) if t else None,
    )


def bump(centres_s, width_s, size):
    t = np.arange(N_SAMPLES) / 100
    return size * sum(np.exp(-0.5 * ((t - centre) / width_s) ** 2) for centre in centres_s)


def strip_of(st_mv=0.0, wander_mv=0.0):
    """Return P, QRS and T in all leads, and in V2 an ST segment that is raised until T ends."""
    row = bump(BEATS_S - 0.16, 0.015, 0.1) + bump(BEATS_S, 0.012, 1.0) + bump(BEATS_S + 0.28, 0.03, 0.3)
    strip = np.tile(row[:, None], (1, 8)) + wander_mv * np.linspace(-1, 1, N_SAMPLES)[:, None]
    t = np.arange(N_SAMPLES) / 100
    for centre in BEATS_S:
        strip[(t > centre + 0.05) & (t < centre + 0.2), V2] += st_mv
    return strip.astype(np.float32)


def context_with(waves, *, beats_s=BEATS_S, part=None, duration_s=10.0):
    recording = Recording(np.zeros((8, round(duration_s * 100)), np.float32), 100.0, INDEPENDENT_8)
    beats = Beats(beats_s, np.zeros(len(beats_s)), "fast", INDEPENDENT_8)
    return context_of(recording, waves=waves, beats=beats, part=part or Part(0.0, duration_s))


def split(strip, waves, **known):
    found = split_strip(context_with(waves, **known), 0.0, strip)
    assert found is not None
    return found


ALL = Waves([beat(r) for r in BEATS_S])


@pytest.mark.parametrize("wander_mv", [0.0, 0.4])
def test_the_parts_add_up_to_the_strip_and_without_them_lines_are_straight(wander_mv):
    strip = strip_of(st_mv=0.3, wander_mv=wander_mv)
    found = split(strip, ALL)
    present = np.ones((2, 8, 6), bool)
    present[1] = False
    whole, none = found.strips(present)
    np.testing.assert_allclose(whole, strip, atol=1e-6)
    np.testing.assert_array_equal(none, 0)
    np.testing.assert_allclose(found.masks.sum(axis=1), 1)


def test_each_wave_is_where_it_is_marked():
    found = split(strip_of(), ALL)
    r = round(BEATS_S[3] * 100)
    of = found.masks[0].argmax(axis=0)
    assert [WAVES[of[r + offset]] for offset in (-30, -16, -8, 0, 12, 28, 45)] == [
        "rest",
        "p",
        "pr",
        "qrs",
        "st",
        "t",
        "rest",
    ]


def test_an_elevated_st_segment_that_is_taken_out_is_isoelectric():
    found = split(strip_of(st_mv=0.3), ALL)
    present = np.ones((1, 8, 6), bool)
    present[0, V2, AT["st"]] = False
    (without,) = found.strips(present)
    r = round(BEATS_S[3] * 100)
    assert np.abs(without[r + 8 : r + 17, V2]).max() < 0.02
    np.testing.assert_allclose(without[r - 4 : r + 4], found.strips(present | True)[0, r - 4 : r + 4], atol=0.02)


def test_the_wander_of_the_baseline_belongs_to_the_rest():
    found = split(strip_of(wander_mv=0.5), ALL)
    only = np.zeros((1, 8, 6), bool)
    only[0, :, AT["qrs"]] = True
    (qrs,) = found.strips(only)
    crests = qrs[np.rint(BEATS_S * 100).astype(int), 0]
    np.testing.assert_allclose(crests, crests[0], atol=0.05)


def test_a_lead_goes_by_its_own_marks_where_it_has_them():
    wide = [BeatWaves(None, Wave(r - 0.05, r, r + 0.12), None) for r in BEATS_S]
    later = Waves(ALL.global_, {"V2": wide})
    found = split(strip_of(), later)
    at = round((BEATS_S[3] + 0.1) * 100)
    assert WAVES[found.masks[V2, :, at].argmax()] == "qrs"
    assert WAVES[found.masks[0, :, at].argmax()] == "st"
    p = round((BEATS_S[3] - 0.16) * 100)
    assert WAVES[found.masks[V2, :, p].argmax()] == "p"


def test_without_p_waves_there_is_neither_p_nor_pr():
    found = split(strip_of(), Waves([beat(r, p=False) for r in BEATS_S]))
    assert found.waves == ("qrs", "st", "t", "rest")


def test_where_no_t_wave_is_marked_the_st_segment_is_short():
    found = split(strip_of(), Waves([beat(r, t=False) for r in BEATS_S]))
    r = round(BEATS_S[3] * 100)
    of = found.masks[0].argmax(axis=0)
    assert [WAVES[of[r + offset]] for offset in (10, 16, 20)] == ["st", "st", "rest"]


def test_a_beat_that_no_mark_tells_of_is_a_qrs_complex():
    found = split(strip_of(), Waves([beat(r) for r in BEATS_S[1:]]))
    assert WAVES[found.masks[0, :, round(BEATS_S[0] * 100)].argmax()] == "qrs"


def test_the_usual_beat_undoes_what_one_beat_has_of_its_own():
    plain, odd = strip_of(), strip_of()
    r = round(BEATS_S[4] * 100)
    odd[r - 4 : r + 5, 0] += 0.8
    found = split(odd, ALL)
    assert found.usual is not None
    k = AT["qrs"]
    replaced = found.parts.sum(axis=1)[0] - found.parts[0, k] + found.usual[0, k]
    np.testing.assert_allclose(replaced[r - 3 : r + 4], plain[r - 3 : r + 4, 0], atol=0.05)
    away = np.abs(np.arange(N_SAMPLES) - r) > 20
    np.testing.assert_allclose(replaced[away], plain[away, 0], atol=0.05)


def test_too_few_beats_have_no_usual_one():
    found = split(strip_of(), Waves([beat(r) for r in BEATS_S[:2]]), beats_s=BEATS_S[:2])
    assert found.usual is None


def test_a_p_wave_that_no_qrs_follows_is_placed_by_the_others():
    rows = [beat(r, qrs=k != 4, t=k != 4) for k, r in enumerate(BEATS_S)]
    found = split(strip_of(), Waves(rows), beats_s=np.delete(BEATS_S, 4))
    p = round((BEATS_S[4] - 0.16) * 100)
    assert found.usual is not None
    assert found.usual[0, AT["p"], p] == pytest.approx(0.1, abs=0.02)


def test_a_strip_without_waves_has_no_parts():
    assert split_strip(context_with(Waves((), reason="too noisy")), 0.0, strip_of()) is None
    assert split_strip(context_with(Waves([beat(20.5)]), duration_s=30.0), 0.0, strip_of()) is None


def test_beyond_the_part_that_waves_are_of_they_are_marked_anew(monkeypatch):
    asked = []
    monkeypatch.setattr(module, "mark_part", lambda _recording, _beats, part: asked.append(part) or ALL)
    context = context_with(ALL, part=Part(60.0, 120.0), duration_s=200.0)
    assert waves_at(context, 100.0) is context.waves
    assert asked == []
    waves_at(context, 30.0)
    assert (asked[0].start_s, asked[0].end_s) == (30.0, 40.0)


def test_the_rest_of_a_lead_that_is_not_read_is_nothing():
    strip = strip_of()
    strip[:, 3] = 0
    found = split(strip, ALL)
    assert np.abs(found.parts[3]).max() == 0
    assert REST == AT["rest"]
