"""What cannot be measured has no value, and says why."""

import json

import numpy as np
import pytest

from ecg_core.leads import STANDARD_12
from ecg_core.measurements import VALUES, Measurements, measure
from ecg_core.preprocess import bandpass, monitor_view, normalise, remove_baseline
from ecg_core.recording import Recording, Subject
from ecg_core.synthesis import Synthetic, synthesize
from ecg_core.waves import BeatWaves, Wave, Waves
from tests.measurements.marks import waves_of

WOMAN = Subject(age=50, sex="female")


def table_of(made: Synthetic, **options) -> Measurements:
    return measure(made.recording, waves_of(made.truth), **options)


def changed(recording: Recording, **rows: np.ndarray | float) -> Recording:
    """Return the recording with other samples in some leads."""
    signal = recording.signal.copy()
    for lead, values in rows.items():
        signal[recording.leads.index(lead)] = values
    return Recording(signal, recording.fs, recording.leads)


def assert_complete(table: Measurements) -> None:
    """Assert that everything has a value or a reason, and that it is JSON."""
    assert tuple(table.values) == VALUES
    for item in (*table.values.values(), *(item for row in table.leads.values() for item in row.values())):
        assert (item.value is None) == (item.reason is not None)
        assert item.value is not None or (item.n, item.spread, item.flag) == (0, None, None)
        assert item.method
    read = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert set(read) == {*VALUES, "leads", "notes"}
    fields = {"value", "reason", "spread", "n", "method", "range", "flag", "caution"}
    assert all(set(read[name]) == fields for name in VALUES)


def test_table_of_a_normal_ecg_is_whole_and_normal():
    table = table_of(synthesize(seed=1), subject=WOMAN)
    assert_complete(table)
    assert table.notes == ()
    assert [name for name in VALUES if table[name].value is None] == []
    assert {table[name].flag for name in VALUES} == {None, "normal"}
    assert list(table.leads) == list(STANDARD_12)
    assert table["pr_ms"].n >= 10
    assert table.leads["V2"]["st_j_mv"].to_dict()["range"]["high"] == 0.15
    assert table.leads["aVR"]["st_j_mv"].range is None


def test_no_beat_gives_reasons_alone():
    made = synthesize()
    table = measure(made.recording, Waves(()))
    assert_complete(table)
    assert {table[name].reason for name in VALUES} == {"no QRS complex was marked"}
    assert table.leads == {}


def test_one_beat_has_intervals_and_voltages_but_no_rate():
    made = synthesize(duration_s=1.1, rate_bpm=60, seed=3)
    table = table_of(made)
    assert_complete(table)
    assert table["qrs_ms"].n == 1
    assert table["qrs_ms"].spread is None
    assert table["qrs_axis_deg"].value == pytest.approx(made.truth.axis_deg("qrs"), abs=2)
    for name in ("hr_bpm", "rr_min_ms", "rr_max_ms"):
        assert "no two beats follow each other" in table[name].reason
    waves = waves_of(made.truth)
    assert len(waves.global_) == 1
    if waves.global_[0].t:
        assert table["qt_ms"].value is not None
        assert "no RR interval" in table["qtc_bazett_ms"].reason


def test_fibrillation_has_no_p_wave_and_averages_qtc_over_beats():
    made = synthesize("af", seed=2)
    waves, truth = waves_of(made.truth), made.truth
    table = measure(made.recording, waves, fibrillation=True)
    assert_complete(table)
    for name in ("pr_ms", "p_ms", "p_axis_deg"):
        assert "fibrillation" in table[name].reason
    each = truth.qt_ms[1:] / np.cbrt(truth.rr_s)
    assert table["qtc_fridericia_ms"].value == pytest.approx(each.mean(), rel=0.01)
    assert table["qtc_fridericia_ms"].caution is None
    assert "Fridericia" in table["qtc_bazett_ms"].caution
    assert table["qtc_bazett_ms"].flag is None
    assert table["hr_bpm"].value == pytest.approx(truth.heart_rate_bpm)


def test_p_waves_that_a_fibrillating_baseline_feigns_are_not_measured():
    made = synthesize("af", seed=2)
    beats = waves_of(made.truth).global_
    feigned = [
        BeatWaves(Wave(b.qrs.onset_s - 0.16, b.qrs.onset_s - 0.1, b.qrs.onset_s - 0.05), b.qrs, b.t) for b in beats[1:]
    ]
    table = measure(made.recording, Waves(tuple(feigned)), fibrillation=True)
    assert table["pr_ms"].value is None
    assert table["p_axis_deg"].value is None


def test_a_few_p_waves_are_not_a_pr_interval():
    made = synthesize(seed=1)
    beats = waves_of(made.truth).global_
    table = measure(made.recording, Waves((*beats[:3], *(BeatWaves(None, b.qrs, b.t) for b in beats[3:]))))
    assert "beats have a P wave" in table["pr_ms"].reason
    assert table["p_axis_deg"].value is None
    assert table["qrs_axis_deg"].value is not None


def test_blocked_p_waves_stand_alone_and_disturb_nothing():
    made = synthesize("block_2_to_1", seed=1)
    lone = made.truth.lone["p"]
    whole = np.flatnonzero(~np.isnan(lone.onset_s + lone.peak_s + lone.end_s))
    alone = [
        BeatWaves(p=Wave(float(lone.onset_s[i]), float(lone.peak_s[i]), float(lone.end_s[i]))) for i in whole.tolist()
    ]
    assert alone
    beats = waves_of(made.truth).global_
    mixed = sorted((*beats, *alone), key=lambda beat: (beat.p or beat.qrs).onset_s)
    table, expected = measure(made.recording, Waves(tuple(mixed))), measure(made.recording, Waves(beats))
    assert table.to_dict() == expected.to_dict()


def test_pacing_withholds_qt_and_signs_of_hypertrophy():
    table = table_of(synthesize("paced", seed=9), subject=WOMAN, paced=True)
    assert_complete(table)
    for name in ("qt_ms", "jt_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "sokolow_lyon_mv", "cornell_mv"):
        assert "paced" in table[name].reason
    assert "none of the beats has a P wave" in table["pr_ms"].reason
    assert table["qrs_ms"].flag == "high"
    assert {row["st_j_mv"].flag for row in table.leads.values()} == {None}
    assert table.leads["V2"]["st_j_mv"].caution == "the ventricles are paced"


def test_wide_qrs_qualifies_qtc_voltages_and_st_instead_of_judging_them():
    table = table_of(synthesize(shape="lbbb", seed=5), subject=WOMAN)
    assert_complete(table)
    for name in ("qtc_fridericia_ms", "sokolow_lyon_mv", "cornell_mv"):
        assert "QRS lasts 150 ms" in table[name].caution
        assert table[name].flag is None
        assert table[name].range is not None
    assert "JT" in table["qtc_fridericia_ms"].caution
    assert table["jt_ms"].value is not None
    assert {row["st_j_mv"].flag for row in table.leads.values()} == {None}


@pytest.mark.parametrize(("rate", "flagged"), [(45, True), (70, False), (130, True)])
def test_bazett_is_qualified_outside_50_to_110(rate, flagged):
    table = table_of(synthesize(rate_bpm=rate, seed=1), subject=WOMAN)
    assert (table["qtc_bazett_ms"].caution is not None) == flagged
    assert (table["qtc_bazett_ms"].flag is None) == flagged
    assert table["qtc_fridericia_ms"].caution is None


def test_a_gap_in_one_lead_costs_its_beats_alone():
    made = synthesize(seed=1)
    values = made.recording.lead("V3").copy()
    values[1500:3500] = np.nan
    table, whole = measure(changed(made.recording, V3=values), waves_of(made.truth)), table_of(made)
    assert_complete(table)
    assert 0 < table.leads["V3"]["r_mv"].n < whole.leads["V3"]["r_mv"].n
    assert table.leads["V3"]["r_mv"].value == pytest.approx(whole.leads["V3"]["r_mv"].value, abs=0.02)
    assert table.leads["V3"]["st_j60_mv"].value == pytest.approx(whole.leads["V3"]["st_j60_mv"].value, abs=0.005)
    assert table.leads["V2"]["r_mv"] == whole.leads["V2"]["r_mv"]


def test_no_interval_spans_a_gap_in_all_leads():
    made = synthesize(seed=1)
    signal = made.recording.signal.copy()
    signal[:, 2000:3000] = np.nan
    gap = Recording(signal, 500, STANDARD_12)
    beats = tuple(b for b in waves_of(made.truth).global_ if not 3.8 < b.qrs.peak_s < 6.2)
    table = measure(gap, Waves(beats))
    assert_complete(table)
    assert table["rr_max_ms"].value < 1200
    assert table["hr_bpm"].n == len(beats) - 2


@pytest.mark.parametrize("off", [np.nan, 0.0, 2.5], ids=["missing", "zero", "at the rail"])
def test_a_lead_that_was_off_has_no_value_and_nor_has_what_needs_it(off):
    made = synthesize(seed=1, fs=250.0)
    table = measure(changed(made.recording, V1=off, V3=off, I=off), waves_of(made.truth))
    assert_complete(table)
    for lead in ("V1", "V3", "I"):
        assert {item.reason for item in table.leads[lead].values()} == {
            "flat or not recorded during the beats measured"
        }
    assert "V1" in table["sokolow_lyon_mv"].reason
    assert "V3" in table["cornell_mv"].reason
    assert "V1, V3" in table["r_transition"].reason
    # Any two of the five other limb leads tell the axis.
    assert table["qrs_axis_deg"].value == pytest.approx(made.truth.axis_deg("qrs"), abs=2)


def test_two_limb_leads_tell_the_axis_and_cornell_and_one_does_not():
    made = synthesize(seed=1, t_axis_deg=-120)
    whole, waves = table_of(made), waves_of(made.truth)
    two = measure(made.recording.select(("III", "aVR", "V3")), waves)
    assert_complete(two)
    for name in ("p_axis_deg", "qrs_axis_deg", "t_axis_deg", "cornell_mv"):
        assert two[name].value == pytest.approx(whole[name].value, abs=0.5), name
    one = measure(made.recording.select(("II", "V5")), waves)
    assert_complete(one)
    assert "two limb leads" in one["qrs_axis_deg"].reason
    assert "aVL" in one["cornell_mv"].reason
    assert one["pr_ms"].value == pytest.approx(whole["pr_ms"].value)
    assert "two limb leads" in measure(made.recording.select(("V1", "V5")), waves)["qrs_axis_deg"].reason


def test_limb_leads_that_contradict_each_other_have_no_axis():
    made = synthesize(seed=1)
    scaled = changed(made.recording, III=3 * made.recording.lead("III"))
    table = measure(scaled, waves_of(made.truth))
    assert_complete(table)
    assert "contradict each other" in table["qrs_axis_deg"].reason


def test_tiny_net_areas_have_no_axis():
    made = synthesize(seed=1)
    signal = made.recording.signal.copy()
    signal[:6] *= 0.005
    table = measure(Recording(signal, 500, STANDARD_12), waves_of(made.truth))
    assert_complete(table)
    assert "tiny" in table["qrs_axis_deg"].reason
    assert table["sokolow_lyon_mv"].value is not None


def test_areas_that_drown_in_noise_have_no_axis():
    made = synthesize(seed=1, noise=("muscle", "baseline"), snr_db=-15)
    table = measure(made.recording, waves_of(made.truth))
    assert_complete(table)
    assert "scatter" in table["p_axis_deg"].reason


def test_t_on_p_has_neither_axis_and_t_on_qrs_no_voltage():
    on_p = table_of(synthesize(shape="long_qt", rate_bpm=120, seed=1))
    on_qrs = table_of(synthesize(shape="long_qt", rate_bpm=160, seed=1))
    for table in (on_p, on_qrs):
        assert_complete(table)
    assert "T runs into the next P" in on_p["p_axis_deg"].reason
    assert on_p["qrs_axis_deg"].value is not None
    assert "T runs into the next QRS" in on_qrs["qrs_axis_deg"].reason
    assert on_qrs.leads["V2"]["st_j_mv"].value is None
    assert on_qrs["qt_ms"].value is not None


@pytest.mark.parametrize("change", [monitor_view, remove_baseline, lambda r: bandpass(r, 0.5, None)])
def test_a_view_that_moves_st_has_no_st_levels(change):
    made = synthesize(seed=1)
    table = measure(change(made.recording), waves_of(made.truth))
    assert_complete(table)
    for row in table.leads.values():
        assert all("0.5 Hz" in row[name].reason for name in ("st_j_mv", "st_j40_mv", "st_j60_mv", "st_j80_mv"))
        assert row["r_mv"].value is not None
    assert table["qrs_axis_deg"].value is not None


def test_diagnostic_band_keeps_st():
    made = synthesize(seed=1)
    table = measure(bandpass(made.recording), waves_of(made.truth))
    assert table.leads["V2"]["st_j_mv"].value is not None


def test_scaled_signal_has_no_voltages():
    made = synthesize(seed=1)
    table = measure(normalise(made.recording), waves_of(made.truth))
    assert_complete(table)
    for name in ("qrs_axis_deg", "sokolow_lyon_mv", "cornell_mv"):
        assert "millivolts no longer" in table[name].reason
    assert {item.value for row in table.leads.values() for item in row.values()} == {None}
    assert table["qrs_ms"].value is not None


def test_a_narrow_band_is_said_so():
    made = synthesize(seed=1)
    assert any("40 Hz" in note for note in measure(monitor_view(made.recording), waves_of(made.truth)).notes)
    slow = synthesize(seed=1, fs=100.0)
    assert any("50 Hz" in note for note in table_of(slow).notes)


def test_leads_that_are_not_to_be_measured_say_so_and_the_others_do_without_them():
    made = synthesize(seed=1)
    whole, table = table_of(made), table_of(made, withheld={"V1": "the signal is poor in V1", "V3": "poor"})
    assert_complete(table)
    assert list(table.leads) == list(STANDARD_12)
    assert {item.reason for item in table.leads["V1"].values()} == {"the signal is poor in V1"}
    assert "V1" in table["sokolow_lyon_mv"].reason
    assert "V3" in table["cornell_mv"].reason
    assert table["qrs_axis_deg"].value == pytest.approx(whole["qrs_axis_deg"].value, abs=0.5)


def test_why_there_are_no_waves_is_why_there_are_no_intervals():
    table = measure(synthesize().recording, Waves((), reason="the signal is poor"), withheld={"II": "flat"})
    assert_complete(table)
    assert table["pr_ms"].reason == "the signal is poor"


def test_leads_that_may_be_exchanged_qualify_what_rests_on_their_names():
    doubt = dict.fromkeys(("I", "II", "III", "aVR", "aVL", "aVF"), "right arm and left arm may be exchanged")
    table = table_of(synthesize(seed=1), subject=WOMAN, doubtful=doubt)
    assert_complete(table)
    for name in ("qrs_axis_deg", "cornell_mv"):
        assert table[name].caution == "right arm and left arm may be exchanged"
        assert table[name].flag is None
        assert table[name].value is not None
    for name in ("sokolow_lyon_mv", "r_transition", "qrs_ms"):
        assert table[name].caution is None
    assert table.leads["I"]["r_mv"].caution == table["cornell_mv"].caution
    assert table.leads["I"]["st_j_mv"].flag is None
    assert table.leads["V2"]["st_j_mv"].flag == "normal"
