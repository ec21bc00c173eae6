import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.leads import derive_leads
from ecg_core.preprocess import crop, fit_length, normalise, pad, windows
from ecg_core.recording import Annotations, Recording
from tests.helpers import START, make_recording


def annotated(fs=500.0, n_samples=5000, leads=("I", "II", "V1")):
    marks = Annotations(np.array([0.5, 2.0, 3.999, 4.0, 9.9]), ("N", "V", "N", "+", "N"), ("", "", "", "(AFIB", ""))
    return replace(make_recording(leads, fs=fs, n_samples=n_samples), annotations={"atr": marks})


def test_crop_keeps_the_samples_within_and_moves_start_and_marks_along():
    recording = annotated()
    found = crop(recording, 2, 4)
    assert np.array_equal(found.signal, recording.signal[:, 1000:2000])
    assert found.start == START + timedelta(seconds=2)
    assert found.annotations["atr"].time_s.tolist() == [0.0, pytest.approx(1.999)]
    assert found.annotations["atr"].symbol == ("V", "N")
    expected = {"start_s": 2, "stop_s": 4, "first_sample": 1000, "n_samples": 1000}
    assert found.history[-1].parameters == expected


def test_crop_beyond_the_recording_keeps_what_there_is():
    recording = annotated()
    assert crop(recording, -5, 3).n_samples == 1500
    assert crop(recording, -5, 3).start == START
    assert crop(recording, 8, 99).n_samples == 1000
    assert crop(recording, 8).n_samples == 1000


@pytest.mark.parametrize(("start", "stop"), [(10, 20), (4, 4), (4, 3), (-3, -1), (np.nan, 1), (0, np.inf)])
def test_crop_to_nothing_is_refused(start, stop):
    with pytest.raises(InvalidValue, match=r"start_s|stop_s"):
        crop(annotated(), start, stop)


def test_derived_leads_stay_derived():
    recording = derive_leads(make_recording(("I", "II")))
    assert crop(recording, 0, 1).derived == recording.derived == ("III", "aVR", "aVL", "aVF")


def test_padding_is_missing_and_moves_start_and_marks_along():
    recording = annotated()
    found = pad(recording, before_s=1, after_s=0.5)
    assert found.duration_s == 11.5
    assert np.isnan(found.signal[:, :500]).all()
    assert np.isnan(found.signal[:, 5500:]).all()
    assert np.array_equal(found.signal[:, 500:5500], recording.signal)
    assert found.start == START - timedelta(seconds=1)
    assert found.annotations["atr"].time_s == pytest.approx(recording.annotations["atr"].time_s + 1)


def test_pad_then_crop_gives_the_recording_back():
    recording = annotated(fs=257.0, n_samples=2570)
    found = crop(pad(recording, 2, 3), 2, 12)
    assert np.array_equal(found.signal, recording.signal)
    assert found.start == recording.start
    assert found.annotations["atr"].time_s == pytest.approx(recording.annotations["atr"].time_s)


def test_negative_padding_is_refused():
    with pytest.raises(InvalidValue, match="crop"):
        pad(annotated(), -1)


@pytest.mark.parametrize(
    ("duration", "where", "first"),
    [(4, "end", 0), (4, "start", 3000), (4, "both", 1500), (12, "end", 0), (12, "start", -1000), (12, "both", -500)],
)
def test_length_is_fitted_at_the_chosen_side(duration, where, first):
    recording = annotated()
    found = fit_length(recording, duration, where)
    assert found.n_samples == duration * 500
    assert found.start == START + timedelta(seconds=first / 500)
    index = np.arange(first, first + found.n_samples)
    inside = (index >= 0) & (index < 5000)
    assert np.array_equal(found.signal[:, inside], recording.signal[:, index[inside]])
    assert np.isnan(found.signal[:, ~inside]).all()


def test_length_that_cannot_be_fitted_is_refused():
    with pytest.raises(InvalidValue, match="duration_s"):
        fit_length(annotated(), 0)
    with pytest.raises(InvalidValue, match="options: start, end, both"):
        fit_length(annotated(), 1, "middle")


@given(
    n=st.integers(1, 700),
    length_s=st.floats(0.05, 5),
    share=st.floats(0, 0.9),
    fs=st.sampled_from([50.0, 128.5, 257.0]),
    partial=st.sampled_from(["pad", "keep", "drop"]),
)
@settings(max_examples=150, deadline=None)
def test_windows_hold_what_they_say_and_miss_nothing(n, length_s, share, fs, partial):
    length = math.ceil(length_s * fs - 1e-6)
    overlap_s = share * length_s
    recording = Recording(np.arange(n)[None], fs, ("II",))
    if length < 1 or (length_s - overlap_s) * fs < 1:
        with pytest.raises(InvalidValue):
            windows(recording, length_s, overlap_s, partial)
        return
    covered = np.zeros(n, bool)
    found = windows(recording, length_s, overlap_s, partial)
    for k, piece in enumerate(found):
        first = piece.history[-1].parameters["first_sample"]
        assert abs(first - k * (length_s - overlap_s) * fs) <= 0.5
        recorded = piece.signal[0][~np.isnan(piece.signal[0])]
        assert recorded.tolist() == list(range(first, min(n, first + length)))
        assert piece.n_samples == (length if partial != "keep" else len(recorded))
        covered[first : first + length] = True
    if partial == "drop":
        assert all(not np.isnan(piece.signal).any() for piece in found)
        left_out = np.flatnonzero(~covered)
        assert len(left_out) < length
        assert left_out.tolist() == list(range(n - len(left_out), n))
    else:
        assert covered.all()


def test_window_knows_its_time_and_its_marks():
    second = windows(annotated(), 4, 2)[1]
    assert second.start == START + timedelta(seconds=2)
    assert second.annotations["atr"].symbol == ("V", "N", "+")
    assert second.history[-1].parameters["offset_s"] == 2.0


def test_windows_of_one_lead_share_the_memory_of_the_recording():
    recording = make_recording(("II",))
    assert all(np.shares_memory(piece.signal, recording.signal) for piece in windows(recording, 1, 0.5))


@pytest.mark.parametrize(("length", "overlap"), [(0, 0), (1, 1), (1, 2), (1, -0.5), (np.nan, 0)])
def test_windows_that_go_nowhere_are_refused(length, overlap):
    with pytest.raises(InvalidValue, match="length_s"):
        windows(annotated(), length, overlap)


def test_each_lead_is_normalised_by_itself():
    recording = make_recording()
    found = normalise(recording)
    assert found.signal.mean(axis=1) == pytest.approx(0, abs=1e-4)
    assert found.signal.std(axis=1) == pytest.approx(1, abs=1e-4)
    parameters = found.history[-1].parameters
    assert parameters["mean_mv"] == pytest.approx(recording.signal.mean(axis=1), abs=1e-5)
    assert parameters["sd_mv"] == pytest.approx(recording.signal.std(axis=1), rel=1e-4)


def test_whole_array_is_normalised_by_one_mean_and_deviation_as_published():
    recording = make_recording()
    values = recording.signal.astype(np.float64)
    expected = (values - values.mean()) / (values.std() + 1e-7)
    found = normalise(recording, per="array")
    assert np.abs(found.signal - expected).max() < 1e-5
    assert len(found.history[-1].parameters["mean_mv"]) == len(found.history[-1].parameters["sd_mv"]) == 1


def test_what_was_not_recorded_counts_for_nothing_and_a_flat_lead_becomes_zero():
    signal = np.array([[1.0, 3.0, np.nan, np.nan], [5.0] * 4, [np.nan] * 4])
    found = normalise(Recording(signal, 500.0, ("I", "II", "V1")))
    assert found.signal[0, :2] == pytest.approx([-1, 1], abs=1e-5)
    assert found.signal[1].tolist() == [0, 0, 0, 0]
    assert np.isnan(found.signal[2]).all()
    assert found.history[-1].parameters["mean_mv"] == [2.0, 5.0, None]


def test_eps_and_grouping_are_checked():
    with pytest.raises(InvalidValue, match="options: lead, array"):
        normalise(make_recording(), per="recording")
    with pytest.raises(InvalidValue, match="eps"):
        normalise(make_recording(), eps=0)
