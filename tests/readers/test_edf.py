from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from datetime import date, datetime

import edfio
import numpy as np
import pyedflib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import EcgError, LimitExceeded, NeedsOption, UnreadableFile, WriteError
from ecg_core.readers import READERS, ReadOptions, Sniff
from ecg_core.readers._edf_write import record_layout
from ecg_core.reading import read
from ecg_core.recording import Annotations, Recording, Subject
from tests.helpers import assert_same_signal, make_recording, with_gap

EDF = READERS["edf"]


def in_bytes(edf: edfio.Edf | edfio.Bdf) -> bytes:
    buffer = io.BytesIO()
    edf.write(buffer)
    return buffer.getvalue()


def plain(*, n_seconds: int = 4, fs: int = 100, label: str = "ECG II", annotations=None, **fields) -> bytes:
    """Return a file of one ramp from 0 in microvolts, a step a sample."""
    signal = edfio.EdfSignal.from_digital(
        np.arange(n_seconds * fs, dtype=np.int16),
        fs,
        label=label,
        physical_dimension="uV",
        physical_range=(-32768, 32767),
    )
    return in_bytes(edfio.Edf([signal], data_record_duration=1, annotations=annotations, **fields))


def patched(data: bytes, at: int, field: bytes, width: int = 8) -> bytes:
    return data[:at] + field.ljust(width) + data[at + width :]


def ramp(recording: Recording) -> np.ndarray:
    return np.rint(recording.signal[0] * 1000)


# --- files of other writers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["edf", "edf+", "bdf", "bdf+"])
def test_file_of_pyedflib_reads_as_pyedflib_reads_it(kind, tmp_path):
    path = str(tmp_path / "a.edf")
    recording = make_recording(("I", "V1"), n_samples=2000)
    types = {"edf": 0, "edf+": pyedflib.FILETYPE_EDFPLUS, "bdf": 2, "bdf+": pyedflib.FILETYPE_BDFPLUS}
    types |= {"edf": pyedflib.FILETYPE_EDF, "bdf": pyedflib.FILETYPE_BDF}
    top = 32767 if "edf" in kind else 8388607
    with pyedflib.EdfWriter(path, 3, file_type=types[kind]) as writer:
        writer.setSignalHeaders([
            {"label": label, "dimension": unit, "sample_frequency": fs, "physical_min": -low, "physical_max": low,
             "digital_min": -top - 1, "digital_max": top, "transducer": "", "prefilter": ""}
            for label, unit, fs, low in (("ECG I", "uV", 500, 5000.0), ("V1", "mV", 500, 5.0), ("SpO2", "%", 1, 100.0))
        ])  # fmt: skip
        writer.setStartdatetime(datetime(2020, 2, 3, 4, 5, 6))
        writer.setSex(0)
        writer.setPatientCode("P7")
        writer.setBirthdate(date(1950, 6, 1))
        if "+" in kind:
            writer.writeAnnotation(1.5, 0.5, "noise é")
        writer.writeSamples([recording.signal[0] * 1000.0, recording.signal[1] * 1.0, np.full(4, 97.0)])
    found = read(path)
    with pyedflib.EdfReader(path) as reader:
        assert np.allclose(found.lead("I"), reader.readSignal(0) / 1000, atol=1e-7)
        assert np.allclose(found.lead("V1"), reader.readSignal(1), atol=1e-7)
    assert found.leads == ("I", "V1")
    assert found.fs == 500
    assert found.start == datetime(2020, 2, 3, 4, 5, 6)
    assert any("SpO2" in note for note in found.warnings)
    if "+" in kind:
        assert (found.subject.id, found.subject.sex, found.subject.age) == ("P7", "female", 69)
        assert found.annotations["edf"].symbol == ("noise é",)
        assert found.annotations["edf"].time_s.tolist() == [1.5]
        assert found.annotations["edf"].note == ("duration 0.5 s",)


@pytest.mark.parametrize("kind", ["edf", "bdf"])
def test_signals_of_several_rates_are_brought_to_the_highest(kind):
    signal, file = (edfio.EdfSignal, edfio.Edf) if kind == "edf" else (edfio.BdfSignal, edfio.Bdf)
    fast, slow = np.sin(np.arange(2000) / 50), np.ones(500)
    made = [
        signal(fast, 400, label="ECG II", physical_dimension="mV"),
        signal(slow, 100, label="V5", physical_dimension="V", physical_range=(0, 2)),
    ]
    found = read({"a": in_bytes(file(made))})
    assert found.fs == 400
    assert np.allclose(found.lead("II"), fast, atol=1e-4)
    assert np.allclose(found.lead("V5")[500:1500], 1000, atol=0.5)
    assert found.history[0].parameters["leads"] == {"V5": 100}


def test_written_file_is_valid_for_other_readers(tmp_path):
    recording = make_recording(n_samples=2000)
    path = tmp_path / "a.edf"
    path.write_bytes(EDF.write(recording, "a")["a.edf"])
    with pyedflib.EdfReader(str(path)) as reader:
        assert reader.getSignalLabels() == [f"ECG {lead}" for lead in recording.leads]
        assert reader.getSampleFrequencies().tolist() == [500] * 12
        assert reader.getPatientCode() == "P-0042"
        assert reader.getStartdatetime() == recording.start
        for index in range(12):
            assert np.allclose(reader.readSignal(index) / 1000, recording.signal[index], atol=2e-4)
    edf = edfio.read_edf(path)
    assert edf.reserved == "EDF+C"
    assert edf.is_continuous
    assert np.allclose(edf.signals[3].data / 1000, recording.signal[3], atol=2e-4)


# --- discontinuous files ----------------------------------------------------------------------------------------------


def gapped(*onsets: str, reserved: bytes = b"EDF+D") -> bytes:
    """Return four data records of a second whose time stamps are replaced."""
    data = plain(annotations=[])
    for number, onset in enumerate(onsets):
        data = data.replace(f"+{number}\x14\x14".encode(), f"+#{onset}\x14\x14".encode()[: 2 + len(onset) + 2], 1)
    return patched(data.replace(b"+#", b"+"), 192, reserved, 44)


def test_records_of_a_discontinuous_file_stand_at_their_times():
    found = read({"a": gapped("0", "1", "4", "7")})
    assert found.n_samples == 800
    values = ramp(found)
    assert values[:200].tolist() == list(range(200))
    assert np.isnan(values[200:400]).all()
    assert values[400:500].tolist() == list(range(200, 300))
    assert np.isnan(values[500:700]).all()
    assert values[700:].tolist() == list(range(300, 400))
    assert any("2 gaps of 4 s" in note for note in found.warnings)


def test_discontinuous_file_without_gaps_reads_whole():
    found = read({"a": gapped("0", "1", "2", "3")})
    assert ramp(found).tolist() == list(range(400))
    assert not [note for note in found.warnings if note.startswith("gaps")]


def test_gaps_of_a_file_that_calls_itself_continuous_are_believed_and_told():
    found = read({"a": gapped("0", "1", "5", "6", reserved=b"EDF+C")})
    assert found.n_samples == 700
    assert any("calls itself continuous" in note for note in found.warnings)


def test_records_that_run_backwards_are_refused():
    with pytest.raises(UnreadableFile, match="backwards"):
        read({"a": gapped("0", "5", "2", "7")})


def test_discontinuous_file_without_time_stamps_is_refused():
    with pytest.raises(UnreadableFile, match="does not say when"):
        read({"a": patched(plain(), 192, b"EDF+D", 44)})


def test_gap_too_long_to_hold_is_refused():
    data = plain(annotations=[edfio.EdfAnnotation(3, None, "12345678901234")])
    data = data.replace(
        b"+3\x14\x14\0+3\x1412345678901234\x14\0", b"+3000000000\x14\x14\0+3\x1412345\x14\0".ljust(26, b"\0")
    )
    with pytest.raises(LimitExceeded):
        read({"a": patched(data, 192, b"EDF+D", 44)})


# --- what EDF cannot say ----------------------------------------------------------------------------------------------


def test_gaps_come_back_missing_and_are_told():
    recording = with_gap(with_gap(make_recording(("I", "II"), n_samples=1003)), lead=1, start=0.9, stop=1.0)
    found = read(EDF.write(recording, "a"))
    assert_same_signal(found, recording)
    assert any("not recorded: ECG I for" in note for note in found.warnings)
    assert found.annotations == {}


def test_lead_without_a_sample_comes_back_so():
    recording = make_recording(("I", "II"), n_samples=500)
    recording = replace(recording, signal=np.vstack([np.full(500, np.nan), recording.signal[1]]))
    back = read(EDF.write(recording, "a"))
    assert np.isnan(back.lead("I")).all()
    assert np.allclose(back.lead("II"), recording.lead("II"), atol=1e-4)


def test_other_readers_see_a_held_value_and_the_annotation_in_a_gap():
    recording = with_gap(make_recording(("I",), n_samples=1000))
    edf = edfio.read_edf(EDF.write(recording, "a")["a.edf"])
    assert edf.annotations == (edfio.EdfAnnotation(0.5, 0.5, "not recorded: ECG I"),)
    assert np.ptp(edf.signals[0].data[250:500]) == 0


@settings(max_examples=40, deadline=None)
@given(
    fs=st.sampled_from([100, 125, 128, 128.5, 200, 250, 257, 360, 500, 977, 1000 / 3, 512, 240.1, 31.25, 8000]),
    n_samples=st.integers(1, 3000),
    n_leads=st.integers(1, 3),
    holes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3000), st.integers(1, 300)), max_size=4),
)
def test_any_rate_length_and_gaps_come_back(fs, n_samples, n_leads, holes):
    rng = np.random.default_rng(n_samples)
    signal = rng.standard_normal((n_leads, n_samples))
    for lead, start, length in holes:
        signal[lead % n_leads, start : start + length] = np.nan
    if np.isnan(signal).all():
        return
    recording = Recording(signal, fs, ("I", "II", "V1")[:n_leads], start=datetime(2001, 2, 3, 4, 5, 6, 789000))
    back = read(EDF.write(recording, "a"))
    assert back.start == recording.start
    assert (back.fs, back.n_samples) == (recording.fs, recording.n_samples)
    assert np.array_equal(np.isnan(back.signal), np.isnan(recording.signal))
    assert np.nanmax(np.abs(back.signal - recording.signal)) <= 2e-4


@pytest.mark.parametrize("fs", [333.333, 499.97, 128.205128, 123.456789])
def test_rate_that_eight_characters_cannot_say_is_off_by_less_than_a_sample_a_day(fs):
    width, duration = record_layout(5000, fs, 12)
    assert len(f"{duration:g}") <= 8
    assert abs(width / duration - fs) * 86_400 < 1
    back = read(EDF.write(Recording(np.ones((12, 5000)), fs, tuple(f"lead {i}" for i in range(12))), "a"))
    assert back.fs == pytest.approx(fs, rel=1e-7)
    assert back.n_samples == 5000


def test_recording_of_many_records_at_an_odd_rate_is_written():
    recording = Recording(np.zeros((1, 3_000_001)) + np.arange(3_000_001) % 7, 333.333, ("II",))
    back = read(EDF.write(recording, "a"))
    assert back.n_samples == recording.n_samples


# --- subject and start ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "subject"),
    [
        (
            b"P-1 F 02-AUG-1951 Haagse_Harry",
            Subject("P-1", 68.0, "female", {"name": "Haagse Harry", "birth_date": "1951-08-02"}),
        ),
        (b"P-1 M X X", Subject("P-1", None, "male")),
        (b"X X X X", Subject()),
        (b"X", Subject()),
        (b"", Subject()),
        (b"Ward 7, bed 3", Subject("Ward 7, bed 3")),
        (b"P-1 M 32-AUG-1951 X age=12.5", Subject("P-1", 12.5, "male")),
        (b"P-1 M 01-JAN-2020 X", Subject("P-1", 0.0, "male", {"birth_date": "2020-01-01"})),
        (b"P-1 M 01-JAN-2080 X", Subject("P-1", None, "male", {"birth_date": "2080-01-01"})),
    ],
)  # fmt: skip
def test_patient_field_is_read(patient, subject):
    data = plain(recording=edfio.Recording(startdate=date(2020, 2, 3)))
    found = read({"a": patched(data, 8, patient, 80)}).subject
    assert found.to_dict() == subject.to_dict()


def test_age_is_never_written_as_a_date_of_birth():
    files = EDF.write(make_recording(("II",)), "a")
    assert files["a.edf"][8:88].split() == [b"P-0042", b"F", b"X", b"X", b"age=63"]
    born = replace(
        make_recording(("II",)), subject=Subject("a b", None, "male", {"birth_date": "1951-08-02", "name": "É"})
    )
    back = read(EDF.write(born, "a")).subject
    assert (back.id, back.age, back.facts["birth_date"]) == ("a_b", 69, "1951-08-02")


@pytest.mark.parametrize(
    ("identification", "stamp", "start"),
    [
        (b"Startdate 02-MAR-1951 X X X", b"02.03.yy04.05.06", datetime(1951, 3, 2, 4, 5, 6)),
        (b"Startdate X X X X", b"01.01.8500.00.00", None),
        (b"", b"02.03.8504.05.06", datetime(1985, 3, 2, 4, 5, 6)),
        (b"", b"02.03.8404.05.06", datetime(2084, 3, 2, 4, 5, 6)),
        (b"", b"32.03.8404.05.06", None),
        (b"", b"02.03.8425.05.06", None),
        (b"Startdate 31-FEB-1990 X X X", b"02.03.9004.05.06", datetime(1990, 3, 2, 4, 5, 6)),
    ],
)
def test_start_is_read(identification, stamp, start):
    data = patched(patched(plain(), 88, identification, 80), 168, stamp, 16)
    found = read({"a": data})
    assert found.start == start
    assert any(note.startswith("start:") for note in found.warnings) == (start is None and b"8500" not in stamp)


@pytest.mark.parametrize(
    "start", [datetime(1975, 1, 2, 3, 4, 5), datetime(2120, 1, 2), datetime(2020, 2, 3, 4, 5, 6, 7000), None]
)
def test_any_start_comes_back(start):
    assert read(EDF.write(replace(make_recording(("II",)), start=start), "a")).start == start


def test_what_else_has_a_place_comes_back():
    marks = Annotations(np.array([0.25, 1.0, 1.5]), ("N", "rhythm", "noise"), ("", "(AFIB", "duration 0.5 s"))
    recording = replace(make_recording(("I", "II", "III")), derived=("III",), annotations={"atr": marks})
    back = read(EDF.write(recording, "a"))
    assert back.derived == ("III",)
    assert back.annotations["edf"].symbol == ("N", "rhythm (AFIB", "noise")
    assert back.annotations["edf"].note == ("", "", "duration 0.5 s")
    assert np.allclose(back.annotations["edf"].time_s, marks.time_s)
    again = read(EDF.write(back, "a")).annotations["edf"]
    assert again.symbol == back.annotations["edf"].symbol


# --- calibration ------------------------------------------------------------------------------------------------------


def test_inverted_range_inverts_the_signal():
    data = plain()
    found = read({"a": patched(patched(data, 256 * 1 + 104, b"32768"), 256 + 112, b"-32767")})
    assert found.signal[0, 100] == pytest.approx(-0.1, abs=1e-6)


@pytest.mark.parametrize("fields", [{104: b"5", 112: b"5"}, {120: b"7", 128: b"7"}, {104: b"none"}])
def test_missing_calibration_gives_counts_and_a_warning(fields):
    data = plain()
    for at, text in fields.items():
        data = patched(data, 256 + at, text)
    found = read({"a": data}, ReadOptions(units="uV"))
    assert ramp(found).tolist() == list(range(400))
    assert any("no calibration" in note for note in found.warnings)


@pytest.mark.parametrize(("unit", "factor"), [(b"uV", 1e-3), (b"\xb5V", 1e-3), (b"mV", 1), (b"V", 1000), (b"nV", 1e-6)])
def test_unit_comes_from_the_header(unit, factor):
    found = read({"a": patched(plain(), 256 + 96, unit)})
    assert found.signal[0, 7] == pytest.approx(7 * factor)


@pytest.mark.parametrize(
    ("values", "error_mv"),
    [
        ([0.001, -0.002, 1.234, 0.0], 1e-9),
        ([300.0001, 300.0012, 299.9998, 300], 8.1e-5),
        ([5000, -5000, 0, 0.5], 0.25),
        ([1e5, -1e5, 0, 5], 5),
    ],
)
def test_resolution_is_round_and_follows_the_range(values, error_mv):
    recording = Recording(np.array([values]), 500, ("II",))
    back = read(EDF.write(recording, "a"))
    assert np.abs(back.signal - recording.signal).max() <= error_mv


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"signal": np.array([[1e12, 0.0]])}, "too large"),
        ({"leads": ("a name that is too long",)}, "label"),
        ({"leads": ("Ableitung\u4e2d",)}, "label"),
        ({"subject": Subject("x" * 90)}, "patient"),
        ({"subject": Subject("\u4e2d")}, "patient"),
        ({"fs": 1e13}, "rate"),
    ],
)
def test_what_does_not_fit_is_refused(change, why):
    with pytest.raises(WriteError, match=why):
        EDF.write(replace(Recording(np.array([[1.0, 2.0]]), 500, ("II",)), **change), "a")


# --- damage -----------------------------------------------------------------------------------------------------------


def test_file_cut_short_is_refused_and_one_left_open_is_read():
    data = plain()
    with pytest.raises(UnreadableFile, match="cut short"):
        read({"a": data[:-1]})
    assert read({"a": patched(data, 236, b"-1")[:-1]}).n_samples == 300
    longer = read({"a": data + bytes(200)})
    assert longer.n_samples == 400
    assert any("goes on after" in note for note in longer.warnings)


def test_rate_is_asked_for_where_the_header_has_no_duration():
    data = patched(plain(), 244, b"0")
    with pytest.raises(NeedsOption):
        read({"a": data})
    assert read({"a": data}, ReadOptions(fs=250)).fs == 250


@pytest.mark.parametrize(
    ("at", "field", "width", "error"),
    [
        (252, b"9999", 4, LimitExceeded),
        (252, b"0", 4, UnreadableFile),
        (252, b"-1", 4, UnreadableFile),
        (184, b"99999999", 8, UnreadableFile),
        (236, b"99999999", 8, UnreadableFile),
        (236, b"0", 8, UnreadableFile),
        (236, b"x", 8, UnreadableFile),
        (244, b"-1", 8, UnreadableFile),
        (244, b"1e999", 8, UnreadableFile),
        (256 + 216, b"99999999", 8, UnreadableFile),
        (256 + 216, b"-5", 8, UnreadableFile),
        (256 + 216, b"0", 8, UnreadableFile),
    ],
)
def test_hostile_header_is_refused_before_anything_is_read(at, field, width, error):
    with pytest.raises(error) as caught:
        EDF.read("a", {"a": patched(plain(), at, field, width)}, ReadOptions())
    assert caught.value.file == "a"


def test_header_padded_with_nul_reads_as_one_padded_with_spaces():
    data = plain()
    padded = data[:8] + data[8:512].replace(b" ", b"\0") + data[512:]
    assert np.array_equal(read({"a": padded}).signal, read({"a": data}).signal)


def test_decimal_comma_in_the_duration_is_read():
    assert read({"a": patched(plain(), 244, b"0,5")}).fs == 200


def test_file_of_annotations_only_is_refused():
    data = in_bytes(edfio.Edf([], annotations=[edfio.EdfAnnotation(0, None, "x")]))
    with pytest.raises(UnreadableFile, match="annotations only"):
        read({"a": data})


def test_damaged_annotation_is_a_warning():
    data = plain(annotations=[edfio.EdfAnnotation(0.5, None, "fine"), edfio.EdfAnnotation(2.5, None, "broken")])
    found = read({"a": data.replace(b"+2.5", b"*2.5")})
    assert found.annotations["edf"].symbol == ("fine",)
    assert any("1 are damaged" in note for note in found.warnings)


def test_annotation_times_count_from_the_first_sample():
    when = datetime(2020, 1, 2, 3, 4, 5, 500000)
    marks = [edfio.EdfAnnotation(1.25, None, "here")]
    data = plain(annotations=marks, starttime=when.time(), recording=edfio.Recording(startdate=when.date()))
    found = read({"a": data})
    assert found.start == when
    assert found.annotations["edf"].time_s.tolist() == [1.25]


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (plain(), Sniff.SURE),
        (patched(plain(), 168, b" 2.03.8504.05.06", 16), Sniff.SURE),
        (patched(plain(), 184, b"7"), Sniff.MAYBE),
        (plain()[:200], Sniff.MAYBE),
        (b"0       " + b"1       " * 100, Sniff.NO),
        (b"0       ", Sniff.NO),
        (b"\xffBIOSEMI" + bytes(300), Sniff.NO),
    ],
)
def test_header_is_told_from_other_content(data, level):
    assert EDF.sniff(data) == level


def test_mutated_files_give_an_error_or_a_recording():
    rng = np.random.default_rng(0)
    base = EDF.write(with_gap(make_recording(("I", "V1"), n_samples=300)), "a")["a.edf"]
    for _ in range(150):
        data = bytearray(base)
        for at in rng.integers(0, min(len(data), 1200), 3):
            data[at] = rng.integers(256)
        with contextlib.suppress(EcgError):
            assert read({"a.edf": bytes(data)}).n_samples > 0
