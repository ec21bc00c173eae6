import numpy as np
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.preprocess import notch
from ecg_core.recording import Recording
from tests.helpers import make_recording


def with_mains(hz, mv, fs=500.0, n_samples=5000, phase=0.7):
    clean = make_recording(("I", "II", "V1"), fs=fs, n_samples=n_samples)
    hum = mv * np.sin(2 * np.pi * hz * np.arange(n_samples) / fs + phase)
    return clean, Recording(clean.signal + hum, fs, clean.leads)


def outcome(recording):
    return recording.history[-1].parameters["outcome"]


@pytest.mark.parametrize(
    ("hz", "fs"),
    [(50, 125), (50, 257), (60, 257), (50, 360), (60, 360), (50, 500), (60, 500), (60, 1000), (50, 1000)],
)
def test_mains_are_found_and_removed(hz, fs):
    clean, hummed = with_mains(hz, 0.1, fs=float(fs), n_samples=10 * fs)
    found = notch(hummed)
    assert found.history[-1].parameters["applied_hz"] == [hz]
    assert np.abs(found.signal - notch(clean, hz).signal).max() < 0.005


@pytest.mark.parametrize("fs", [125.0, 257.0, 360.0, 500.0, 1000.0])
def test_recording_without_mains_is_left_alone(fs):
    clean, _ = with_mains(50, 0, fs=fs, n_samples=int(10 * fs))
    found = notch(clean)
    assert outcome(found) == "no mains found"
    assert found.signal is clean.signal


@pytest.mark.parametrize("rate_bpm", [60, 75, 120, 150, 200, 300])
def test_harmonics_of_a_regular_rhythm_are_not_taken_for_mains(rate_bpm):
    """At 60, 75, 120, 150, 200 and 300 bpm a harmonic of the rhythm falls exactly on 50 or 60 Hz."""
    t = np.arange(5000) / 500
    spikes = np.zeros(5000)
    for beat in np.arange(0.1, 10, 60 / rate_bpm):
        spikes += 1.5 * np.exp(-0.5 * ((t - beat) / 0.004) ** 2)
    assert outcome(notch(Recording(spikes[None], 500.0, ("II",)))) == "no mains found"


def test_mains_in_one_lead_only_are_found():
    clean, hummed = with_mains(50, 0.05)
    one = np.vstack([clean.signal[:2], hummed.signal[2:]])
    assert notch(Recording(one, 500.0, clean.leads)).history[-1].parameters["applied_hz"] == [50]


def test_steady_mains_are_gone_up_to_the_very_ends():
    hum = 0.1 * np.sin(2 * np.pi * 50 * np.arange(5000) / 500 + 0.7)
    assert np.abs(notch(Recording(hum[None], 500.0, ("II",)), 50).signal).max() < 0.001


def test_notch_has_the_stated_width_and_moves_nothing():
    t = np.arange(20_000) / 500
    middle = slice(9_000, 11_000)
    for hz, gain in ((49, np.sqrt(0.5)), (51, np.sqrt(0.5)), (50, 0), (45, 1), (40, 1), (57, 1)):
        wave = np.sin(2 * np.pi * hz * t)
        found = notch(Recording(wave[None], 500.0, ("II",)), 50).signal[0]
        assert np.abs(found - gain * wave)[middle].max() < 0.03, hz


def test_beats_pass_the_notch_nearly_unchanged():
    clean, _ = with_mains(50, 0)
    assert np.abs(notch(clean, 50).signal - clean.signal).max() < 0.03
    assert np.array_equal(np.argmax(notch(clean, 50).signal, axis=1), np.argmax(clean.signal, axis=1))


def test_harmonics_are_removed_on_request_as_far_as_the_rate_reaches():
    t = np.arange(5000) / 500
    hum = sum(0.1 * np.sin(2 * np.pi * hz * t + hz) for hz in (50, 100, 150, 200))
    found = notch(Recording(hum[None], 500.0, ("II",)), 50, harmonics=True)
    assert found.history[-1].parameters["applied_hz"] == [50, 100, 150, 200]
    assert np.abs(found.signal).max() < 0.01


@pytest.mark.parametrize("harmonics", [False, True])
def test_mains_above_the_reach_of_the_rate_are_recorded_as_such(harmonics):
    recording = make_recording(fs=100.0)
    found = notch(recording, 50, harmonics=harmonics)
    assert outcome(found) == "50 Hz lies above 0.45 of the sampling rate"
    assert found.signal is recording.signal


@pytest.mark.parametrize(("fs", "n_samples"), [(100.0, 1000), (500.0, 900)])
def test_what_cannot_be_looked_for_is_not_said_to_be_absent(fs, n_samples):
    assert outcome(notch(make_recording(fs=fs, n_samples=n_samples))).startswith("not looked for")


def test_gaps_and_stretches_shorter_than_the_notch_stay_as_they_are():
    _, hummed = with_mains(50, 0.1)
    signal = hummed.signal.copy()
    signal[0, 1000:2000] = np.nan
    signal[1, 5:] = np.nan
    signal[2, 1:] = np.nan
    found = notch(Recording(signal, 500.0, hummed.leads), 50).signal
    assert np.array_equal(np.isnan(found), np.isnan(signal))
    assert np.abs(found[0, :1000]).max() < 3


def test_other_frequency_is_refused():
    with pytest.raises(InvalidValue, match="options: 50, 60"):
        notch(make_recording(), 55)
