from __future__ import annotations

import contextlib
import os
import struct
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import EcgError, LimitExceeded, UnreadableFile, WriteError
from ecg_core.readers import READERS, Limits, ReadOptions, Sniff
from ecg_core.readers._wfdb_annotations import read_annotations, write_annotations
from ecg_core.reading import read
from ecg_core.recording import Annotations, Recording, Subject
from tests.helpers import assert_same_signal, make_recording, with_gap

with warnings.catch_warnings():
    # The package's own import warns under recent pandas.
    warnings.simplefilter("ignore")
    import wfdb

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

WFDB = READERS["wfdb"]
DATA = os.environ.get("EINTHOVEN_DATA_DIR")


def record(header: str, /, **files: bytes) -> Recording:
    """Read record ``r`` from its header and files given as ``dat=...`` (``r.dat``) or ``name_ext=...``."""
    named = {(key.replace("_", ".", 1) if "_" in key else f"r.{key}"): data for key, data in files.items()}
    return read({"r.hea": header.encode(), **named})


def int16(*values: int) -> bytes:
    return np.array(values, "<i2").tobytes()


# --- signal formats ---------------------------------------------------------------------------------------------------


def bits(*groups: tuple[int, int]) -> int:
    """Pack (value, width) from the lowest bit up."""
    word, at = 0, 0
    for value, width in groups:
        word |= (value & ((1 << width) - 1)) << at
        at += width
    return word


GOLDEN = {
    "8": (b"\x01\xff\x05\x80", [11, 10, 15, -113], 10),
    "16": (b"\x01\x00\xff\xff\xff\x7f", [1, -1, 32767], 0),
    "24": (b"\x01\x00\x00\xff\xff\xff\xff\xff\x7f", [1, -1, 8388607], 0),
    "32": (struct.pack("<3i", 1, -1, 2**31 - 1), [1, -1, 2**31 - 1], 0),
    "61": (b"\x00\x01\xff\xff\x7f\xff", [1, -1, 32767], 0),
    "80": (b"\x81\x7f\xff\x01", [1, -1, 127, -127], 0),
    "160": (b"\x01\x80\xff\x7f\xff\xff", [1, -1, 32767], 0),
    "212": (bits((1, 8), (0, 4), (0xF, 4), (0xFF, 8)).to_bytes(3, "little") + b"\xff\x07", [1, -1, 2047], 0),
    "310": (
        struct.pack("<4H", bits((0, 1), (1, 10), (0x1F, 5)), bits((0, 1), (-1, 10), (0xF, 5)), 511 << 1, 0),
        [1, -1, 511, 511, 0, 0],
        0,
    ),
    "311": (struct.pack("<2I", bits((1, 10), (-1, 10), (511, 10)), bits((-511, 10))), [1, -1, 511, -511], 0),
}


@pytest.mark.parametrize("form", GOLDEN)
def test_hand_encoded_samples_decode(form):
    data, values, first = GOLDEN[form]
    found = record(f"r 1 100 {len(values)}\nr.dat {form} 1(0)/mV 16 0 {first} 0 0 II\n", dat=data)
    assert found.signal[0].tolist() == [np.float32(value) for value in values]


@pytest.mark.parametrize(
    ("form", "data", "values"),
    [
        ("16", int16(5, -32768), [5, None]),
        ("80", b"\x85\x00", [5, None]),
        ("160", b"\x05\x80\x00\x00", [5, None]),
        ("61", b"\x00\x05\x80\x00", [5, None]),
        ("24", b"\x05\x00\x00\x00\x00\x80", [5, None]),
        ("32", struct.pack("<2i", 5, -(2**31)), [5, None]),
        ("212", b"\x05\x80\x00", [5, None]),
        ("310", struct.pack("<2H", 5 << 1, 512 << 1), [5, None, 0]),
        ("311", struct.pack("<I", bits((5, 10), (512, 10))), [5, None, 0]),
        ("8", b"\x05\x80", [5, -123]),
    ],
)
def test_lowest_value_is_missing_in_every_format_but_differences(form, data, values):
    found = record(f"r 1 100 {len(values)}\nr.dat {form} 1(0)/mV 16 0 0 0 0 II\n", dat=data).signal[0]
    assert [None if np.isnan(value) else value for value in found.tolist()] == values


@pytest.mark.parametrize("form", ["80", "212", "310", "311", "16", "24", "32", "61", "160"])
@pytest.mark.parametrize("n_samples", [1, 2, 3, 5, 100])
def test_any_number_of_samples_decodes_as_the_wfdb_package_does(form, n_samples, tmp_path):
    data = np.random.default_rng(n_samples).integers(0, 256, 4 * n_samples + 4, np.uint8)
    if form == "311":
        data[3::4] &= 0x3F  # The package reads a bit too many where the two spare bits are set.
    header = f"r 1 100 {n_samples}\nr.dat {form} 1(0)/mV 16 0 0 0 0 II\n"
    (tmp_path / "r.hea").write_text(header)
    (tmp_path / "r.dat").write_bytes(data.tobytes())
    expected = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T
    if np.isnan(expected).all():
        pytest.skip("the random bytes happen to be missing samples")
    assert np.array_equal(record(header, dat=data.tobytes()).signal, expected.astype(np.float32), equal_nan=True)


@pytest.mark.parametrize("form", ["80", "212", "16", "24", "32", "508", "516", "524"])
def test_record_written_by_the_wfdb_package_reads_the_same(form, tmp_path):
    recording = with_gap(make_recording(("I", "V3"), n_samples=501))
    wfdb.wrsamp(
        "r", 500, ["mV", "mV"], ["I", "V3"], recording.signal.T.astype(float), fmt=[form] * 2, write_dir=str(tmp_path)
    )  # fmt: skip
    found = read(tmp_path / "r.hea")
    expected = wfdb.rdrecord(str(tmp_path / "r")).p_signal.T
    assert np.array_equal(found.signal, expected.astype(np.float32), equal_nan=True)
    assert not [note for note in found.warnings if note.startswith("checksum")]


def test_flac_stream_that_is_not_what_the_header_says_is_refused(tmp_path):
    signal = make_recording(("I",), n_samples=500).signal.T.astype(float)
    wfdb.wrsamp("r", 500, ["mV"], ["I"], signal, fmt=["516"], write_dir=str(tmp_path))
    flac = (tmp_path / "r.dat").read_bytes()
    for header, why in (
        ("r 2 500 500\nr.dat 516 200/mV\nr.dat 516 200/mV\n", "1 channels"),
        ("r 1 500 501\nr.dat 516 200/mV\n", "500 whole samples"),
        ("r 1 500 500\nr.dat 508 200/mV\n", "at most 8 bits"),
    ):
        with pytest.raises(UnreadableFile, match=why):
            record(header, dat=flac)
    with pytest.raises(UnreadableFile, match="fLaC"):
        record("r 1 500 500\nr.dat 516 200/mV\n", dat=b"OggS" + flac)


# --- layout of a record -----------------------------------------------------------------------------------------------


def test_signals_of_several_files_and_an_offset_come_together():
    header = "r 3 100 2\nx.dat 16 10/mV 16 0 0 0 0 I\nr.mat 16+24 10/mV 16 0 0 0 0 II\nx.dat 16 10/mV 16 0 0 0 0 V1\n"
    found = record(header, x_dat=int16(1, 3, 2, 4), mat=b"m" * 24 + int16(5, 6))
    assert found.leads == ("I", "II", "V1")
    assert np.allclose(found.signal, [[0.1, 0.2], [0.5, 0.6], [0.3, 0.4]])


def test_signals_of_several_rates_keep_theirs_until_brought_to_the_highest():
    fast, slow = np.arange(400) % 7, np.arange(100) % 5
    frames = np.column_stack([fast.reshape(100, 4), slow]).astype("<i2")
    found = record("r 2 125 100\nr.dat 16x4 1/mV 16 0 0 0 0 II\nr.dat 16 1/mV 16 0 0 0 0 V1\n", dat=frames.tobytes())
    assert found.fs == 500
    assert found.lead("II").tolist() == fast.tolist()
    assert found.lead("V1").shape == (400,)
    assert found.history[0].name == "resample"
    assert found.history[0].parameters["leads"] == {"V1": 125}


def test_annotations_of_a_multi_rate_record_are_timed_by_the_frame():
    marks = write_annotations(Annotations(np.array([0.5]), ("N",)), 125)
    found = record("r 1 125 100\nr.dat 16x4 1/mV 16 0 0 0 0 II\n", dat=int16(*range(400)), atr=marks)
    assert found.annotations["atr"].time_s.tolist() == [0.5]


def test_skewed_signal_is_brought_forward_and_its_end_is_missing():
    found = record("r 2 100 4\nr.dat 16:1 1/mV\nr.dat 16 1/mV\n", dat=int16(9, 1, 2, 2, 3, 3, 4, 4))
    assert found.signal[0].tolist()[:3] == [2, 3, 4]
    assert np.isnan(found.signal[0, 3])
    assert found.signal[1].tolist() == [1, 2, 3, 4]
    assert any(note.startswith("skew:") for note in found.warnings)


def test_length_left_out_of_the_header_follows_from_the_file():
    assert record("r 2 100\nr.dat 212 200/mV\nr.dat 212 200/mV\n", dat=bytes([5] * 12)).n_samples == 4


def test_calibration_takes_gain_baseline_and_unit_of_each_signal():
    header = (
        "r 3 100 2\nr.dat 16 100(50)/mV 16 0 0 0 0 I\nr.dat 16 2/uV 12 1000 0 0 0 II\nr.dat 16 -1e2/mV 16 0 0 0 0 V1\n"
    )
    found = record(header, dat=int16(150, 3000, 100, 250, 1000, -100))
    assert np.allclose(found.signal, [[1, 2], [1, 0], [-1, 1]])


@pytest.mark.parametrize("line", ["r.dat 16", "r.dat 16 0", "r.dat 16 0(0)/mV 16 0 0 0 0 II"])
def test_missing_gain_means_200_units_and_a_warning(line):
    found = record(f"r 1 100 3\n{line}\n", dat=int16(0, 200, 100))
    assert found.signal[0].tolist() == [0, 1, 0.5]
    assert any("no gain" in note and "200 ADC units" in note for note in found.warnings)


def test_caller_may_state_the_unit_of_a_signal_without_gain():
    files = {"r.hea": b"r 1 100 3\nr.dat 16\n", "r.dat": int16(0, 200, 100)}
    assert np.allclose(read(files, ReadOptions(units="5 uV")).signal, [[0, 1, 0.5]])


def test_unit_left_out_is_millivolt_and_a_warning():
    found = record("r 1 100 2\nr.dat 16 100 16 0 0 0 0 II\n", dat=int16(0, 100))
    assert found.signal[0].tolist() == [0, 1]
    assert any(note == "units: mV, the default of WFDB: the header states none" for note in found.warnings)


def test_rate_left_out_is_250_hz_and_a_warning():
    files = {"r.hea": b"r 1\nr.dat 16 100/mV\n", "r.dat": int16(0, 100)}
    found = read(files)
    assert found.fs == 250
    assert any("250 Hz" in note for note in found.warnings)
    assert read(files, ReadOptions(fs=360)).fs == 360


def test_samples_that_do_not_add_up_are_a_warning_that_names_the_signal():
    header = "r 2 100 2\nr.dat 16 100/mV 16 0 1 4 0 I\nr.dat 16 100/mV 16 0 2 {} 0 V1\n"
    good = record(header.format(6), dat=int16(1, 2, 3, 4))
    assert not [note for note in good.warnings if note.startswith("checksum")]
    (note,) = [note for note in record(header.format(7), dat=int16(1, 2, 3, 4)).warnings if note.startswith("checksum")]
    assert "V1" in note
    unstated = record(header.format(0), dat=int16(1, 2, 3, 4))
    assert not [note for note in unstated.warnings if note.startswith("checksum")]


# --- several segments -------------------------------------------------------------------------------------------------

SEGMENT = {
    "a.hea": b"a 2 100 3\na.dat 16 1/mV 16 0 0 0 0 I\na.dat 16 1/mV 16 0 0 0 0 V1\n",
    "a.dat": int16(1, 10, 2, 20, 3, 30),
    "b.hea": b"b 2 100 2\nb.dat 16 1/mV 16 0 0 0 0 I\nb.dat 16 1000/uV 16 0 0 0 0 V1\n",
    "b.dat": int16(4, 40, 5, 50),
    "c.hea": b"c 1 100 1\nc.dat 16 1/mV 16 0 0 0 0 V1\n",
    "c.dat": int16(60),
    "d.hea": b"d 2 100 3\na.dat 16 1/mV 16 0 0 0 0 V1\na.dat 16 1/mV 16 0 0 0 0 I\n",
}


def test_segments_of_a_fixed_layout_follow_each_other_with_null_segments_missing():
    parts = {name: data for name, data in SEGMENT.items() if name[0] in "ab"}
    found = read({"m.hea": b"m/3 2 100 7\na 3\n~ 2\nb 2\n", **parts})
    assert found.leads == ("I", "V1")
    assert np.allclose(found.signal[0], [1, 2, 3, np.nan, np.nan, 4, 5], equal_nan=True)
    assert np.allclose(found.signal[1], [10, 20, 30, np.nan, np.nan, 4e-5, 5e-5], equal_nan=True)


def test_segments_of_a_variable_layout_fill_the_signals_they_name():
    layout = b"lay 2 100 0\n~ 0 1/mV 16 0 0 0 0 V1\n~ 0 1/mV 16 0 0 0 0 I\n"
    parts = {name: SEGMENT[name] for name in ("a.hea", "a.dat", "c.hea", "c.dat")}
    found = read({"m.hea": b"m/4 2 100 5\nlay 0\na 3\n~ 1\nc 1\n", "lay.hea": layout, **parts})
    assert found.source.name == "m.hea"
    assert found.leads == ("V1", "I")
    assert np.allclose(found.signal, [[10, 20, 30, np.nan, 60], [1, 2, 3, np.nan, np.nan]], equal_nan=True)


def test_multi_segment_record_reads_as_the_wfdb_package_reads_it(tmp_path):
    files = {"m.hea": b"m/2 2 100 6\na 3\na 3\n", "a.hea": SEGMENT["a.hea"], "a.dat": SEGMENT["a.dat"]}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    expected = wfdb.rdrecord(str(tmp_path / "m")).p_signal.T
    assert np.array_equal(read(files).signal, expected.astype(np.float32))
    assert np.array_equal(read(tmp_path / "m.hea").signal, expected.astype(np.float32))


@pytest.mark.parametrize(
    ("master", "why"),
    [
        ("m/2 2 100 6\nm 3\na 3\n", "segments of its own"),
        ("m/2 2 100 6\na 3\nzz 3\n", "zz.hea"),
        ("m/2 2 100 7\na 3\nb 4\n", "not as long"),
        ("m/1 2 200 3\na 3\n", "rate of its own"),
        ("m/2 2 100 4\na 3\nc 1\n", "do not fit"),
        ("m/2 2 100 6\na 3\nd 3\n", "do not fit"),
        ("m/2 2 100 4\n~ 3\n~ 1\n", "every segment is empty"),
    ],
)
def test_segments_that_do_not_fit_are_refused(master, why):
    with pytest.raises(UnreadableFile, match=why):
        WFDB.read("m.hea", {"m.hea": master.encode(), **SEGMENT}, ReadOptions())


def test_segments_may_have_several_rates():
    part = {"a.hea": b"a 2 100 1\na.dat 16x2 1/mV 16 0 0 0 0 I\na.dat 16 1/mV 16 0 0 0 0 V1\n", "a.dat": int16(1, 2, 9)}
    found = read({"m.hea": b"m/2 2 100 2\na 1\na 1\n", **part})
    assert found.fs == 200
    assert found.lead("I").tolist() == [1, 2, 1, 2]


# --- hostile headers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("r 1 500 999999999999999999\nr.dat 16 200/mV\n", LimitExceeded),
        ("r 1 500 100\nr.dat 16x999999999 200/mV\n", LimitExceeded),
        ("r 999999999 500 100\nr.dat 16 200/mV\n", LimitExceeded),
        ("r 1 500 100\nr.dat 16+999999999999999999 200/mV\n", UnreadableFile),
        ("r 600 500 100\n" + "r.dat 16 200/mV\n" * 600, LimitExceeded),
        ("r/2 1 500 0\na 999999999999999999\na 1\n", LimitExceeded),
        ("r/999999999 1 500 0\na 1\n", LimitExceeded),
        ("r 1 0 2\nr.dat 16 200/mV\n", UnreadableFile),
        ("r 1 500 2\nr.dat 9999 200/mV\n", UnreadableFile),
        ("r 0 500 2\n", UnreadableFile),
        ("r 2 500 2\nr.dat 16 200/mV\nr.dat 212 200/mV\n", UnreadableFile),
        ("r 1 500 2\n../../etc/passwd 16 200/mV\n", UnreadableFile),
        ("r 1 500 2\n/etc/passwd 16 200/mV\n", UnreadableFile),
        ("r 1 500 2\n" + "1" * 100_000 + "\n", UnreadableFile),
        ("r 1 500 100\nr.dat 16 200/mV\n", UnreadableFile),
    ],
)
def test_hostile_header_is_refused_before_anything_is_read(header, error):
    with pytest.raises(error) as caught:
        WFDB.read("r.hea", {"r.hea": header.encode(), "r.dat": int16(1, 2)}, ReadOptions())
    assert caught.value.file


def test_segments_are_limited_in_number():
    master = b"m/50 2 100 150\n" + b"a 3\n" * 50
    with pytest.raises(LimitExceeded, match="segments"):
        WFDB.read("m.hea", {"m.hea": master, **SEGMENT}, ReadOptions(limits=Limits(max_entries=20)))


def test_huge_skew_leaves_a_signal_empty_and_reads_on():
    found = record("r 2 100 2\nr.dat 16:999999999999 1/mV\nr.dat 16 1/mV\n", dat=int16(1, 2, 3, 4))
    assert np.isnan(found.signal[0]).all()


# --- which files belong together --------------------------------------------------------------------------------------


def test_missing_signal_file_is_named_beside_those_that_are_there():
    with pytest.raises(UnreadableFile, match=r"other\.dat.*expected: r\.dat"):
        WFDB.read("r.hea", {"r.hea": b"r 1 100 2\nr.dat 16 1/mV\n", "other.dat": b""}, ReadOptions())


def test_names_are_relative_to_the_folder_of_the_header():
    header = b"r 1 100 2\nr.dat 16 1/mV 16 0 0 0 0 II\n"
    files = {"a/b/r.hea": header, "a/b/r.dat": int16(1, 2), "r.dat": int16(3, 4), "a/b/r.atr": b"\0\0"}
    assert set(WFDB.companions("a/b/r.hea", files)) == {"a/b/r.dat", "a/b/r.atr"}
    assert read(files).signal[0].tolist() == [1, 2]


def test_name_that_differs_in_case_is_found():
    files = {"r.hea": b"r 1 100 2\nr.dat 16 1/mV\n", "R.DAT": int16(1, 2)}
    assert WFDB.companions("r.hea", files) == ("R.DAT",)
    assert read(files).n_samples == 2


def test_only_what_belongs_to_a_record_is_claimed():
    marks = write_annotations(Annotations(np.array([0.01]), ("N",)), 100)
    files = {
        "1.hea": b"1 1 100 2\n1.dat 16 1/mV\n",
        "1.dat": int16(1, 2),
        "1.custom": marks,
        "1.v1": b"damaged",
        "1.txt": b"notes",
        "1.json": marks,
        "1.zeros": bytes(100),
        "11.atr": marks,
    }
    assert set(WFDB.companions("1.hea", files)) == {"1.dat", "1.custom", "1.v1"}
    assert WFDB.wanted("1.hea", files["1.hea"]) == ("1.dat", "1.*")
    assert WFDB.wanted("1.txt", files["1.txt"]) == ()
    master = b"m/3 2 100 7\na 3\n~ 2\nb 2\n"
    assert set(WFDB.companions("m.hea", {"m.hea": master, **SEGMENT})) == {"a.hea", "a.dat", "b.hea", "b.dat"}


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (b"100 2 360 650000\n100.dat 212 200 11 1024 995 -22131 0 MLII\n", Sniff.SURE),
        (b"# about\r\n\r\n100 1 360\r\n100.dat 212\r\n", Sniff.SURE),
        (b"m/2 2 100 6\na 3\nb 3\n", Sniff.SURE),
        (b"A0001 1 500 7500 05-Feb-2020 11:39:16\nA0001.mat 16+24 1000/mV 16 0 28 -1716 0 I\n", Sniff.SURE),
        (b"\xff!\n100.dat 212 200 11 1024 995 -22131 0 MLII\n", Sniff.MAYBE),
        (b"100 2 360 650000\n", Sniff.MAYBE),
        (b"1 2 3\n4 5 6\n", Sniff.NO),
        (b"1 2 16\n2 16 3\n", Sniff.NO),
        (b"time I II\n0 1 2\n", Sniff.NO),
        (b"Dear reader, this\nis a text of 16 words\n", Sniff.NO),
        (b"I,II\n1,2\n", Sniff.NO),
    ],
)
def test_header_is_told_from_other_text(data, level):
    assert WFDB.sniff(data) == level


# --- header text ------------------------------------------------------------------------------------------------------


def with_comments(*lines: str) -> Subject:
    return record("r 1 100 2\nr.dat 16 1/mV\n" + "".join(f"{line}\n" for line in lines), dat=int16(1, 2)).subject


@pytest.mark.parametrize(
    ("lines", "age", "sex"),
    [
        (["# Age: 69", "# Sex: F"], 69, "female"),
        (["#Age: 74", "#Sex: Male"], 74, "male"),
        (["#<age>: 51", "#<sex>: M"], 51, "male"),
        (["# <age>: 51  <sex>: M  <diagnoses> (none)"], 51, "male"),
        (["# age: 81", "# gender: female"], 81, "female"),
        (["# 69 M 1085 1629 x1", "# Aldomet, Inderal"], 69, "male"),
        (["# -1 F 1085 1629 x1"], None, "female"),
        (["#Age: NaN", "#Sex: Unknown"], None, None),
        (["# 69 beats were marked"], None, None),
    ],
)
def test_age_and_sex_are_read_in_their_usual_spellings(lines, age, sex):
    subject = with_comments(*lines)
    assert (subject.age, subject.sex) == (age, sex)


def test_other_comments_become_facts():
    subject = with_comments("#Dx: 426783006,59118001", "#Electric axis: left", "#Two words here", "# Subject: P-7")
    assert subject.id == "P-7"
    assert subject.facts["dx"] == "426783006,59118001"
    assert subject.facts["electric_axis"] == "left"
    assert subject.facts["comments"] == ["Two words here"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("10:20:30 05/06/1999", datetime(1999, 6, 5, 10, 20, 30)),
        ("10:20:30.25 05/06/1999", datetime(1999, 6, 5, 10, 20, 30, 250000)),
        ("20:30 05/06/1999", datetime(1999, 6, 5, 0, 20, 30)),
        ("05-Feb-2020 11:39:16", datetime(2020, 2, 5, 11, 39, 16)),
        ("10:20:30", None),
        ("10:20:30 32/06/1999", None),
    ],
)
def test_start_needs_a_time_and_a_date(text, start):
    found = record(f"r 1 100 2 {text}\nr.dat 16 1/mV\n", dat=int16(1, 2))
    assert found.start == start
    assert any(note.startswith("start:") for note in found.warnings) == (start is None)


# --- annotations ------------------------------------------------------------------------------------------------------


def test_annotations_of_the_wfdb_package_read_the_same(tmp_path):
    sample = np.array([0, 3, 900, 2000, 4_000_000, 4_000_001])
    wfdb.wrann(
        "r", "atr", sample, list('N+V"~N'), aux_note=["", "(AFIB", "", "a longer note", "", ""],
        chan=np.array([0, 1, 1, 0, 0, 0]), num=np.array([0, 1, 2, 0, 0, 0]), subtype=np.array([0, 0, -1, 0, 5, 0]),
        fs=360, write_dir=str(tmp_path),
    )  # fmt: skip
    marks = read_annotations((tmp_path / "r.atr").read_bytes(), 1.0)
    assert np.allclose(marks.time_s, sample / 360)
    assert "".join(marks.symbol) == 'N+V"~N'
    assert marks.note == ("", "(AFIB", "", "a longer note", "", "")


def test_own_symbols_of_an_annotation_file_are_used(tmp_path):
    custom = [(42, "k", "a custom mark")]
    wfdb.wrann("r", "atr", np.array([5, 9]), ["k", "N"], custom_labels=custom, fs=100, write_dir=str(tmp_path))
    marks = read_annotations((tmp_path / "r.atr").read_bytes(), 100)
    assert marks.symbol == ("k", "N")
    assert marks.time_s.tolist() == [0.05, 0.09]


def test_written_annotations_read_the_same_in_the_wfdb_package(tmp_path):
    marks = Annotations(np.array([0.0, 0.5, 30.0, 20_000.0]), ("N", "V", "+", "noise"), ("", "", "(AFIB", "loud"))
    (tmp_path / "r.atr").write_bytes(write_annotations(marks, 360))
    found = wfdb.rdann(str(tmp_path / "r"), "atr")
    assert found.sample.tolist() == [0, 180, 10_800, 7_200_000]
    assert found.symbol == ["N", "V", "+", '"']
    assert found.aux_note == ["", "", "(AFIB", "noise loud"]


@settings(max_examples=60, deadline=None)
@given(
    times=st.lists(st.integers(0, 10**10), max_size=20),
    symbols=st.lists(st.sampled_from('NLRaVFJASEj/Q~|sT*D"=pB^t+u?![]en@xf()r'), min_size=20, max_size=20),
    notes=st.lists(st.text("abc (é\u4e2d", max_size=300), min_size=20, max_size=20),
    fs=st.sampled_from([128.0, 257.0, 360.0, 1000.0]),
    on_grid=st.booleans(),
)
def test_annotations_come_back(times, symbols, notes, fs, on_grid):
    time_s = np.sort(np.array(times, float)) / (fs if on_grid else 1e6)
    marks = Annotations(time_s, tuple(symbols[: len(times)]), tuple(notes[: len(times)]))
    back = read_annotations(write_annotations(marks, fs), fs)
    assert np.allclose(back.time_s, marks.time_s, rtol=0, atol=1.1e-6)
    assert back.symbol == marks.symbol
    for found, written in zip(back.note, marks.note, strict=True):
        assert written.startswith(found)
        assert len(written.encode()) < 256 - 3 or len(found.encode()) > 250 or found == written


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"text\n\n",
        int16(0x0405),
        struct.pack("<3H", 59 << 10, 0, 0),
        struct.pack("<2H", 63 << 10 | 40, 0),
        struct.pack("<3H", 55 << 10, 5, 0),
        struct.pack("<5H", 59 << 10, 0xFFFF, 0, 1 << 10, 0),
        struct.pack("<4H", 1 << 10, 0, 1 << 10, 0),
    ],
)
def test_what_is_no_annotation_file_is_told(data):
    assert read_annotations(data, 360) is None


def test_damaged_annotations_are_a_warning_that_names_the_file():
    found = record("r 1 100 2\nr.dat 16 1/mV\n", dat=int16(1, 2), atr=b"\x01\x04\x05", qrs=int16(1 << 10 | 1, 0))
    assert set(found.annotations) == {"qrs"}
    assert any("r.atr" in note for note in found.warnings)


def test_annotations_after_the_end_are_a_warning():
    found = record("r 1 100 2\nr.dat 16 1/mV\n", dat=int16(1, 2), atr=int16(1 << 10 | 500, 0))
    assert any("1 marks of r.atr lie after the end" in note for note in found.warnings)


def test_unknown_definition_in_an_annotation_file_does_not_hang():
    marks = Annotations(np.array([0.0, 1.0]), ('"', "N"), ("## something else", ""))
    assert read_annotations(write_annotations(marks, 100), 100).symbol == ("N",)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_written_record_reads_the_same_in_the_wfdb_package(tmp_path):
    recording = replace(with_gap(make_recording(n_samples=1003)), start=datetime(1975, 2, 3, 4, 5, 6, 250000))
    for name, data in WFDB.write(recording, "r").items():
        (tmp_path / name).write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = wfdb.rdrecord(str(tmp_path / "r"))
    assert found.sig_name == list(recording.leads)
    assert found.fmt == ["16"] * 12
    assert found.base_datetime == recording.start
    assert np.array_equal(np.isnan(found.p_signal.T), np.isnan(recording.signal))
    assert np.nanmax(np.abs(found.p_signal.T - recording.signal)) <= 0.5e-3


def test_everything_that_has_a_place_comes_back():
    recording = replace(
        make_recording(("I", "II", "III"), n_samples=300),
        derived=("III",),
        subject=Subject("P 1", 0.25, "male", {"dx": "426783006", "comments": ["a free line"], "pacemaker": "no"}),
        annotations={"atr": Annotations(np.array([0.1, 0.2004]), ("N", "V")), "edf": Annotations(np.zeros(1), ("x",))},
    )
    files = WFDB.write(recording, "odd name/../é")
    assert list(files)[:2] == ["odd_name_____.hea", "odd_name_____.dat"]
    back = read(files)
    assert back.subject.to_dict() == recording.subject.to_dict()
    assert back.derived == ("III",)
    assert back.start == recording.start
    assert set(back.annotations) == {"atr", "edf_ann"}
    assert np.allclose(back.annotations["atr"].time_s, [0.1, 0.2004], atol=1e-6)
    assert not [note for note in back.warnings if not note.startswith(("units", "limb"))]


@pytest.mark.parametrize(
    ("values", "form", "error_mv"),
    [
        ([0.001, -0.002, 1.234], "16", 0.0),
        ([30.0, -30.0, 0.0005], "16", 0.0005),
        ([300.0, -300.0, 0.001], "24", 0.0005),
        ([300.001, 300.002, 300.0], "16", 2e-5),
        ([1e6, -1e6, 0.0], "32", 0.06),
        ([1e9, 0.0, 1.0], "32", 100.0),
    ],
)
def test_resolution_follows_the_range(values, form, error_mv):
    recording = Recording(np.array([values]), 500, ("II",))
    files = WFDB.write(recording, "r")
    assert files["r.hea"].decode().splitlines()[1].split()[1] == form
    assert np.abs(read(files).signal - recording.signal).max() <= error_mv


def test_what_does_not_fit_is_refused():
    with pytest.raises(WriteError, match="too large"):
        WFDB.write(Recording(np.array([[1e30, 0]]), 500, ("II",)), "r")
    with pytest.raises(WriteError, match="name"):
        WFDB.write(Recording(np.array([[1, 0]]), 500, ("a\nb",)), "r")


VALUE = st.floats(-50, 50, width=32) | st.just(float("nan"))


@settings(max_examples=40, deadline=None)
@given(
    fs=st.floats(0.1, 1e6),
    rows=st.lists(st.lists(VALUE, min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_signal_comes_back_within_half_a_microvolt(fs, rows):
    signal = np.array(rows)
    recording = Recording(signal, fs, ("I", "II", "V1", "V2")[: len(rows)])
    if np.isnan(recording.signal).all():
        return
    back = read(WFDB.write(recording, "r"))
    assert back.fs == recording.fs
    assert np.array_equal(np.isnan(back.signal), np.isnan(recording.signal))
    assert np.nanmax(np.abs(back.signal - recording.signal)) <= 0.502e-3


# --- real data --------------------------------------------------------------------------------------------------------

COLLECTIONS = {
    "mitdb": ("mitdb/*.hea", {"atr"}),
    "ludb": ("ludb/data/*.hea", {"i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6"}),
    "cinc2017": ("cinc2017/*.hea", set()),
    "cinc2011": ("cinc2011/set-a/*.hea", set()),
    "qtdb": ("qtdb/*.hea", set()),
    "ptbxl": ("ptbxl/records100/00000/*.hea", set()),
}


@pytest.mark.skipif(not DATA, reason="EINTHOVEN_DATA_DIR names no folder with the public data sets")
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_public_records_read_as_the_wfdb_package_reads_them(collection):
    pattern, annotators = COLLECTIONS[collection]
    headers = sorted(Path(DATA or ".").glob(pattern))
    if not headers:
        pytest.skip(f"{collection} is not among the data")
    for header in headers[:: max(1, len(headers) // 4)][:4]:
        stem = str(header.with_suffix(""))
        files = {
            path.name: path.read_bytes() for path in header.parent.glob(f"{header.stem}.*") if path.suffix != ".json"
        }
        found, expected = read(files), wfdb.rdrecord(stem)
        assert np.allclose(found.signal, expected.p_signal.T, rtol=1e-6, atol=1e-9, equal_nan=True)
        assert found.fs == expected.fs
        assert not [note for note in found.warnings if note.startswith("checksum")]
        assert set(found.annotations) == annotators
        for annotator, marks in found.annotations.items():
            reference = wfdb.rdann(stem, annotator)
            assert np.allclose(marks.time_s, reference.sample / expected.fs)
            assert list(marks.symbol) == reference.symbol
            assert list(marks.note) == [note.strip("\0") for note in reference.aux_note]


def test_mutated_records_give_an_error_or_a_recording():
    rng = np.random.default_rng(0)
    base = WFDB.write(with_gap(make_recording(("I", "V1"), n_samples=200)), "r") | {"r.atr": int16(1 << 10 | 5, 0)}
    for _ in range(150):
        files = dict(base)
        name = list(files)[rng.integers(len(files))]
        data = bytearray(files[name])
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(256)
        files[name] = bytes(data[: rng.integers(1, len(data) + 1)] if rng.random() < 0.2 else data)
        with contextlib.suppress(EcgError):
            assert read(files).n_samples > 0


def test_written_gap_and_signal_are_the_same_after_a_second_pass():
    first = read(WFDB.write(with_gap(make_recording(("I", "II"), n_samples=500)), "r"))
    assert_same_signal(read(WFDB.write(first, "r")), first, tolerance_mv=1e-7)
