"""MATLAB files of three generations, as ECG data sets and people make them, and as nobody should."""

from __future__ import annotations

import io
import os
import struct
import zlib
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from ecg_core.errors import LimitExceeded, NeedsOption, SeveralRecordings, UnreadableFile
from ecg_core.leads import STANDARD_12
from ecg_core.readers import mat as reader
from ecg_core.readers.base import Limits, ReadOptions, Sniff
from ecg_core.recording import Recording
from tests.helpers import assert_same_signal, make_recording, with_gap

GRID = make_recording(n_samples=600)


def saved(variables: dict, **options) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, variables, **options)
    return buffer.getvalue()


def saved_v73(fill, *, mark: bytes = b"MATLAB 7.3 MAT-file, Platform: GLNXA64") -> bytes:
    """Build a v7.3 file as MATLAB does: HDF5 behind a header, arrays transposed, text as numbers."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=512) as file:
        fill(file)
    return mark.ljust(124) + b"\x00\x02IM" + buffer.getvalue()[128:]


def matlab(file, path, values):
    """Write one variable of v7.3."""
    if isinstance(values, str):
        item = file.create_dataset(path, data=np.array([[ord(ch)] for ch in values], np.uint16))
        item.attrs["MATLAB_class"] = np.bytes_("char")
    elif isinstance(values, list):
        cells = [[matlab(file, f"#refs#/{path.replace('/', '_')}{k}", text).ref] for k, text in enumerate(values)]
        item = file.create_dataset(path, data=cells, dtype=h5py.ref_dtype)
        item.attrs["MATLAB_class"] = np.bytes_("cell")
    else:
        item = file.create_dataset(path, data=np.atleast_2d(values).T)
        item.attrs["MATLAB_class"] = np.bytes_("double")
    return item


def read(data: bytes, **options) -> Recording:
    assert reader.sniff(data) == Sniff.SURE
    return reader.read("a.mat", {"a.mat": data}, ReadOptions(**options))


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("key", ["val", "ecg", "ECG", "data", "signal", "p_signal", "anything"])
@pytest.mark.parametrize("transposed", [False, True])
def test_array_under_any_name_either_way_round(key, transposed, compressed):
    order = STANDARD_12[::-1]
    values = GRID.select(order).signal
    names = np.array(order, dtype=object)
    variables = {key: values.T if transposed else values, "Fs": 500, "lead_names": names, "units": "mV"}
    recording = read(saved(variables, do_compression=compressed))
    assert recording.leads == order
    assert_same_signal(recording, GRID, tolerance_mv=0)


@pytest.mark.parametrize("names", [list(STANDARD_12), "I,II,III,aVR,aVL,aVF,V1,V2,V3,V4,V5,V6", " ".join(STANDARD_12)])
def test_lead_names_as_a_char_matrix_or_one_text(names):
    assert read(saved({"ecg": GRID.signal, "fs": 500, "leads": names})).leads == STANDARD_12


def test_struct_with_signal_rate_and_subject():
    ecg = {"sex": "Male", "age": 74, "data": GRID.signal, "fs": 500.0, "units": "uV"}
    recording = read(saved({"ECG": ecg}))
    assert np.allclose(recording.signal * 1000, GRID.signal, atol=1e-4)
    assert (recording.subject.age, recording.subject.sex) == (74, "male")
    assert recording.leads == STANDARD_12


def test_rate_in_a_struct_of_facts_beside_the_signal():
    recording = read(saved({"val": GRID.signal, "info": {"sampling_rate": 250, "leads": list(STANDARD_12)}}))
    assert recording.fs == 250
    assert any("taken from info" in note for note in recording.warnings)


def test_one_variable_a_lead():
    variables = {name: row[:, None] for name, row in zip(STANDARD_12, GRID.signal, strict=True)}
    recording = read(saved(variables | {"freq": 500, "t": np.arange(600) / 500}))
    assert_same_signal(recording, GRID, tolerance_mv=0)


@pytest.mark.parametrize("shape", [(5000, 1), (1, 5000)])
def test_bare_signal_needs_the_rate(shape):
    data = saved({"ecg": np.sin(np.arange(5000) / 60).reshape(shape)})
    with pytest.raises(NeedsOption, match=r"a\.mat: the file does not state its sampling rate.*fs="):
        read(data)
    recording = read(data, fs=500)
    assert (recording.leads, recording.signal.shape) == (("ECG1",), (1, 5000))


def test_integers_with_a_gain():
    counts = np.round(GRID.signal * 1000).astype(np.int16)
    recording = read(saved({"val": counts, "fs": 500, "gain": np.full(12, 1000.0), "units": "mV"}))
    assert np.allclose(recording.signal, GRID.signal, atol=6e-4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_version_4(order):
    def variable(name, values):
        values = np.atleast_2d(values)
        kind = {"f8": 0, "f4": 10, "i4": 20, "i2": 30}[values.dtype.str[1:]]
        head = struct.pack(order + "5I", kind + (1000 if order == ">" else 0), *values.shape, 0, len(name) + 1)
        return head + name.encode() + b"\0" + values.astype(values.dtype.newbyteorder(order)).tobytes(order="F")

    counts = np.round(GRID.signal * 200).astype(np.int16)
    data = variable("val", counts) + variable("fs", np.float64(360)) + variable("gain", np.float64(200))
    recording = read(data)
    assert recording.fs == 360
    assert np.allclose(recording.signal, counts / 200)
    with pytest.raises(NeedsOption):
        read(variable("val", counts))
    with pytest.raises(UnreadableFile, match=r"val: the MAT file is cut short; found: .* bytes for 12 x 600"):
        read(data[:5000])
    huge = struct.pack(order + "5I", 1030 if order == ">" else 30, 2**31, 2**31, 0, 4) + b"val\0"
    with pytest.raises(UnreadableFile, match="cut short"):
        read(huge + bytes(100), fs=500)
    assert read(saved({"val": GRID.signal, "fs": 500}, format="4")).n_leads == 12


def test_version_7_3():
    def fill(file):
        matlab(file, "ECG/data", GRID.signal.astype(float))
        matlab(file, "ECG/fs", 500.0)
        matlab(file, "ECG/units", "mV")
        matlab(file, "ECG/leads", list(STANDARD_12[::-1]))
        matlab(file, "ECG/sex", "Female")

    recording = read(saved_v73(fill))
    assert recording.leads == STANDARD_12[::-1]
    assert np.array_equal(recording.signal, GRID.signal)
    assert recording.subject.sex == "female"


def test_version_7_3_with_complex_or_sparse_signals():
    def complex_(file):
        pairs = np.zeros((600, 12), [("real", "f8"), ("imag", "f8")])
        file.create_dataset("ecg", data=pairs).attrs["MATLAB_class"] = np.bytes_("double")

    def sparse(file):
        file.create_group("ecg").attrs.update(MATLAB_class=np.bytes_("double"), MATLAB_sparse=12)

    for fill, why in ((complex_, "complex"), (sparse, "sparse")):
        with pytest.raises(UnreadableFile, match=f"ecg: .*{why}"):
            read(saved_v73(fill), fs=500)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (csc_matrix(np.eye(12)), "a sparse matrix"),
        (GRID.signal * 1j, "complex numbers"),
        ({"data": csc_matrix(np.eye(12))}, "holds a sparse matrix"),
    ],
)
def test_signal_that_is_no_plain_array_is_refused(value, why):
    with pytest.raises(UnreadableFile, match=f"ecg: {why}"):
        read(saved({"ecg": value, "other": GRID.signal, "fs": 500}))


def test_unrelated_complex_or_sparse_matrix_does_no_harm():
    assert read(saved({"ecg": {"data": GRID.signal, "fft": 1j * np.eye(3)}, "fs": 500})).n_leads == 12
    assert read(saved({"ecg": GRID.signal, "fs": 500, "weights": csc_matrix(np.eye(9))})).n_leads == 12


def test_objects_and_function_handles_are_never_loaded():
    plain = saved({"ecg": GRID.signal, "fs": 500, "odd": np.zeros((1, 1))})
    flags = plain.rindex(struct.pack("<II", 6, 8), 0, plain.index(b"odd")) + 8
    for kind, why in ((3, "a MATLAB object"), (16, "a function handle")):
        odd = plain[:flags] + bytes([kind]) + plain[flags + 1 :]
        assert read(odd).n_leads == 12
        with pytest.raises(UnreadableFile, match=f"ecg: {why}, which is never loaded"):
            read(odd.replace(b"ecg", b"abc").replace(b"odd", b"ecg"))


def test_struct_array_of_recordings_is_refused_by_name():
    many = np.zeros((1, 3), dtype=[("data", object)])
    for k in range(3):
        many[0, k]["data"] = GRID.signal
    with pytest.raises(UnreadableFile, match="ECG: a struct array of 3 entries"):
        read(saved({"ECG": many}), fs=500)


def test_batch_of_recordings_is_not_one_recording():
    with pytest.raises(SeveralRecordings, match="5 x 12 x 600"):
        read(saved({"data": np.zeros((5, 12, 600)), "fs": 500}))


def test_several_arrays_of_no_telling_name_are_listed():
    with pytest.raises(UnreadableFile, match=r"could be the ECG; found: one \(12 x 600\), two \(3 x 600\)"):
        read(saved({"one": GRID.signal, "two": GRID.signal[:3]}), fs=500)


def element(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)


def matrix(kind: int, shape: tuple[int, ...], name: str, *content: bytes) -> bytes:
    head = element(6, struct.pack("<II", kind, 0)) + element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, head + element(1, name.encode()) + b"".join(content))


NUMBERS = element(9, bytes(8))
HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


@pytest.mark.parametrize(
    "variable",
    [
        matrix(1, (2**30, 2**30), "ecg"),
        matrix(1, (2**30, 1), "ecg", matrix(6, (1, 1), "")),
        matrix(2, (2**30, 1), "ecg", element(5, struct.pack("<i", 8)), element(1, b"data\0\0\0\0")),
        matrix(2, (2**30, 1), "ecg", element(5, struct.pack("<i", 8)), element(1, b"")),
        matrix(4, (1, 2**31 - 1), "ecg", element(1, b"")),
        matrix(6, (2**31 - 1, 2**31 - 1), "ecg", element(9, bytes(80))),
        matrix(6, (-1, -5), "ecg", element(9, bytes(80))),
        matrix(6, (10, 1), "ecg", struct.pack("<II", 9, 2**31 - 1) + bytes(80)),
        struct.pack("<II", 14, 2**31 - 1) + bytes(80),
        matrix(6, (1, 1), "ecg", element(77, bytes(8))),
        matrix(99, (1, 1), "ecg", NUMBERS),
        matrix(1, (1, 1), "ecg", matrix(6, (1, 1), "", NUMBERS, matrix(1, (2**30, 1), ""))),
    ],
    ids=(
        "cells cells-with-one structs structs-without-fields text numbers negative element variable type class hidden"
    ).split(),
)
@pytest.mark.parametrize("compressed", [False, True])
def test_claimed_sizes_and_types_are_checked_before_scipy_sees_them(variable, compressed):
    data = HEADER + (element(15, zlib.compress(variable)) if compressed else variable)
    with pytest.raises(UnreadableFile, match="the MAT file is damaged or cut short"):
        read(data, fs=500)


def test_bomb_is_refused_while_it_unpacks():
    body = matrix(6, (12, 1 << 18), "ecg", element(9, bytes(12 << 21)))
    with pytest.raises(LimitExceeded, match="unpack"):
        read(HEADER + element(15, zlib.compress(body)), fs=500)
    nested = b""
    for _ in range(40):
        nested = matrix(1, (1, 1), "ecg", nested or matrix(6, (0, 0), ""))
    with pytest.raises(LimitExceeded, match="too deep"):
        read(HEADER + nested, fs=500)
    with pytest.raises(LimitExceeded, match="too large"):
        read(saved({"ecg": GRID.signal, "fs": 500}), limits=Limits(max_values=100))


def test_other_content_is_not_claimed():
    for data in (b"", b"MATLAB", bytes(4000), b"\x89HDF\r\n\x1a\n" + bytes(600), b"PK\x03\x04" + bytes(200)):
        assert reader.sniff(data) == Sniff.NO
    with pytest.raises(UnreadableFile, match="neither a MAT header nor a MAT v4 variable"):
        reader.read("a.mat", {"a.mat": bytes(300)}, ReadOptions())


def test_damaged_compression_says_so():
    data = saved({"ecg": GRID.signal, "fs": 500}, do_compression=True)
    with pytest.raises(UnreadableFile, match=r"a compressed variable is (damaged|cut short)"):
        read(data[:400] + b"\xff" * 50 + data[450:])
    with pytest.raises(UnreadableFile, match="cut short"):
        read(data[: len(data) // 2])


def test_written_file_comes_back_exactly():
    recording = with_gap(make_recording(fs=257.0))
    marked = Recording(
        recording.signal, 257.0, recording.leads, recording.subject, datetime(2024, 2, 29), derived=("III",)
    )
    back = read(reader.write(marked, "a")["a.mat"])
    assert np.array_equal(back.signal, marked.signal, equal_nan=True)
    assert (back.fs, back.leads, back.subject, back.start) == (257, marked.leads, marked.subject, marked.start)
    assert back.derived == ("III",)


def test_same_recording_gives_the_same_bytes():
    assert reader.write(GRID, "a") == reader.write(GRID, "a")


@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="EINTHOVEN_DATA_DIR names no folder")
def test_cpsc2019_records():
    files = sorted((Path(os.environ["EINTHOVEN_DATA_DIR"]) / "cpsc2019" / "data").glob("*.mat"))[:20]
    assert files
    for path in files:
        data = path.read_bytes()
        with pytest.raises(NeedsOption):
            read(data)
        recording = read(data, fs=500)
        assert recording.signal.shape == (1, 5000)
        assert 0.05 < np.ptp(recording.signal) < 50
