"""The table held against the truth of synthetic ECGs, from their exact marks unless said otherwise."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.leads import STANDARD_12
from ecg_core.measurements import Measurements, measure
from ecg_core.measurements.voltages import heights
from ecg_core.synthesis import SHAPES, Truth, synthesize
from tests.measurements.marks import waves_of

AXES = st.floats(-180, 180)


def turn(first: float, second: float) -> float:
    """Return the angle between two directions in degrees."""
    return abs((first - second + 180) % 360 - 180)


def gap_ms(truth: Truth, wave: str) -> float:
    """Return the median time from the end of T to the onset of the next P or QRS."""
    return float(np.nanmedian(getattr(truth, wave).onset_s[1:] - truth.t.end_s[:-1])) * 1000


@settings(max_examples=60, deadline=None)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    rate=st.floats(40, 160),
    fs=st.sampled_from([100.0, 128.0, 250.0, 257.0, 360.0, 500.0, 1000.0]),
    p=AXES,
    qrs=AXES,
    t=AXES,
    seed=st.integers(0, 1000),
)
def test_intervals_and_axes_are_those_of_the_heart_whatever_its_shape_rate_and_axes(shape, rate, fs, p, qrs, t, seed):
    stated = {"p_axis_deg": p, "qrs_axis_deg": qrs, "t_axis_deg": t}
    try:
        made = synthesize(shape=shape, rate_bpm=rate, fs=fs, seed=seed, **stated)
    except InvalidValue:
        assume(False)
    table, truth = measure(made.recording, waves_of(made.truth)), made.truth
    for name, limit in (("pr", 1), ("p", 1), ("qrs", 1), ("qt", 3)):
        assert table[f"{name}_ms"].value == pytest.approx(truth.interval_ms(name), abs=limit), name
    # A beat that the edge cuts through belongs to the truth, but has no whole QRS to mark.
    assert table["hr_bpm"].value == pytest.approx(truth.heart_rate_bpm, rel=0.01)
    for name in ("p", "qrs", "t"):
        axis = table[f"{name}_axis_deg"]
        if axis.value is None:
            assert "T runs into the next" in axis.reason
            assert gap_ms(truth, "p" if "P wave" in axis.reason else "qrs") < 20
        else:
            assert turn(axis.value, truth.axis_deg(name)) < 2.0, name
            assert -180 <= axis.value <= 180


@settings(max_examples=25, deadline=None)
@given(
    shape=st.sampled_from(sorted(SHAPES)),
    rate=st.floats(45, 95),
    fs=st.sampled_from([100.0, 250.0, 500.0, 1000.0]),
    seed=st.integers(0, 1000),
)
def test_st_levels_are_those_of_the_heart_in_every_lead(shape, rate, fs, seed):
    made = synthesize(shape=shape, rate_bpm=rate, fs=fs, seed=seed)
    table = measure(made.recording, waves_of(made.truth))
    for name, offset, limit in (("st_j_mv", 0, 0.04), ("st_j40_mv", 40, 0.02), ("st_j80_mv", 80, 0.02)):
        for lead, level in made.truth.st_level_mv(offset).items():
            assert table.leads[lead][name].value == pytest.approx(level, abs=limit), (lead, name)


def test_at_20_db_with_marks_that_scatter_errors_stay_small():
    errors: dict[str, list[float]] = {}
    noise = ("muscle", "baseline", "mains")
    for seed, shape in enumerate(sorted(set(SHAPES) - {"wpw"})):
        for rate in (50, 70, 95):
            made = synthesize(shape=shape, rate_bpm=rate, noise=noise, snr_db=20, seed=seed)
            table, truth = measure(made.recording, waves_of(made.truth, scatter_seed=seed)), made.truth
            for name in ("pr", "qrs", "qt"):
                errors.setdefault(name, []).append(abs(table[f"{name}_ms"].value - truth.interval_ms(name)))
            for name in ("p_axis", "qrs_axis", "t_axis"):
                error = turn(table[f"{name}_deg"].value, truth.axis_deg(name.split("_")[0]))
                errors.setdefault(name, []).append(error)
            level = truth.st_level_mv(60)
            worst = max(abs(table.leads[lead]["st_j60_mv"].value - level[lead]) for lead in STANDARD_12)
            errors.setdefault("st_j60", []).append(worst)
    found = {name: float(np.quantile(values, 0.9)) for name, values in errors.items()}
    limits = {"pr": 8, "qrs": 8, "qt": 15, "p_axis": 2, "qrs_axis": 2, "t_axis": 2, "st_j60": 0.03}
    assert {name: value for name, value in found.items() if value > limits[name]} == {}


@pytest.mark.parametrize("shape", ["normal", "rbbb", "anterior_mi_old"])
def test_heights_are_the_extremes_of_the_complex(shape):
    made = synthesize(shape=shape, fs=1000.0, variability=0.0)
    table, truth = measure(made.recording, waves_of(made.truth)), made.truth
    first, last = (round(float(instant[2]) * 1000) for instant in (truth.qrs.onset_s, truth.qrs.end_s))
    for lead in STANDARD_12:
        complex_mv, row = made.recording.lead(lead)[first : last + 1], table.leads[lead]
        lowest = max(row["q_mv"].value, row["s_mv"].value)
        for extreme, found in ((complex_mv, row["r_mv"].value), (-complex_mv, lowest)):
            if extreme.max() > 0.15:
                assert found == pytest.approx(extreme.max(), abs=0.01), lead


@pytest.mark.parametrize(
    ("points", "q", "r", "s"),
    [
        ([0, -0.1, 1.2, -0.4, 0], 0.1, 1.2, 0.4),
        ([0, 0.3, -1.1, 0], 0, 0.3, 1.1),
        ([0, -1.1, 0], 0, 0, 1.1),
        ([0, -1.1, 0.2], 0, 0, 1.1),
        ([0, -1.1, 0.3, 0], 1.1, 0.3, 0),
        ([0, 0.2, -0.6, 0.9, 0], 0, 0.9, 0.6),
        ([0, 0.8, -0.1], 0, 0.8, 0),
        ([0, -0.04, 0.8, -0.04, 0], 0, 0.8, 0),
        ([0, 0.04, -0.04, 0], 0, 0, 0),
    ],
    ids=["qRs", "rS", "QS", "QS under raised ST", "Qr", "rsR'", "R over lowered ST", "below half a millimetre", "flat"],
)
def test_waves_of_a_complex_are_named_by_their_order(points, q, r, s):
    complex_mv = np.interp(np.linspace(0, len(points) - 1, 20 * len(points) + 1), np.arange(len(points)), points)
    peak = 0.06  # the tops lie between samples
    assert [float(size) for size in heights(complex_mv)] == pytest.approx([q, r, s], abs=peak)
    assert [size > 0 for size in heights(complex_mv)] == [q > 0, r > 0, s > 0]


def test_voltage_sums_are_those_of_their_leads_and_high_in_hypertrophy():
    for shape, flag in (("normal", "normal"), ("lvh", "high")):
        made = synthesize(shape=shape)
        table = measure(made.recording, waves_of(made.truth))

        def size(name: str, lead: str, table: Measurements = table) -> float:
            return table.leads[lead][name].value

        expected = size("s_mv", "V1") + max(size("r_mv", "V5"), size("r_mv", "V6"))
        assert table["sokolow_lyon_mv"].value == pytest.approx(expected, abs=1e-4)
        assert table["cornell_mv"].value == pytest.approx(size("s_mv", "V3") + size("r_mv", "aVL"), abs=1e-4)
        assert table["sokolow_lyon_mv"].flag == flag


def test_r_progression_is_later_after_an_anterior_infarction():
    normal, infarct = (synthesize(shape=shape) for shape in ("normal", "anterior_mi_old"))
    before, after = (measure(m.recording, waves_of(m.truth))["r_transition"].value for m in (normal, infarct))
    assert 2 < before < 3 < after < 4


def test_qtc_follows_each_named_formula():
    made = synthesize(rate_bpm=80, variability=0, qt_ms=380)
    table, rr = measure(made.recording, waves_of(made.truth)), 0.75
    expected = {
        "bazett": 380 / math.sqrt(rr),
        "fridericia": 380 / rr ** (1 / 3),
        "framingham": 380 + 154 * (1 - rr),
        "hodges": 380 + 1.75 * (80 - 60),
    }
    for name, value in expected.items():
        assert table[f"qtc_{name}_ms"].value == pytest.approx(value, abs=0.5), name
        assert table[f"qtc_{name}_ms"].spread == pytest.approx(0, abs=0.5)
    assert table["jt_ms"].value == pytest.approx(380 - made.truth.interval_ms("qrs"), abs=0.5)


@pytest.mark.parametrize(("rhythm", "shape"), [("bigeminy", "normal"), ("bigeminy", "lbbb"), ("pvc", "rbbb")])
@pytest.mark.parametrize("snr_db", [None, 5.0])
def test_premature_beats_leave_the_table_of_the_others_alone(rhythm, shape, snr_db):
    made = synthesize(rhythm, shape, noise=("muscle",) if snr_db else (), snr_db=snr_db, seed=4)
    table, truth = measure(made.recording, waves_of(made.truth)), made.truth
    assert table["qrs_ms"].value == pytest.approx(truth.interval_ms("qrs"), abs=1)
    assert table["qt_ms"].value == pytest.approx(truth.interval_ms("qt"), abs=3)
    assert turn(table["qrs_axis_deg"].value, truth.axis_deg("qrs")) < 2
    assert table["qrs_ms"].n <= truth.symbol.count("N")
    assert table["hr_bpm"].value == pytest.approx(truth.heart_rate_bpm)
    assert table["rr_min_ms"].value == pytest.approx(1000 * truth.rr_s.min())
    assert table["rr_max_ms"].value == pytest.approx(1000 * truth.rr_s.max())


def test_wander_does_not_tilt_t():
    made = synthesize(noise=("baseline",), snr_db=6.0, duration_s=20.0, seed=1)
    table = measure(made.recording, waves_of(made.truth))
    assert turn(table["t_axis_deg"].value, made.truth.axis_deg("t")) < 2
    assert table["t_axis_deg"].spread > 1


def test_spread_grows_with_what_varies():
    calm, lively = (synthesize(rate_bpm=60, variability=v, seed=2) for v in (0.0, 3.0))
    before, after = (measure(m.recording, waves_of(m.truth)) for m in (calm, lively))
    assert before["hr_bpm"].spread == pytest.approx(0, abs=0.01)
    assert after["hr_bpm"].spread > 1
    assert before.leads["II"]["r_mv"].spread < after.leads["II"]["r_mv"].spread


def test_a_long_recording_is_measured_on_beats_spread_over_it():
    made = synthesize(duration_s=600.0, fs=100.0, rate_bpm=80, leads=("II",), seed=1)
    waves = waves_of(made.truth)
    table = measure(made.recording, waves)
    assert table["qrs_ms"].n == 500
    assert table["hr_bpm"].n == sum(beat.qrs is not None for beat in waves.global_) - 1
    assert table["qt_ms"].value == pytest.approx(made.truth.interval_ms("qt"), abs=3)
