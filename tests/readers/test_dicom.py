import io
import zlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, examples, uid
from pydicom.dataset import Dataset, FileMetaDataset

from ecg_core.errors import EcgError, LimitExceeded, NeedsOption, UnreadableFile, WriteError
from ecg_core.leads import STANDARD_12
from ecg_core.readers import READERS, Limits, ReadOptions, Sniff
from ecg_core.reading import read
from ecg_core.recording import Recording, Subject
from tests.helpers import make_recording

DICOM = READERS["dicom"]
TEST_FILES = Path(pydicom.__file__).parent / "data/test_files"
MDC = {"I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64} | {f"V{n}": n + 2 for n in range(1, 7)}


def coded(value, scheme="MDC", meaning=""):
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def channel(source=None, *, sensitivity="1.25", unit="uV", label=None, **more):
    item = Dataset()
    if source is not None:
        item.ChannelSourceSequence = [source]
    if label is not None:
        item.ChannelLabel = label
    if sensitivity is not None:
        item.ChannelSensitivity = sensitivity
        item.ChannelSensitivityCorrectionFactor = "1"
        item.ChannelBaseline = "0"
    if unit is not None:
        item.ChannelSensitivityUnitsSequence = [coded(unit, "UCUM", unit)]
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def lead(name, **more):
    return channel(coded(f"2:{MDC[name]}", "MDC", f"Lead {name}"), **more)


def group(channels, values, *, kind="SS", bits=16, dtype="<i2", fs="500", label="RHYTHM", **more):
    """Return a multiplex group of ``values``, stored steps of shape (n_samples, n_channels)."""
    values = np.asarray(values)
    item = Dataset()
    item.WaveformOriginality = "ORIGINAL"
    item.NumberOfWaveformChannels = values.shape[1]
    item.NumberOfWaveformSamples = values.shape[0]
    if fs is not None:
        item.SamplingFrequency = fs
    item.MultiplexGroupLabel = label
    item.ChannelDefinitionSequence = channels
    item.WaveformBitsAllocated = bits
    item.WaveformSampleInterpretation = kind
    data = values.astype(dtype).tobytes()
    item.add_new("WaveformData", "OW", data + b"\0" * (len(data) % 2))
    for keyword, value in more.items():
        setattr(item, keyword, value)
    return item


def dataset(*groups, sop_class=uid.TwelveLeadECGWaveformStorage, modality="ECG", **more):
    ds = Dataset()
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = uid.generate_uid(entropy_srcs=["test"])
    ds.Modality = modality
    if groups:
        ds.WaveformSequence = list(groups)
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    return ds


def stored(ds, syntax=uid.ExplicitVRLittleEndian):
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


def read_groups(*groups, **more):
    return read({"a.dcm": stored(dataset(*groups, **more))})


STEPS = np.random.default_rng(0).integers(-800, 800, (1000, 12))


def twelve(values=STEPS, **more):
    return group([lead(name) for name in STANDARD_12], values, **more)


def test_bundled_example_reads_as_pydicom_reads_it():
    data = (TEST_FILES / "waveform_ecg.dcm").read_bytes()
    recording = read({"upload": data})
    expected = examples.waveform.waveform_array(0).T / 1e3
    assert recording.source.format == "dicom"
    assert recording.leads == STANDARD_12
    assert recording.fs == 1000.0
    np.testing.assert_allclose(recording.signal, expected, atol=1e-6)
    assert recording.start == datetime(2013, 1, 25, 10, 59, 19)
    assert (recording.subject.id, recording.subject.age, recording.subject.sex) == ("642341", 42.0, "female")
    assert recording.subject.facts["diagnosis"] == "RITMO SINUSALE\nECG NORMALE"
    assert recording.subject.facts["measurements"]["QRS Duration"] == {"value": 75.0, "unit": "ms"}
    marks = recording.annotations["dicom"]
    assert len(marks) == 66
    assert (marks.symbol[0], marks.time_s[0]) == ("P Onset", pytest.approx(0.298))
    assert any("group 2 (MEDIAN BEAT" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("source", "label", "expected"),
    [
        (coded("2:62", "MDC", "aVR, augmented voltage, right"), None, "aVR"),
        (coded("5.6.3-9-8", "SCPECG", "Lead V6"), None, "V6"),
        (coded("5.6.3-9-1", "SCPECG", ""), "wrong", "I"),
        (coded("131133", "MDC", ""), None, "III"),
        (coded("MDC_ECG_LEAD_AVL", "MDC", ""), None, "aVL"),
        (coded("2:10", "MDC", ""), None, "V2R"),
        (coded("X", "99LOCAL", "Lead I (Einthoven)"), None, "I"),
        (coded("2:1", "99LOCAL", "Lead V3"), None, "V3"),
        (coded("2:0", "MDC", "Unspecified lead"), "DII", "II"),
        (None, "V4", "V4"),
        (coded("2:65", "MDC", "-aVR"), None, "aVR inverted"),
    ],
)
def test_lead_is_named_by_code_then_meaning_then_label(source, label, expected):
    recording = read_groups(group([channel(source, label=label), lead("V5")], [[1, 2], [3, 4]]))
    assert recording.leads == (expected, "V5")


def test_leads_coded_as_derived_are_marked():
    recording = read_groups(
        group([lead("I"), lead("II"), channel(coded("2:111", "MDC", "Derived Lead III"))], [[1, 2, 1], [3, 5, 2]])
    )
    assert (recording.leads, recording.derived) == (("I", "II", "III"), ("III",))


def test_code_that_contradicts_the_text_is_reported():
    recording = read_groups(group([channel(coded("2:1", "MDC", "Lead V2")), lead("II")], [[1, 2], [3, 4]]))
    assert recording.leads == ("I", "II")
    assert any("coded I but labelled V2" in note for note in recording.warnings)


def test_texts_name_the_leads_where_a_writer_gave_all_of_them_one_code():
    channels = [channel(coded("5.6.3-9-1", "SCPECG", name)) for name in ("II", "V1", "V2")]
    recording = read_groups(group(channels, [[1, 2, 3], [4, 5, 6]]))
    assert recording.leads == ("II", "V1", "V2")
    assert any("repeat a lead" in note for note in recording.warnings)


@pytest.mark.parametrize(("unit", "millivolts"), [("uV", 1e-3), ("mV", 1.0), ("V", 1e3)])
def test_sensitivity_correction_baseline_and_unit_make_millivolts(unit, millivolts):
    odd = lead("I", sensitivity="0.5", unit=unit, ChannelSensitivityCorrectionFactor="1.1", ChannelBaseline="-3")
    recording = read_groups(group([odd], [[10], [-20]]))
    np.testing.assert_allclose(recording.signal[0], (np.array([10, -20]) * 0.55 - 3) * millivolts, rtol=1e-6)


def test_channel_without_sensitivity_is_settled_by_the_stated_rule():
    recording = read_groups(group([lead("I", sensitivity=None, unit=None)], [[0], [900]]))
    assert recording.signal[0, 1] == pytest.approx(0.9)
    assert any("no ChannelSensitivity" in note for note in recording.warnings)


def test_channels_that_are_no_voltage_are_left_out():
    recording = read_groups(group([lead("I"), channel(coded("P", "99X", "Aortic"), unit="mm[Hg]")], [[1, 2], [3, 4]]))
    assert recording.leads == ("I",)


@pytest.mark.parametrize(
    ("kind", "bits", "dtype", "values"),
    [
        ("SB", 8, "i1", [-128, 127]),
        ("UB", 8, "u1", [0, 255]),
        ("SS", 16, "<i2", [-32768, 32767]),
        ("US", 16, "<u2", [0, 65535]),
        ("SL", 32, "<i4", [-(2**31), 2**31 - 1]),
        ("UL", 32, "<u4", [0, 2**32 - 1]),
    ],
)
def test_every_linear_interpretation_is_read(kind, bits, dtype, values):
    item = group([lead("I", sensitivity="0.001")], np.array(values)[:, None], kind=kind, bits=bits, dtype=dtype)
    np.testing.assert_allclose(read_groups(item).signal[0], np.array(values) * 1e-6, rtol=1e-6)


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_every_uncompressed_transfer_syntax_is_read(syntax):
    dtype = ">i2" if syntax == uid.ExplicitVRBigEndian else "<i2"
    recording = read({"a.dcm": stored(dataset(twelve(dtype=dtype)), syntax)})
    np.testing.assert_allclose(recording.signal, STEPS.T * 1.25e-3, rtol=1e-6)


@pytest.mark.parametrize("kind", ["MB", "AB", "XX"])
def test_companded_and_unknown_samples_are_refused(kind):
    with pytest.raises(UnreadableFile, match=f"interpretation {kind}"):
        read_groups(group([lead("I")], [[1], [2]], kind=kind, bits=8, dtype="u1"))


def test_padding_is_missing_and_counted():
    item = group([lead("I", sensitivity="1")], [[5], [-32768], [7]])
    item.add_new("WaveformPaddingValue", "OW", b"\x00\x80")
    recording = read_groups(item)
    np.testing.assert_allclose(recording.signal[0], [0.005, np.nan, 0.007], rtol=1e-6)
    assert any("1 values equal to the padding value" in note for note in recording.warnings)


@pytest.mark.parametrize("keyword", ["ChannelTimeSkew", "ChannelSampleSkew", "ChannelOffset"])
def test_skewed_and_questionable_channels_are_reported(keyword):
    odd = lead("II", ChannelStatus=["QUESTIONABLE"], **{keyword: "0.5"})
    recording = read_groups(group([lead("I"), odd], [[1, 2], [3, 4]]))
    assert any("channel II is not simultaneous" in note and keyword in note for note in recording.warnings)
    assert any("QUESTIONABLE" in note for note in recording.warnings)


def test_rhythm_is_read_wherever_it_stands():
    median = twelve(np.full((3000, 12), 9), label="MEDIAN BEAT", WaveformOriginality="DERIVED")
    short = group([lead("II")], [[1]] * 100, label="OTHER")
    recording = read_groups(median, short, twelve())
    np.testing.assert_allclose(recording.signal, STEPS.T * 1.25e-3, rtol=1e-6)
    assert any("group 3" in note and "not group 1 (MEDIAN BEAT" in note for note in recording.warnings)


def test_longest_original_is_read_where_none_is_called_rhythm():
    recording = read_groups(group([lead("II")], [[1]] * 100, label="A"), group([lead("II")], [[2]] * 200, label="B"))
    assert recording.n_samples == 200


def test_derived_rhythm_is_read_with_a_warning_and_a_median_alone_is_refused():
    recording = read_groups(twelve(WaveformOriginality="DERIVED"))
    assert any("marked as derived" in note for note in recording.warnings)
    with pytest.raises(UnreadableFile, match="representative beats only"):
        read_groups(twelve(WaveformOriginality="DERIVED", label="MEDIAN BEAT"))


def test_groups_recorded_in_turn_stand_at_their_times():
    first = group([lead("I"), lead("II")], [[4, 8], [4, 8]], MultiplexGroupTimeOffset="1000")
    second = group([lead("V1")], [[12], [12]], MultiplexGroupTimeOffset="1004")
    recording = read_groups(first, second, AcquisitionDateTime="20200101120000")
    nan = np.nan
    assert recording.leads == ("I", "II", "V1")
    np.testing.assert_allclose(recording.signal * 200, [[1, 1, nan, nan], [2, 2, nan, nan], [nan, nan, 3, 3]])
    assert recording.start == datetime(2020, 1, 1, 12, 0, 1)
    assert any("read together" in note for note in recording.warnings)


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ({"AcquisitionDateTime": "20130125105919.25"}, datetime(2013, 1, 25, 10, 59, 19, 250_000)),
        (
            {"AcquisitionDateTime": "201301251059", "TimezoneOffsetFromUTC": "+0000"},
            datetime(2013, 1, 25, 10, 59, tzinfo=UTC),
        ),
        ({"AcquisitionDate": "20130125", "AcquisitionTime": "105919"}, datetime(2013, 1, 25, 10, 59, 19)),
        ({"ContentDate": "20130125", "ContentTime": "1059"}, datetime(2013, 1, 25, 10, 59)),
        ({"AcquisitionDateTime": "2013"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_start_is_the_acquisition_and_never_made_up(times, start):
    assert read_groups(twelve(), **times).start == start


def test_patient_is_read_in_our_units():
    patient = {"PatientID": "0817", "PatientSex": "M", "PatientSize": "1.71", "PatientWeight": "80.5"}
    recording = read_groups(
        twelve(), **patient, PatientName="Doe^John", PatientBirthDate="19530508", AcquisitionDateTime="20021122091000"
    )
    assert recording.subject == Subject("0817", 49.0, "male", {"height_cm": 171.0, "weight_kg": 80.5})
    assert "Doe" not in repr(recording.summary())


def annotation(**values):
    item = Dataset()
    item.ReferencedWaveformChannels = [1, 0]
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def test_annotations_with_positions_are_marks_in_seconds():
    beat = annotation(
        ConceptNameCodeSequence=[coded("x", "SCPECG", "QRS")],
        TemporalRangeType="SEGMENT",
        ReferencedSamplePositions=[51, 101],
    )
    note = annotation(UnformattedTextValue="pause", TemporalRangeType="POINT", ReferencedSamplePositions=1)
    other = annotation(UnformattedTextValue="median", ReferencedSamplePositions=1)
    other.ReferencedWaveformChannels = [2, 0]
    recording = read_groups(twelve(), WaveformAnnotationSequence=[beat, note, other])
    marks = recording.annotations["dicom"]
    np.testing.assert_allclose(marks.time_s, [0, 0.1, 0.2])
    assert marks.symbol == ("text", "QRS", "QRS")
    assert marks.note == ("pause", "onset", "offset")


@pytest.mark.parametrize(
    "odd",
    [
        {"PatientAge": "42 years", "PatientSex": "?", "PatientBirthDate": "05/08/1953"},
        {"AcquisitionDateTime": "yesterday", "PatientID": "x" * 80},
        {"SpecificCharacterSet": "ISO_IR 999", "PatientID": "ä"},
    ],
)
def test_odd_values_neither_crash_nor_leak_warnings(odd, recwarn):
    ds = dataset(twelve())
    with pydicom.config.disable_value_validation():
        for keyword, value in odd.items():
            ds.add_new(keyword, pydicom.datadict.dictionary_VR(keyword), value)
        data = stored(ds)
    recwarn.clear()
    assert read({"a.dcm": data}).leads == STANDARD_12
    assert not recwarn.list


def test_file_without_preamble_is_read():
    data = stored(dataset(twelve(), StudyDate="20200101"))
    for headless in (data[132:], data[data.index(b"\x08\x00\x16\x00UI") :]):
        assert DICOM.sniff(headless) != Sniff.NO
        assert read({"a": headless}).leads == STANDARD_12


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("CT_small.dcm", "DICOM image.*CT Image Storage, modality CT"),
        ("reportsi.dcm", "no DICOM waveform.*SR"),
        ("JPEG2000.dcm", "DICOM image"),
    ],
)
def test_other_objects_are_refused_by_name(name, message):
    with pytest.raises(UnreadableFile, match=message):
        read({name: (TEST_FILES / name).read_bytes()})


def test_encapsulated_pdf_is_refused_by_name():
    ds = dataset(sop_class=uid.EncapsulatedPDFStorage, MIMETypeOfEncapsulatedDocument="application/pdf")
    ds.EncapsulatedDocument = b"%PDF-1.7"
    with pytest.raises(UnreadableFile, match=r"document inside DICOM \(application/pdf\).*Encapsulated PDF"):
        read({"a.dcm": stored(ds)})


def test_waveform_that_is_no_ecg_is_refused_and_one_with_ecg_leads_is_read():
    voice = group([channel(coded("x", "99X", "Voice"), sensitivity=None, unit=None)], [[1], [2]])
    with pytest.raises(UnreadableFile, match=r"without an ECG lead.*Voice Audio"):
        read_groups(voice, sop_class=uid.BasicVoiceAudioWaveformStorage, modality="AU")
    assert read_groups(twelve(), sop_class=uid.HemodynamicWaveformStorage, modality="HD").leads == STANDARD_12


def test_deflated_object_is_read_within_limits():
    data = stored(dataset(twelve()), uid.DeflatedExplicitVRLittleEndian)
    np.testing.assert_allclose(read({"a.dcm": data}).signal, STEPS.T * 1.25e-3, rtol=1e-6)
    with pytest.raises(UnreadableFile, match="cut short"):
        read({"a.dcm": data[:-40]})


def test_deflated_bomb_is_refused_before_it_unpacks():
    data = stored(dataset(twelve()), uid.DeflatedExplicitVRLittleEndian)
    head = data[: 144 + int.from_bytes(data[140:144], "little")]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = head + packer.compress(bytes(8 << 20)) + packer.flush()
    for packed in (bomb, bomb[132:]):
        with pytest.raises(LimitExceeded, match="deflated data set"):
            read({"a.dcm": packed})
    with pytest.raises(LimitExceeded, match="deflated data set"):
        read({"a.dcm": data}, ReadOptions(limits=Limits(max_total_bytes=20_000)))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"NumberOfWaveformSamples": 2**32 - 1}, LimitExceeded, "too large"),
        ({"NumberOfWaveformChannels": 65535}, LimitExceeded, "too many channels"),
        ({"NumberOfWaveformSamples": 1001}, UnreadableFile, "24000 bytes; expected: 24024 bytes"),
        ({"NumberOfWaveformSamples": 0}, UnreadableFile, "at least one sample"),
        ({"NumberOfWaveformChannels": 11}, UnreadableFile, "12 items; expected: 11"),
        ({"SamplingFrequency": "0"}, UnreadableFile, "not a sampling rate"),
        ({"WaveformBitsAllocated": 8}, UnreadableFile, "8 bits, interpretation SS"),
    ],
)
def test_header_that_contradicts_the_samples_is_refused(changes, error, message):
    with pytest.raises(error, match=message):
        read_groups(twelve(**changes))


def test_missing_rate_needs_the_option():
    data = stored(dataset(twelve(fs=None)))
    with pytest.raises(NeedsOption, match="SamplingFrequency"):
        read({"a.dcm": data})
    assert read({"a.dcm": data}, ReadOptions(fs=500)).fs == 500


@pytest.mark.parametrize(
    ("channel_", "message"), [(lead("I", sensitivity="0"), "is zero"), (lead("I", ChannelBaseline="1\\2"), "number")]
)
def test_damaged_calibration_is_refused_not_defaulted(channel_, message):
    with pytest.raises(UnreadableFile, match=message):
        read_groups(group([channel_], [[1], [2]]))


def test_sequences_nested_without_end_are_an_error():
    item = b"\x00\x54\x00\x01SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = stored(dataset())
    with pytest.raises(EcgError):
        read({"a.dcm": data + item * 20_000})


def test_every_cut_of_a_file_is_an_error():
    data = stored(dataset(twelve(STEPS[:50])))
    for length in range(0, len(data) - 1, 61):
        with pytest.raises(EcgError):
            read({"a.dcm": data[:length]}, ReadOptions(format="dicom"))


@pytest.mark.parametrize(
    "data", [b"", b"\x08\x00", b"\x08\x00\x10\x00" + bytes(40), b"DICM" * 3, b"\x08\x00" * 70, b"\x89HDF\r\n\x1a\n"]
)
def test_other_bytes_are_not_claimed(data):
    assert DICOM.sniff(data) is Sniff.NO


def reopened(recording):
    return dcmread(io.BytesIO(DICOM.write(recording, "x")["x.dcm"]))


def test_written_file_opens_in_pydicom_with_the_same_values():
    recording = make_recording()
    ds = reopened(recording)
    assert ds.SOPClassUID == ds.file_meta.MediaStorageSOPClassUID == uid.TwelveLeadECGWaveformStorage
    assert ds.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert (ds.PatientID, ds.PatientSex, ds.PatientAge) == ("P-0042", "F", "063Y")
    assert ds.AcquisitionDateTime.startswith("20210304050607")
    (item,) = ds.WaveformSequence
    for name, definition in zip(recording.leads, item.ChannelDefinitionSequence, strict=True):
        assert definition.ChannelSourceSequence[0].CodeValue == f"2:{MDC[name]}"
        assert definition.ChannelSensitivityUnitsSequence[0].CodeValue == "uV"
    np.testing.assert_allclose(ds.waveform_array(0).T / 1e3, recording.signal, atol=1e-4)
    assert np.abs(np.frombuffer(item.WaveformData, "<i2").astype(int)).max() == 32767


@pytest.mark.parametrize(
    ("leads", "fs", "n_samples", "sop_class"),
    [
        (STANDARD_12, 1000.0, 16_384, uid.TwelveLeadECGWaveformStorage),
        (STANDARD_12, 1000.0, 16_385, uid.GeneralECGWaveformStorage),
        (("II",), 250.0, 500, uid.GeneralECGWaveformStorage),
        (STANDARD_12, 100.0, 500, uid.AmbulatoryECGWaveformStorage),
    ],
)
def test_writer_chooses_the_class_whose_constraints_hold(leads, fs, n_samples, sop_class):
    recording = Recording(np.ones((len(leads), n_samples)), fs, leads)
    assert reopened(recording).SOPClassUID == sop_class


@pytest.mark.parametrize(("n_leads", "fs"), [(1, 2000.0), (1, 40.0), (25, 500.0), (13, 100.0)])
def test_writer_refuses_what_no_class_allows(n_leads, fs):
    with pytest.raises(WriteError, match="no DICOM ECG object"):
        DICOM.write(Recording(np.ones((n_leads, 9)), fs, tuple(f"L{i}" for i in range(n_leads))), "x")


def test_writer_makes_no_time_up_and_is_deterministic():
    recording = Recording(np.ones((1, 9)), 500.0, ("II",))
    ds = reopened(recording)
    assert not any((ds.AcquisitionDateTime, ds.ContentDate, ds.ContentTime, ds.StudyDate))
    assert DICOM.write(recording, "x") == DICOM.write(recording, "x")


@settings(max_examples=40, deadline=None)
@given(age=st.one_of(st.integers(0, 130).map(float), st.floats(0, 130)))
def test_age_comes_back_as_well_as_three_digits_can_say(age):
    recording = Recording(np.ones((1, 9)), 500.0, ("II",), Subject(age=age))
    back = read(DICOM.write(recording, "x")).subject.age
    assert back == pytest.approx(age, abs=0.5 if age > 83 else 1 / 24 if age > 3 else 0.01)
    if age == int(age):
        assert back == age


@pytest.mark.parametrize(
    "recording",
    [
        Recording(np.ones((1, 9)), 500.0, ("II",), Subject(id="x" * 65)),
        Recording(np.ones((1, 9)), 500.0, ("II",), Subject(id="a\\b")),
        Recording(np.ones((1, 9)), 500.0, ("a\\b",)),
    ],
)
def test_writer_refuses_names_that_dicom_can_not_hold(recording):
    with pytest.raises(WriteError, match="does not fit into DICOM"):
        DICOM.write(recording, "x")


def test_leads_without_a_code_keep_their_names():
    recording = Recording(np.eye(2, 9), 500.0, ("II", "Oesophagus, level 4"))
    assert read(DICOM.write(recording, "x")).leads == recording.leads
