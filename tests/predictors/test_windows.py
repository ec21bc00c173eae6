"""From recordings to strips."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_core.leads import LIMB, STANDARD_12, derive_leads
from ecg_core.predictors.windows import FS, INPUTS, MOST, N_SAMPLES, STRIP_S, available, starts_s, strips
from ecg_core.recording import Recording
from tests.helpers import make_recording

LEAST_S = 2.5


def read(recording: Recording, leads: tuple[str, ...] = INPUTS) -> list[tuple[float, np.ndarray]]:
    return list(strips(recording, leads, recording.leads, LEAST_S))


def waves(duration_s: float, fs: float, leads: tuple[str, ...] = STANDARD_12, hz: float = 3.0) -> Recording:
    """Return another sine in each lead, with levels that are no part of the ECG."""
    t = np.arange(round(duration_s * fs)) / fs
    rows = [np.sin(2 * np.pi * hz * t + at) + at for at in range(len(leads))]
    return Recording(np.stack(rows), fs, leads)


@given(st.floats(0.1, 200_000))
def test_strips_cover_a_recording_evenly_and_are_bounded_in_number(duration_s):
    found = starts_s(duration_s)
    assert 1 <= len(found) <= MOST
    assert found[0] == 0
    if duration_s > STRIP_S + 0.5:
        assert found[-1] == pytest.approx(duration_s - STRIP_S)
        np.testing.assert_allclose(np.diff(found), found[1])
        if duration_s <= MOST * 5:
            assert found[1] <= 5.0 + 1e-9
    else:
        assert len(found) == 1


@pytest.mark.parametrize("fs", [50.0, 100.0, 125.0, 128.2051, 250.0, 257.0, 360.0, 500.0, 1000.0])
def test_any_rate_becomes_the_same_strip(fs):
    ((start, strip),) = read(waves(10, fs))
    ((_, reference),) = read(waves(10, FS))
    assert (start, strip.shape, strip.dtype) == (0.0, (N_SAMPLES, 8), np.float32)
    np.testing.assert_allclose(strip[50:-50], reference[50:-50], atol=0.02)


def test_what_100_hz_cannot_hold_is_filtered_out():
    ((_, strip),) = read(waves(10, 1000.0, hz=130.0))
    assert np.abs(strip[50:-50]).max() < 1e-3


@pytest.mark.parametrize(
    ("hz", "gain"), [(20.0, 1.0), (38.0, 1.0), (43.0, 0.77), (45.0, 0.44), (47.0, 0.14), (50.0, 0.0), (60.0, 0.0)]
)
def test_the_edge_of_the_band_is_that_of_the_records_that_the_network_learned_from(hz, gain):
    ((_, strip),) = read(waves(10, 500.0, hz=hz))
    assert np.sqrt(2) * strip[100:-100, 2].std() == pytest.approx(gain, abs=0.04)


def test_recordings_at_100_hz_are_left_as_they_are():
    recording = make_recording(fs=100.0, n_samples=1000)
    ((_, strip),) = read(recording)
    row = recording.lead("V2")
    np.testing.assert_allclose(strip[:, INPUTS.index("V2")], row - np.median(row), atol=1e-6)


def test_order_of_leads_and_other_leads_do_not_matter():
    recording = make_recording(seed=1)
    shuffled = recording.select(("V6", "aVL", "V2", "II", "V1", "aVF", "I", "V3", "III", "V5", "V4", "aVR"))
    np.testing.assert_array_equal(read(recording)[0][1], read(shuffled)[0][1])


def test_each_lead_is_less_its_median_and_what_is_missing_is_nothing():
    recording = make_recording(n_samples=5000)
    signal = recording.signal + 5.0
    signal[STANDARD_12.index("V2")] = np.nan
    signal[STANDARD_12.index("V3"), :2500] = np.nan
    ((_, strip),) = read(Recording(signal, 500.0, STANDARD_12))
    assert not strip[:, INPUTS.index("V2")].any()
    assert not strip[:500, INPUTS.index("V3")].any()
    half = strip[500:, INPUTS.index("V3")]
    assert half.any()
    assert abs(np.median(half)) < 1e-5
    assert np.isfinite(strip).all()


def test_leads_that_are_not_read_stay_empty():
    ((_, strip),) = read(make_recording(), ("I", "V1"))
    assert strip.any(axis=0).tolist() == [name in ("I", "V1") for name in INPUTS]


@pytest.mark.parametrize("pair", [("III", "aVF"), ("aVR", "aVL"), ("I", "aVF"), ("aVR", "II")])
def test_i_and_ii_follow_from_any_two_limb_leads(pair):
    recording = derive_leads(make_recording(n_samples=5000))
    assert available(pair) == ("I", "II")
    ((_, whole),) = read(recording, ("I", "II"))
    ((_, derived),) = list(strips(recording.select(pair), ("I", "II"), pair, LEAST_S))
    np.testing.assert_allclose(derived, whole, atol=1e-4)


def test_one_limb_lead_gives_no_other():
    assert available(("aVF",)) == ()
    assert available(("I", "V1")) == ("I", "V1")
    assert available(LIMB) == ("I", "II")


def test_a_short_recording_leaves_the_rest_of_the_strip_empty():
    ((_, strip),) = read(waves(4, 250.0))
    assert strip[:400].any()
    assert not strip[400:].any()


def test_strips_of_a_long_recording_are_what_was_recorded_then():
    recording = waves(60, 100.0, hz=0.11)
    found = read(recording)
    assert len(found) == 11
    for start, strip in found:
        at = round(start * FS)
        part = recording.lead("V4")[at : at + N_SAMPLES]
        np.testing.assert_allclose(strip[:, INPUTS.index("V4")], part - np.median(part), atol=1e-5)


def test_strips_with_too_little_signal_are_passed_over():
    recording = waves(60, 100.0)
    signal = recording.signal.copy()
    signal[:, 1500:4200] = np.nan
    starts = [start for start, _ in read(Recording(signal, 100.0, STANDARD_12))]
    assert starts == [0.0, 5.0, 10.0, 35.0, 40.0, 45.0, 50.0]
    assert read(Recording(np.full((12, 1000), np.nan), 100.0, STANDARD_12)) == []


def test_a_day_takes_no_more_memory_than_its_strips():
    day = Recording(np.zeros((1, 24 * 3600 * 125), np.float32), 125.0, ("I",))
    tracemalloc.start()
    for _ in strips(day, ("I",), day.leads, LEAST_S):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20
