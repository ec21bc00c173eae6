"""From raw channels to a recording: names, other signals, units, rates."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.errors import InvalidValue, LimitExceeded, UnreadableFile
from ecg_core.leads import STANDARD_12
from ecg_core.readers._assemble import Channel, assemble
from ecg_core.readers._texts import parse_age, parse_sex
from ecg_core.readers._units import unit_to_mv
from ecg_core.readers.base import Limits, ReadOptions

BEATS = np.tile(np.r_[np.zeros(90), 1.0, np.zeros(9)], 10)


def build(*channels: Channel, **more):
    more = {"options": ReadOptions()} | more
    return assemble(channels, format_name="test", file="x", files={"x": b"1"}, **more)


def channel(name: str | None, unit: str | None = "mV", fs: float = 100.0, values: np.ndarray = BEATS) -> Channel:
    return Channel(name, values, unit, fs)


def test_other_signals_are_left_out_and_named():
    recording = build(channel("II"), channel("RESP", "mV"), channel("SpO2", "%"), channel("EEG Fpz-Cz", "uV"))
    assert recording.leads == ("II",)
    assert any("RESP" in note and "SpO2" in note and "EEG Fpz-Cz" in note for note in recording.warnings)


def test_sleep_study_keeps_its_ecg_and_no_electrode_of_the_eeg():
    names = ("C3-M2", "C4", "O1-M2", "F4-A1", "E1", "ECG")
    assert build(*(channel(name, "uV", values=BEATS * 1000) for name in names)).leads == ("ECG1",)


def test_chest_leads_may_be_called_c():
    assert build(*(channel(f"C{i}") for i in range(1, 7))).leads == ("V1", "V2", "V3", "V4", "V5", "V6")


def test_recording_without_an_ecg_says_what_it_found():
    with pytest.raises(UnreadableFile, match=r"no channel is an ECG; found: RESP \[mV\], SpO2 \[%\]"):
        build(channel("RESP"), channel("SpO2", "%"))


def test_twelve_unnamed_channels_are_named_by_position_with_a_warning():
    recording = build(*(channel(None) for _ in range(12)))
    assert recording.leads == STANDARD_12
    assert any("twelve unnamed channels" in note for note in recording.warnings)


def test_other_numbers_of_unnamed_channels_are_numbered():
    assert build(channel("ch1"), channel("ch2")).leads == ("ECG1", "ECG2")
    assert build(channel("II"), channel("ECG7")).leads == ("II", "ECG7")
    assert build(channel("ECG")).leads == ("ECG1",)


def test_two_channels_of_one_name_are_both_kept():
    recording = build(channel("MLII"), channel("II"))
    assert recording.leads == ("II", "II_2")
    assert any("torso" in note for note in recording.warnings)


def test_channels_of_several_rates_come_to_the_highest():
    slow = np.sin(2 * np.pi * np.arange(1000) / 100)
    fast = np.sin(2 * np.pi * np.arange(5000) / 500)
    recording = build(channel("I", fs=100, values=slow), channel("II", fs=500, values=fast))
    assert (recording.fs, recording.n_samples) == (500, 5000)
    assert np.allclose(recording.lead("I")[500:4500], recording.lead("II")[500:4500], atol=0.01)
    assert [step.name for step in recording.history] == ["resample"]
    assert any(note.startswith("rates:") for note in recording.warnings)


def test_shorter_channel_ends_as_not_recorded():
    recording = build(channel("I"), channel("II", values=BEATS[:400]))
    assert np.isnan(recording.lead("II")[400:]).all()
    assert not np.isnan(recording.lead("I")).any()


@pytest.mark.parametrize(
    ("peak", "mv", "rule"), [(0.001, 1.0, "V "), (1.0, 1.0, "mV "), (19.0, 19.0, "mV "), (1000.0, 1.0, "uV ")]
)
def test_bare_numbers_are_scaled_by_the_stated_rule(peak, mv, rule):
    recording = build(channel("II", None, values=BEATS * peak))
    assert recording.signal.max() == pytest.approx(mv)
    assert any(note.startswith("units: the file does not state them; taken as " + rule) for note in recording.warnings)


def test_unit_named_in_the_header_text_comes_before_the_rule():
    recording = build(channel("II", "adu", values=BEATS * 5), header_text="stored in uV, filtered")
    assert recording.signal.max() == pytest.approx(0.005)


def test_each_channel_is_scaled_by_its_own_unit():
    recording = build(
        channel("I", "mV"), channel("II", "µV", values=BEATS * 1000), channel("V1", "V", values=BEATS / 1e3)
    )
    assert np.allclose(recording.signal.max(axis=1), 1.0)


def test_caller_may_say_the_millivolts_of_one_step():
    recording = build(channel("II", None, values=BEATS * 200), options=ReadOptions(units="0.005"))
    assert recording.signal.max() == pytest.approx(1.0)


def test_caller_who_names_too_few_leads_is_told_the_channels():
    with pytest.raises(InvalidValue, match=r"1 names; expected: 2 \(I, II\)"):
        build(channel("I"), channel("II"), options=ReadOptions(leads=("V1",)))


def test_infinite_values_are_not_recorded_values():
    values = BEATS.copy()
    values[3] = np.inf
    recording = build(channel("II", values=values))
    assert np.isnan(recording.signal[0, 3])
    assert any("1 infinite" in note for note in recording.warnings)


@pytest.mark.parametrize("fs", [0.0, -1.0, float("nan"), float("inf"), 1e308])
def test_impossible_rate_is_refused(fs):
    with pytest.raises(UnreadableFile, match="not a sampling rate"):
        build(channel("II", fs=fs))


def test_upsampling_can_not_exceed_the_limit():
    slow, fast = channel("I", fs=0.01, values=np.zeros(1000)), channel("II", fs=1e6, values=np.zeros(10))
    with pytest.raises(LimitExceeded, match="too large"):
        build(slow, fast, options=ReadOptions(limits=Limits(max_values=1_000_000)))


def test_nothing_recorded_at_all_is_an_error():
    with pytest.raises(UnreadableFile, match="every sample is missing"):
        build(channel("II", values=np.full(10, np.nan)))


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        *(("mV", 1), ("MilliVolt", 1), ("V", 1e3), ("nV", 1e-6), ("uV", 1e-3), ("µV", 1e-3), ("μV", 1e-3)),
        *(("microvolts", 1e-3), ("5 uV", 5e-3), ("2,5 uV", 2.5e-3), ("0.005", 0.005)),
        *(("mmHg", None), ("", None), ("-1 mV", None), ("%", None)),
    ],
)
def test_units_of_voltage(text, factor):
    assert unit_to_mv(text) == (None if factor is None else pytest.approx(factor))


@pytest.mark.parametrize(
    ("text", "years"), [("63", 63), ("063Y", 63), ("18M", 1.5), ("300", None), ("-1", None), ("x", None), (None, None)]
)
def test_ages(text, years):
    assert parse_age(text) == years


@pytest.mark.parametrize(("text", "sex"), [("F", "female"), ("Male", "male"), ("0", None), ("1", None), ("", None)])
def test_sexes_are_never_guessed_from_numbers(text, sex):
    assert parse_sex(text) == sex


def test_endless_names_and_units_cost_nothing():
    with pytest.raises(UnreadableFile) as caught:
        build(Channel("Q" * 500_000, BEATS, "9" * 500_000, 100.0))
    assert len(str(caught.value)) < 1000
    assert build(Channel("Q" * 500_000, BEATS, "mV", 100.0)).leads == ("Q" * 64,)
