"""Which part of a long recording is measured, and that rates are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.beats import Beats
from ecg_core.measurements import choose_part, measure
from ecg_core.preprocess import crop
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize
from ecg_core.waves import Waves
from tests.measurements.marks import waves_of


def recording_of(seconds: float) -> Recording:
    return Recording(np.zeros((1, round(seconds * 50))), 50.0, ("II",))


def beats_of(times_s: np.ndarray, confidence: np.ndarray | None = None, stretch: np.ndarray | None = None) -> Beats:
    stretch = np.zeros(len(times_s)) if stretch is None else stretch
    return Beats(times_s, stretch, "robust", ("II",), confidence=confidence)


def test_a_short_recording_is_taken_whole():
    part = choose_part(recording_of(60), beats_of(np.arange(0.5, 60, 0.8)))
    assert (part.start_s, part.end_s, part.reason) == (0, 60, None)


def test_of_the_surest_minutes_the_one_with_the_usual_rate_is_taken():
    minutes = [np.arange(0.1, 60, 60 / rate) + 60 * k for k, rate in enumerate((70, 50, 71, 120, 70, 70, 70, 70))]
    sure = np.concatenate(
        [np.full(len(m), c) for m, c in zip(minutes, (0.5, 1, 1, 0.9, 0.5, 0.5, 0.5, 0.5), strict=True)]
    )
    part = choose_part(recording_of(8 * 60 + 20), beats_of(np.concatenate(minutes), sure))
    assert (part.start_s, part.end_s) == (120, 180)
    assert "surest" in part.reason


def test_minutes_that_were_hardly_recorded_are_passed_over():
    times = np.concatenate([[5.0, 5.8, 30.0, 30.8], np.arange(60.2, 120, 0.8)])
    stretch = np.concatenate([[0, 0, 1, 1], np.full(len(times) - 4, 2)])
    assert choose_part(recording_of(130), beats_of(times, stretch=stretch)).start_s == 60


@pytest.mark.parametrize("times", [[], [100.0]])
def test_without_intervals_it_is_the_first_minute(times):
    part = choose_part(recording_of(300), beats_of(np.array(times)))
    assert (part.start_s, part.end_s) == (0, 60)
    assert "first 60 s" in part.reason


def test_rates_are_those_of_all_beats_and_intervals_those_of_the_part():
    made = synthesize(duration_s=30.0, rate_bpm=60, variability=2.0, seed=1)
    truth = made.truth
    beats = beats_of(truth.r_s - 10)
    part = crop(made.recording, 10, 20)
    rows = [b for b in waves_of(truth).global_ if b.qrs and b.p and b.t and 10 < b.p.onset_s and b.t.end_s < 20]
    waves = Waves(Waves(rows).global_.marks - 10)
    table = measure(part, waves, beats=beats)
    assert table["hr_bpm"].value == pytest.approx(truth.heart_rate_bpm)
    assert table["hr_bpm"].n == len(truth.rr_s)
    assert table["rr_max_ms"].value == pytest.approx(1000 * truth.rr_s.max())
    assert table["pr_ms"].n == len(rows)
    inside = [i for i, r in enumerate(truth.r_s) if any(abs(b.qrs.peak_s - r) < 0.01 for b in rows)]
    rr_s = float(np.mean([truth.r_s[i] - truth.r_s[i - 1] for i in inside]))
    expected = table["qt_ms"].value / rr_s ** (1 / 3)
    assert table["qtc_fridericia_ms"].value == pytest.approx(expected)


def test_a_beat_that_has_no_marks_does_not_double_an_interval():
    made = synthesize(rate_bpm=60, variability=0, seed=1)
    waves = waves_of(made.truth)
    gone = Waves([beat for i, beat in enumerate(waves.global_) if i != 4])
    table = measure(made.recording, gone, beats=beats_of(made.truth.r_s))
    assert table["rr_max_ms"].value == pytest.approx(1000)
    assert table["qtc_bazett_ms"].value == pytest.approx(made.truth.interval_ms("qt"), abs=3)
    assert (
        "no two of the"
        in measure(made.recording, waves, beats=beats_of(made.truth.r_s[:2], stretch=np.arange(2)))["hr_bpm"].reason
    )
