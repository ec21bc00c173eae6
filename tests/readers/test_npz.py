"""NumPy files: our own, other people's, and those with pickles or bombs inside."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue, LimitExceeded, NeedsOption, SeveralRecordings, UnreadableFile
from ecg_core.leads import STANDARD_12
from ecg_core.readers import npz as reader
from ecg_core.readers.base import Limits, ReadOptions, Sniff
from ecg_core.recording import Recording, Subject
from tests.helpers import assert_same_signal, make_recording, with_gap

GRID = make_recording(n_samples=600)


def npy(values) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def header(shape: str, descr: str = "<f4", version: bytes = b"\x01\x00") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(text)) + text


def read(data: bytes, **options) -> Recording:
    assert reader.sniff(data) == Sniff.SURE
    return reader.read("a.npz", {"a.npz": data}, ReadOptions(**options))


class Trap:
    """Fails the test that unpickles it."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize("values", [GRID.signal, GRID.signal.T, np.asfortranarray(GRID.signal), GRID.signal[None]])
def test_bare_array_needs_the_rate_and_says_how_it_was_read(values):
    with pytest.raises(NeedsOption, match="sampling rate"):
        read(npy(values))
    recording = read(npy(values), fs=500)
    assert np.array_equal(recording.signal, GRID.signal)
    assert recording.leads == STANDARD_12
    assert any(note.startswith("orientation") for note in recording.warnings)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_bare_array_of_one_lead(dtype):
    recording = read(npy(GRID.signal[0].astype(dtype)), fs=360)
    assert (recording.fs, recording.leads) == (360, ("ECG1",))
    assert np.allclose(recording.signal[0], GRID.signal[0], atol=2e-3)


def test_names_by_the_caller_settle_the_orientation():
    values = np.arange(24.0).reshape(12, 2) / 10
    recording = read(npy(values), fs=500, leads=("I", "II"), units="mV")
    assert recording.signal.shape == (2, 12)
    with pytest.raises(UnreadableFile, match="3 names, shape 12 x 2"):
        read(npy(values), fs=500, leads=("I", "II", "III"))


def test_structured_array_with_leads_as_fields():
    values = np.zeros(600, [("t", "f8"), ("V1", "f4"), ("I", "<i2")])
    values["t"], values["V1"], values["I"] = np.arange(600) / 500, GRID.lead("V1"), np.arange(600) % 7
    recording = read(npy(values), fs=500, units="mV")
    assert recording.leads == ("V1", "I")
    assert np.array_equal(recording.lead("V1"), GRID.lead("V1"))


@pytest.mark.parametrize("key", ["signal", "ecg", "data", "x", "val", "tracing", "whatever"])
@pytest.mark.parametrize(("fs", "leads"), [("fs", "leads"), ("sampling_rate", "sig_name"), ("freq", "channels")])
def test_array_under_any_name_with_its_facts(key, fs, leads):
    order = STANDARD_12[::-1]
    arrays = {key: GRID.select(order).signal.T, fs: np.array([500]), leads: np.array(order), "unit": "mV"}
    recording = read(npz(**arrays, labels=np.arange(71), t=np.arange(600)))
    assert recording.leads == order
    assert_same_signal(recording, GRID, tolerance_mv=0)


def test_one_array_a_lead():
    rows = dict(zip(STANDARD_12, GRID.signal, strict=True))
    recording = read(npz(**rows, sfreq=500.0, units=np.array("uV")))
    assert recording.leads == STANDARD_12
    assert np.allclose(recording.signal * 1000, GRID.signal)


@pytest.mark.parametrize(
    "facts", [{"leads": np.array(["I", "II"])}, {"units": np.array(["mV", "mV", "uV"])}, {"gain": np.ones(5)}]
)
def test_facts_that_do_not_fit_the_leads_are_refused(facts):
    with pytest.raises(UnreadableFile):
        read(npz(signal=np.ones((12, 600), np.int16), fs=500, **facts))


def test_rate_that_is_none_is_refused():
    for fs in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(UnreadableFile, match="not a sampling rate"):
            read(npz(signal=GRID.signal, fs=fs))
    with pytest.raises(InvalidValue, match="250 Hz"):
        read(npz(signal=GRID.signal, fs=500), fs=250)


def test_batch_of_recordings_is_not_one_recording():
    with pytest.raises(SeveralRecordings, match="7 x 12 x 600"):
        read(npz(data=np.zeros((7, 12, 600)), fs=500))


@pytest.mark.parametrize("where", ["signal", "leads", "units"])
def test_pickled_objects_are_refused_by_name_and_never_loaded(where):
    arrays = {"signal": GRID.signal, "fs": 500.0, where: np.array([Trap()] * 12, dtype=object)}
    with pytest.raises(UnreadableFile, match=f"{where}: pickled Python objects, which are never loaded"):
        read(npz(**arrays))
    with pytest.raises(UnreadableFile, match="pickled"):
        read(npy(np.array([Trap()], dtype=object)))


def test_unrelated_pickle_is_left_alone():
    assert read(npz(signal=GRID.signal, fs=500, extra=np.array([Trap()], dtype=object))).n_leads == 12


def test_complex_and_boolean_arrays_are_no_ecg():
    with pytest.raises(UnreadableFile, match="complex numbers"):
        read(npz(signal=GRID.signal * 1j, fs=500))
    with pytest.raises(UnreadableFile, match="no array looks like an ECG"):
        read(npz(signal=GRID.signal > 0, fs=500))


@pytest.mark.parametrize(
    "shape", ["(12, 1000000000000)", "(2305843009213693952, 8)", "(99999999999999999999999,)", "(12, 601)"]
)
def test_claimed_shape_is_checked_before_allocation(shape):
    body = header(shape) + GRID.signal.tobytes()
    for data in (body, zipped({"signal.npy": body})):
        with pytest.raises(UnreadableFile, match="the array is cut short"):
            read(data, fs=500)


@pytest.mark.parametrize(
    "data",
    [
        header("(12, -600)") + bytes(28_800),
        header("12") + bytes(28_800),
        header("(12, 600)", "<f3") + bytes(28_800),
        header("(" * 2000 + ")" * 2000),
        header("(12, 600)", version=b"\x09\x00") + bytes(28_800),
        header("__import__('os')"),
        b"\x93NUMPY",
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        header("(12, 600").replace(b"}", b"'''"),
    ],
    ids="negative scalar dtype nested version code nothing length quotes".split(),
)
def test_damaged_header_says_so(data):
    with pytest.raises(UnreadableFile, match=r"a\.npz: array: (the header|not a shape)"):
        read(data, fs=500)


def test_text_of_characters_that_do_not_exist_is_refused():
    bad = npy(np.array(["mV"])).replace("mV".encode("utf-32-le"), b"\xff" * 8)
    with pytest.raises(UnreadableFile, match="units: not a text"):
        read(zipped({"signal.npy": npy(GRID.signal), "fs.npy": npy(500.0), "units.npy": bad}))


def test_bomb_is_refused_before_it_unpacks():
    bomb = npz(signal=np.zeros((12, 500_000), np.float32))
    with pytest.raises(LimitExceeded, match="unpacks to far more than its size"):
        read(bomb, fs=500)
    with pytest.raises(LimitExceeded, match="too many arrays"):
        read(npz(**{f"a{k}": np.zeros(1) for k in range(30)}), limits=Limits(max_entries=20))
    with pytest.raises(LimitExceeded, match="too large"):
        read(npz(signal=GRID.signal, fs=500), limits=Limits(max_values=100))


def test_member_that_lies_about_its_size_is_an_error():
    data = bytearray(npz(signal=GRID.signal, fs=500))
    central = data.index(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 1000)
    with pytest.raises(UnreadableFile, match=r"signal\.npy: damaged"):
        read(bytes(data))


def test_other_compressions_and_archives():
    with pytest.raises(UnreadableFile, match="compressed as NumPy never does"):
        read(zipped({"signal.npy": npy(GRID.signal)}, zipfile.ZIP_LZMA), fs=500)
    for members in ({"a.csv": b"1,2"}, {"a.npy": b"", "b.txt": b""}, {"folder/a.npy": npy(GRID.signal)}, {}):
        assert reader.sniff(zipped(members)) == Sniff.NO
    for data in (b"", b"PK\x03\x04", pickle.dumps([1, 2]), b"\x93NUMP"):
        assert reader.sniff(data) == Sniff.NO


def test_convert_form_is_what_the_documentation_says():
    recording = with_gap(make_recording(fs=257.0))
    with np.load(io.BytesIO(reader.write(recording, "a")["a.npz"]), allow_pickle=False) as arrays:
        assert arrays["signal"].dtype == np.float32
        assert np.array_equal(arrays["signal"], recording.signal, equal_nan=True)
        assert float(arrays["fs"]) == 257
        assert tuple(arrays["leads"]) == recording.leads
        assert str(arrays["units"]) == "mV"


@settings(max_examples=20, deadline=None)
@given(
    leads=st.lists(st.sampled_from(STANDARD_12), min_size=1, max_size=12, unique=True),
    n_samples=st.integers(1, 20),
    age=st.none() | st.floats(0, 130),
    identity=st.none() | st.text("abcäöü 0123-_", min_size=1, max_size=20).map(str.strip).filter(bool),
)
def test_written_recording_of_any_size_comes_back_exactly(leads, n_samples, age, identity):
    signal = np.random.default_rng(n_samples).standard_normal((len(leads), n_samples)).astype(np.float32)
    recording = Recording(signal, 500.0, tuple(leads), Subject(" ".join(identity.split()) if identity else None, age))
    back = read(reader.write(recording, "a")["a.npz"])
    assert np.array_equal(back.signal, signal)
    assert (back.leads, back.subject) == (recording.leads, recording.subject)
