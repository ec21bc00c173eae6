"""What every reader promises. A reader joins by existing: nothing here names a format."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecg_core.errors import EcgError, InvalidValue, NeedsOption, SeveralRecordings
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.readers import READERS
from ecg_core.reading import ReadOptions, read, read_many
from ecg_core.recording import Recording
from tests.helpers import assert_same_signal, make_recording, with_gap

every_format = pytest.mark.parametrize("name", sorted(READERS))


def written(name: str, recording: Recording, stem: str = "case") -> dict[str, bytes]:
    writer = READERS[name].write
    assert writer is not None, f"{name} has no writer, so nothing proves that it reads what it should"
    return writer(recording, stem)


@every_format
@pytest.mark.parametrize("leads", [STANDARD_12, INDEPENDENT_8, ("II",)], ids=["12", "8", "1"])
def test_recording_comes_back_the_same(name, leads):
    recording = make_recording(leads)
    back = read(written(name, recording))
    assert back.source.format == name
    assert set(back.leads) - set(leads) == set(back.derived)
    assert_same_signal(back.select(leads), recording)
    assert (back.subject.id, back.subject.sex) == (recording.subject.id, recording.subject.sex)
    assert back.subject.age == pytest.approx(recording.subject.age, abs=0.1)
    assert abs(back.start.replace(tzinfo=None) - recording.start) < timedelta(seconds=1)


@every_format
def test_resolution_is_better_than_a_microvolt_for_an_ordinary_ecg(name):
    recording = make_recording()
    assert_same_signal(read(written(name, recording)), recording, tolerance_mv=0.001)


@every_format
@pytest.mark.parametrize(("fs", "n_samples"), [(100.0, 1000), (257.0, 2571), (360.0, 3600), (1000.0, 1003)])
def test_rate_and_length_come_back(name, fs, n_samples):
    recording = make_recording(("I", "II", "V1"), fs=fs, n_samples=n_samples)
    assert_same_signal(read(written(name, recording)), recording)


@every_format
def test_what_was_not_recorded_comes_back_missing(name):
    recording = with_gap(make_recording())
    assert_same_signal(read(written(name, recording)), recording)


@every_format
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(STANDARD_12), seed=st.integers(0, 99))
def test_lead_order_can_not_silently_go_wrong(name, order, seed):
    recording = make_recording(tuple(order), n_samples=600, seed=seed)
    assert_same_signal(read(written(name, recording)), recording)


@every_format
@pytest.mark.parametrize("scale", [0.005, 0.1, 4.0])
def test_units_can_not_silently_go_wrong(name, scale):
    recording = make_recording(("I", "II", "V2"), scale=scale)
    back = read(written(name, recording))
    assert_same_signal(back, recording)
    assert any(note.startswith("units:") for note in back.warnings)


@pytest.mark.parametrize("name", [name for name in sorted(READERS) if len(written(name, make_recording(("II",)))) == 1])
def test_content_decides_not_the_name(name):
    (data,) = written(name, make_recording(("II", "V5"))).values()
    for label in ("upload", "x.bin", "x.edf" if name != "edf" else "x.csv"):
        back = read({label: data})
        assert back.source.format == name
        assert back.source.name == label
        assert back.source.sha256 == hashlib.sha256(data).hexdigest()


@every_format
def test_archive_of_one_recording_reads_as_the_recording(name):
    files = written(name, make_recording(("I", "II"), n_samples=1000))
    plain = read(files)
    for archive in ({"a.zip": zipped(files)}, {"a.tar.gz": tarred(files)}, {"b.zip": zipped({"a.zip": zipped(files)})}):
        back = read(archive)
        assert back.source == plain.source
        assert np.array_equal(back.signal, plain.signal, equal_nan=True)


@every_format
def test_archive_of_many_recordings_gives_each(name):
    files: dict[str, bytes] = {}
    for index in range(3):
        recording = make_recording(("I", "II"), n_samples=1000, seed=index)
        files |= {f"folder{index}/{label}": data for label, data in written(name, recording, f"r{index}").items()}
    files |= {"README.md": b"# about", "folder1/notes.docx": b"\xd0\xcf\x11\xe0 not an ECG"}
    with pytest.raises(SeveralRecordings, match="3: folder0/r0"):
        read({"many.zip": zipped(files)})
    results = list(read_many({"many.zip": zipped(files)}))
    assert [result.recording is not None for result in results] == [True, True, True, False]
    assert results[3].name == "folder1/notes.docx"
    for index, result in enumerate(results[:3]):
        assert_same_signal(result.recording, make_recording(("I", "II"), n_samples=1000, seed=index))


@every_format
def test_rate_contradicting_the_file_is_refused(name):
    files = written(name, make_recording(("I", "II"), n_samples=1000))
    with pytest.raises(InvalidValue, match="250 Hz"):
        read(files, ReadOptions(fs=250))
    assert read(files, ReadOptions(fs=500)).fs == 500


@every_format
def test_units_contradicting_the_file_are_refused(name):
    files = written(name, make_recording(("I", "II"), n_samples=1000))
    with pytest.raises(InvalidValue, match="units"):
        read(files, ReadOptions(units="V"))


@every_format
def test_caller_can_name_the_leads(name):
    recording = make_recording(("I", "II"), n_samples=1000)
    back = read(written(name, recording), ReadOptions(leads=("V5", "V6")))
    assert back.leads == ("V5", "V6")
    assert np.allclose(back.lead("V5"), recording.lead("I"), atol=1e-3)


@every_format
def test_file_cut_short_is_an_error_or_a_valid_recording(name):
    files = written(name, make_recording(("I", "II", "V1"), n_samples=800))
    for label, data in files.items():
        for part in (0.0, 0.01, 0.1, 0.5, 0.9, 0.999):
            cut = files | {label: data[: int(len(data) * part)]}
            try:
                recording = read(cut)
            except EcgError as error:
                if not error.file:
                    pytest.fail(f"an error that names no file: {error!r}")
            else:
                assert recording.n_samples > 0


@every_format
def test_sniffing_never_raises(name):
    sniff = READERS[name].sniff
    rng = np.random.default_rng(0)
    for data in (
        b"",
        b"\0",
        b"P",
        b"<",
        b"\x89HDF",
        b"{}",
        b"a,b\n1,2\n",
        bytes(1000),
        rng.bytes(3000),
        b"\xff\xfe" * 40,
    ):
        assert sniff(data) in (0, 1, 2)


def test_only_one_reader_is_sure_of_a_file():
    recording = make_recording(("I", "II"), n_samples=1000)
    for name in READERS:
        main = next(iter(written(name, recording).values()))
        levels = {other: reader.sniff(main) for other, reader in READERS.items()}
        best = max(levels.values())
        assert [other for other, level in levels.items() if level == best] == [name]


def test_forced_format_that_does_not_fit_says_so():
    with pytest.raises(EcgError, match=r"x\.csv"):
        read({"x.csv": b"time,I\n0,1\n"}, ReadOptions(format="edf"))
    with pytest.raises(EcgError, match="no such format, did you mean 'wfdb'"):
        read({"x.csv": b"time,I\n0,1\n"}, ReadOptions(format="wfbd"))


def test_needed_option_is_named():
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 100), np.float32))
    with pytest.raises(NeedsOption, match="fs"):
        read({"x.npy": buffer.getvalue()})


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for label, data in files.items():
            archive.writestr(label, data)
    return buffer.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for label, data in files.items():
            entry = tarfile.TarInfo(label)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
