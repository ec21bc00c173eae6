"""From a path or files to the recording that is meant."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest

from ecg_core.errors import LimitExceeded, SeveralRecordings, UnknownFormat, UnreadableFile
from ecg_core.readers import READERS, Limits
from ecg_core.reading import Folder, ReadOptions, load, read, read_many
from tests.helpers import assert_same_signal, make_recording


@pytest.fixture
def folder(tmp_path):
    recording = make_recording(("I", "II"), n_samples=1000)
    for name in ("wfdb", "csv", "edf"):
        for label, data in READERS[name].write(recording, "100").items():
            (tmp_path / label).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("name", ["100.hea", "100.dat", "100"])
def test_any_file_of_a_record_names_it(folder, name):
    assert set(load(folder / name)) == {"100.hea", "100.dat"}
    assert_same_signal(read(folder / name), make_recording(("I", "II"), n_samples=1000))


def test_a_folder_that_is_passed_along_is_listed_once_and_gives_the_same_files(folder, monkeypatch):
    for stem in ("10", "100a", "101"):
        for label, data in READERS["wfdb"].write(make_recording(("I",), n_samples=500), stem).items():
            (folder / label).write_bytes(data)
    (folder / "100.atr").write_bytes((np.array([18 << 2 | 0, 0], dtype="<u2") + (1 << 10)).tobytes())
    paths = sorted(folder.iterdir())
    alone = [load(path) for path in paths]
    listed, list_folder = Counter(), os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (listed.update([path]), list_folder(path))[1])
    beside = Folder(folder)
    assert [load(path, folder=beside) for path in paths] == alone
    assert listed == {folder: 1}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (("100.dat",), ["100.dat"]),
        (("100.*",), ["100.dat", "100.hea"]),
        (("100.*", "100.dat", "10.dat", "9.dat", "zz"), ["10.dat", "100.dat", "100.hea"]),
        (("../100.dat", "100"), []),
        ((), []),
    ],
)
def test_a_folder_gives_the_names_that_are_wanted(tmp_path, wanted, found):
    for name in ("10.dat", "100.dat", "100.hea", "100a.dat", "1000.dat"):
        (tmp_path / name).touch()
    assert Folder(tmp_path).matching(wanted) == found


def test_file_of_another_format_beside_a_record_is_not_drawn_in(folder):
    assert set(load(folder / "100.csv")) == {"100.csv"}
    assert read(folder / "100.csv").source.format == "csv"
    assert read(folder / "100.edf").source.format == "edf"


def test_header_can_not_reach_another_folder(folder, tmp_path):
    (tmp_path / "secret.dat").write_bytes(bytes(4000))
    inner = folder / "inner"
    inner.mkdir()
    (inner / "x.hea").write_text("x 1 500 1000\n../secret.dat 16 200 16 0 0 0 0 II\n")
    assert set(load(inner / "x.hea")) == {"x.hea"}
    with pytest.raises(UnreadableFile, match=r"x\.hea"):
        read(inner / "x.hea")


def test_folder_missing_file_and_empty_file_say_so(tmp_path):
    with pytest.raises(UnreadableFile, match="is a folder"):
        read(tmp_path)
    with pytest.raises(UnreadableFile, match="No such file"):
        read(tmp_path / "missing.edf")
    with pytest.raises(UnreadableFile, match="the file is empty"):
        read({"x.edf": b""})


def test_size_limit_holds_before_a_file_is_read(folder):
    with pytest.raises(LimitExceeded, match="too large"):
        load(folder / "100.csv", ReadOptions(limits=Limits(max_total_bytes=100)))


def test_signal_file_alone_asks_for_its_header():
    with pytest.raises(UnknownFormat, match=r"expected: 100\.hea beside it"):
        read({"100.dat": bytes(range(200))})


def test_signal_file_with_a_damaged_header_blames_the_header():
    with pytest.raises(UnreadableFile, match=r"100\.hea"):
        read({"100.dat": bytes(range(200)), "100.hea": b"\0\1\2 nothing"})


def test_several_recordings_are_named_and_point_to_the_way_out():
    files = {}
    for stem in ("a", "b"):
        files |= READERS["edf"].write(make_recording(("II",), n_samples=500), stem)
    with pytest.raises(SeveralRecordings, match=r"2: a\.edf, b\.edf"):
        read(files)
    assert [result.name for result in read_many(files)] == ["a.edf", "b.edf"]


def test_file_that_is_no_recording_is_reported_and_not_lost():
    files = READERS["edf"].write(make_recording(("II",), n_samples=500), "a") | {"b.bin": b"\1\2\3\4"}
    assert any("b.bin was not used" in note for note in read(files).warnings)


def test_unknown_content_lists_the_formats():
    with pytest.raises(UnknownFormat, match=r"WFDB.*DICOM|DICOM.*WFDB"):
        read({"x": b"\1\2\3\4 nothing known"})
