"""Waves found against waves marked, on small hand-made leads."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.waves import (
    CSE_2SD_MS,
    global_marks,
    score_ludb,
    score_qtdb,
    tally_ludb,
    tally_qtdb,
    to_seconds,
)

BEATS = np.arange(1.0, 10.0)
NAN = np.nan


def beat_waves(at: np.ndarray = BEATS, *, p: bool = True) -> dict[str, np.ndarray]:
    """Return the waves of beats with R peaks at ``at`` seconds."""
    offsets = {"p": (-0.2, -0.16, -0.11), "qrs": (-0.04, 0.0, 0.05), "t": (0.2, 0.3, 0.36)}
    waves = {kind: at[:, None] + np.array(offset) for kind, offset in offsets.items()}
    return waves if p else {**waves, "p": np.empty((0, 3))}


def moved(waves: dict[str, np.ndarray], kind: str, column: int, by_s: float | np.ndarray) -> dict[str, np.ndarray]:
    marks = waves[kind].copy()
    marks[:, column] += by_s
    return {**waves, kind: marks}


def ludb(*records) -> dict[str, float | None]:
    tallies = [tally_ludb(reference, found) for reference, found in records]
    metrics = measure(score_ludb(tallies), [str(i) for i in range(len(tallies))], resamples=2)
    return {name: metric.value for name, metric in metrics.items()}


def one_lead(reference: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> dict[str, float | None]:
    return ludb(({"II": reference}, {"II": found}))


def qtdb(reference, *leads) -> dict[str, float | None]:
    metrics = measure(score_qtdb([tally_qtdb(reference, leads)]), ["a"])
    return {name: metric.value for name, metric in metrics.items()}


def test_sample_numbers_become_seconds_and_unmarked_ones_nan():
    found = to_seconds({"t": np.array([[-1, 500, 600]])}, 500)["t"]
    assert np.isnan(found[0, 0])
    assert found[0, 1:].tolist() == [1.0, 1.2]


# --- LUDB -----------------------------------------------------------------------------------------------------------


def test_perfect_answer():
    found = one_lead(beat_waves(), beat_waves())
    for kind in ("p", "qrs", "t"):
        assert found[f"f1_{kind}"] == found[f"se_{kind}"] == found[f"ppv_{kind}"] == found[f"f1_{kind}_75ms"] == 1.0
    assert found["sd_p_on"] == found["mean_t_off"] == 0.0
    assert found["absent_p"] is None


def test_boundary_error_is_found_minus_marked_in_ms():
    late = np.array([10, -10, 30, 0, 0, 5, 20, -20, 10]) / 1000
    found = one_lead(beat_waves(), moved(beat_waves(), "t", 2, late))
    assert found["mean_t_off"] == pytest.approx(1000 * late.mean())
    assert found["sd_t_off"] == pytest.approx(1000 * late.std(ddof=1))
    assert found["mean_t_on"] == found["sd_t_on"] == pytest.approx(0.0)


def test_mark_beyond_the_tolerance_is_missed_and_invented_and_not_an_error():
    away = np.zeros(9)
    away[4] = -0.17
    found = one_lead(beat_waves(), moved(beat_waves(), "p", 0, away))
    assert found["f1_p_on"] == pytest.approx(8 / 9)
    assert found["f1_p"] == pytest.approx(17 / 18)
    assert found["f1_p_off"] == found["f1_p_peak"] == 1.0
    assert found["sd_p_on"] == pytest.approx(0.0)


def test_each_tolerance_counts_on_its_own():
    found = one_lead(beat_waves(), moved(beat_waves(), "p", 2, 0.1))
    assert found["f1_p_off"] == 1.0
    assert found["f1_p_off_75ms"] == 0.0
    assert found["mean_p_off"] == pytest.approx(100.0)


def test_found_marks_count_between_the_first_and_the_last_mark():
    found = one_lead(beat_waves(BEATS[2:-2]), beat_waves())
    assert found["f1_qrs"] == found["ppv_p"] == 1.0
    extra = one_lead(beat_waves(), beat_waves(np.sort(np.append(BEATS, 5.5))))
    assert extra["ppv_qrs"] == pytest.approx(0.9)
    assert extra["se_qrs"] == 1.0


def test_first_mark_keeps_its_partner_outside():
    found = one_lead(beat_waves(), moved(beat_waves(), "p", 0, -0.02))
    assert found["f1_p_on"] == 1.0
    assert found["mean_p_on"] == pytest.approx(-20.0)


def test_missing_marks_of_a_wave_are_not_asked_for():
    reference = moved(beat_waves(), "t", 0, NAN)
    found = one_lead(reference, reference)
    assert found["se_t_on"] is None
    assert found["f1_t"] == 1.0
    assert one_lead(reference, beat_waves())["ppv_t_on"] == 0.0


def test_p_waves_found_where_none_is_marked_are_false_and_beats_left_without_are_counted():
    invented = beat_waves()
    invented["p"] = invented["p"][[2, 3, 4]]
    found = one_lead(beat_waves(p=False), invented)
    assert found["ppv_p"] == 0.0
    assert found["se_p"] is None
    assert found["absent_p"] == pytest.approx(5 / 8)  # of the intervals between nine beats


def test_leads_add_up_and_stand_alone_too():
    found = ludb(({"I": beat_waves(), "V1": beat_waves()}, {"I": beat_waves()}))
    assert found["se_p"] == 0.5
    assert (found["lead_I.f1_p"], found["lead_V1.f1_p"]) == (1.0, 0.0)


def test_lead_without_marks_asks_for_nothing():
    empty = {kind: np.empty((0, 3)) for kind in ("p", "qrs", "t")}
    assert one_lead(empty, beat_waves())["ppv_qrs"] is None


# --- global fiducials -----------------------------------------------------------------------------------------------


def test_global_wave_spans_from_the_earliest_onset_to_the_latest_end_that_three_leads_share():
    leads = {f"V{i}": beat_waves() for i in range(1, 7)}
    for name, by in (("V1", -0.060), ("V2", -0.018), ("V3", -0.014), ("V4", -0.010)):
        leads[name] = moved(leads[name], "qrs", 0, by)
    leads["V6"] = moved(leads["V6"], "qrs", 2, 0.050)
    rows = global_marks(leads, "qrs")
    assert rows == pytest.approx(np.column_stack((BEATS - 0.058, BEATS, BEATS + 0.05)))


def test_global_boundary_is_unknown_where_no_three_leads_agree():
    leads = {
        name: moved(beat_waves(), "t", 2, by) for name, by in (("I", 0.0), ("II", 0.03), ("V1", 0.06), ("V2", 0.09))
    }
    rows = global_marks(leads, "t")
    assert np.isnan(rows[:, 2]).all()
    assert rows[:, 0] == pytest.approx(BEATS + 0.2)
    assert global_marks({}, "t").shape == (0, 3)


def test_global_errors_stand_beside_the_tolerance_of_cse():
    reference = {f"V{i}": beat_waves() for i in range(1, 7)}
    late = np.tile([0.005, -0.005, 0.0], 3)
    found = ludb((reference, {name: moved(waves, "qrs", 0, late) for name, waves in reference.items()}))
    sd = 1000 * late.std(ddof=1)
    assert found["global.sd_qrs_on"] == pytest.approx(sd)
    assert found["global.cse_qrs_on"] == pytest.approx(sd / 6.5)
    assert set(CSE_2SD_MS) == {"p_on", "p_off", "qrs_on", "qrs_off", "t_off"}


# --- QTDB -----------------------------------------------------------------------------------------------------------


def test_waves_found_in_the_gaps_between_marked_beats_cost_nothing():
    found = qtdb(beat_waves(BEATS[3:5]), beat_waves(), beat_waves())
    assert found["se_p"] == found["se_qrs"] == found["se_t"] == 1.0
    assert not any(name.startswith(("ppv", "f1")) for name in found)


def test_for_every_mark_the_lead_with_the_smaller_error_counts():
    one = moved(beat_waves(), "t", 2, np.tile([0.004, 0.1, -0.3], 3))
    other = moved(beat_waves(), "t", 2, np.tile([-0.02, -0.008, 0.012], 3))
    found = qtdb(beat_waves(), one, other)
    errors = np.tile([4.0, -8.0, 12.0], 3)
    assert found["se_t_off"] == 1.0
    assert found["mean_t_off"] == pytest.approx(errors.mean())
    assert found["sd_t_off"] == pytest.approx(errors.std(ddof=1))


def test_mark_missed_in_both_leads_is_missed():
    none = {**beat_waves(), "p": np.empty((0, 3))}
    assert qtdb(beat_waves(), none, none)["se_p"] == 0.0
    assert qtdb(beat_waves(), none, beat_waves())["se_p"] == 1.0
    off = qtdb(beat_waves(), moved(beat_waves(), "p", 0, 0.1))
    assert (off["se_p_on"], off["se_p_on_75ms"]) == (1.0, 0.0)


def test_average_sd_is_the_mean_of_the_sds_within_records():
    narrow = np.tile([0.002, -0.002, 0.0], 3)
    records = [
        tally_qtdb(beat_waves(), [moved(beat_waves(), "qrs", 0, 0.02 + narrow)]),
        tally_qtdb(beat_waves(), [moved(beat_waves(), "qrs", 0, -0.02 + 3 * narrow)]),
    ]
    found = measure(score_qtdb(records), ["a", "b"])
    assert found["average.sd_qrs_on"].value == pytest.approx(2000 * narrow.std(ddof=1))
    assert found["sd_qrs_on"].value > 20


def test_unmarked_onsets_of_t_are_masked():
    reference = moved(beat_waves(), "t", 0, np.where(BEATS == 3, 0.0, NAN))
    found = qtdb(reference, beat_waves())
    assert found["se_t"] == found["se_t_on"] == 1.0
    assert found["sd_t_on"] is None  # one mark has no spread
    assert found["mean_t_on"] == pytest.approx(0.0)
