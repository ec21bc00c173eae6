"""Critical rhythms by rule."""

import numpy as np
import pytest

from ecg_core.beats import Beats
from ecg_core.measurements import measure
from ecg_core.synthesis import Synthetic, synthesize
from ecg_core.urgent import urgent_findings
from ecg_core.urgent_rhythm import complete_block, ventricular_runs, wide_tachycardia
from ecg_core.waves import BeatWaves, Wave, Waves
from tests.measurements.marks import waves_of


def beats_at(times_s: list[float], stretch: list[int] | None = None) -> Beats:
    return Beats(np.array(times_s), np.array(stretch or [0] * len(times_s)), "fast", ("II",))


def with_lone_p(made: Synthetic, *, hidden: bool = False) -> Waves:
    """Return all waves in order of time; P waves that touch QRS or T are left out where they are hidden."""
    lone = made.truth.lone["p"]
    marks = np.stack([lone.onset_s, lone.peak_s, lone.end_s], axis=1)
    marks = marks[~np.isnan(marks).any(axis=1)]
    beats = waves_of(made.truth).global_
    if hidden:
        busy = [(b.qrs.onset_s, b.t.end_s) for b in beats if b.qrs and b.t]
        marks = [row for row in marks if not any(row[2] > start and row[0] < stop for start, stop in busy)]
    alone = [BeatWaves(p=Wave(*row)) for row in marks]
    return Waves(tuple(sorted((*beats, *alone), key=lambda beat: (beat.p or beat.qrs or beat.t).onset_s)))


@pytest.mark.parametrize(
    ("classes", "rr_s", "expected"),
    [
        ("NNVVVNN", 0.4, (3, 150)),
        ("VVVVVVV", 0.5, (7, 120)),
        ("NNVVNVV", 0.4, None),
        ("NNVVVNN", 0.61, None),
        ("NNVVSVV", 0.4, None),
        ("", 0.4, None),
    ],
)
def test_three_fast_ventricular_beats_in_a_row_are_a_tachycardia(classes, rr_s, expected):
    found = list(ventricular_runs(beats_at([1 + rr_s * i for i in range(7)]), classes))
    if expected is None:
        assert found == []
    else:
        assert found[0].code == "ventricular_tachycardia"
        assert (found[0].values["beats"], found[0].values["rate_bpm"]) == pytest.approx(expected)


def test_a_run_does_not_span_what_was_not_recorded_and_the_longest_is_told():
    times = [1.0, 1.4, 1.8, 9.0, 9.4, 9.8, 10.2]
    (found,) = ventricular_runs(beats_at(times), "VVVNVVV")
    assert found.values["runs"] == 2
    assert list(ventricular_runs(beats_at(times[:4], [0, 0, 1, 1]), "VVVN")) == []


@pytest.mark.parametrize(
    ("shape", "rhythm", "rate", "with_p", "expected"),
    [
        ("lbbb", "sinus", 140, False, True),
        ("lbbb", "sinus", 140, True, False),
        ("lbbb", "sinus", 110, False, False),
        ("normal", "sinus", 140, False, False),
        ("lbbb", "af", 140, False, False),
    ],
)
def test_a_regular_wide_tachycardia_without_p_waves_may_be_ventricular(shape, rhythm, rate, with_p, expected):
    made = synthesize(rhythm, shape, rate_bpm=rate, seed=3)
    waves = waves_of(made.truth)
    if not with_p:
        waves = Waves(tuple(BeatWaves(None, beat.qrs, beat.t) for beat in waves.global_))
    found = list(wide_tachycardia(measure(made.recording, waves), beats_at(made.truth.r_s.tolist())))
    assert [item.code for item in found] == ["wide_tachycardia"] * expected


@pytest.mark.parametrize("rate", [32, 38, 44, 52])
@pytest.mark.parametrize("hidden", [False, True])
def test_regular_p_waves_that_pass_regular_complexes_by_are_a_complete_block(rate, hidden):
    made = synthesize("paced", rate_bpm=rate, duration_s=12.0, seed=4)
    (found,) = complete_block(with_lone_p(made, hidden=hidden))
    assert found.values["ventricular_bpm"] == pytest.approx(rate, rel=0.02)
    assert found.values["atrial_bpm"] == pytest.approx(84, rel=0.05)


@pytest.mark.parametrize(
    "made",
    [
        synthesize("block_2_to_1", seed=1),
        synthesize("first_degree_block", rate_bpm=48, seed=1),
        synthesize("bradycardia", seed=1),
        synthesize("pvc", rate_bpm=55, seed=1),
        synthesize("pac", rate_bpm=55, seed=1),
        synthesize("af", rate_bpm=45, seed=1),
    ],
    ids=lambda made: made.truth.rhythm,
)
def test_conducted_rhythms_are_no_complete_block(made):
    assert list(complete_block(with_lone_p(made))) == []


def test_rhythms_are_not_judged_under_pacing():
    made = synthesize("paced", rate_bpm=38, duration_s=12.0, seed=4)
    waves = with_lone_p(made)
    codes = {
        paced: [item.code for item in urgent_findings(measure(made.recording, waves, paced=paced), waves=waves)]
        for paced in (False, True)
    }
    assert "complete_block" in codes[False]
    assert "complete_block" not in codes[True]
