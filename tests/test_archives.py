from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from ecg_core.archives import expand, holds_many, is_archive
from ecg_core.errors import LimitExceeded, UnreadableFile
from ecg_core.readers import Limits

LIMITS = Limits(max_total_bytes=4_000_000, max_entries=50, max_depth=2, max_ratio=50)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_files_come_out_under_their_names():
    assert expand({"a.zip": zipped({"x/1.hea": b"1", "x/1.dat": b"2"})}, LIMITS) == {"x/1.hea": b"1", "x/1.dat": b"2"}


def test_gzip_of_one_file_loses_only_its_ending():
    assert expand({"a.csv.gz": gzip.compress(b"I\n1\n")}, LIMITS) == {"a.csv": b"I\n1\n"}


def test_clutter_of_operating_systems_is_left_out():
    inside = {"__MACOSX/._a.csv": b"x", "a.csv": b"1", "d/.DS_Store": b"x"}
    assert list(expand({"a.zip": zipped(inside)}, LIMITS)) == ["a.csv"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/../../b", "..\\..\\b"])
def test_entry_that_leaves_the_archive_is_refused(name):
    with pytest.raises(UnreadableFile, match="leaves the archive"):
        expand({"a.zip": zipped({name: b"x"})}, LIMITS)


def test_absolute_entry_is_only_a_label():
    assert expand({"a.zip": zipped({"/etc/x.csv": b"1"})}, LIMITS) == {"etc/x.csv": b"1"}


def test_zip_bomb_is_refused_by_its_ratio():
    bomb = zipped({"zeros": bytes(3_000_000)})
    assert len(bomb) < 10_000
    with pytest.raises(LimitExceeded, match="far more than its size"):
        expand({"bomb.zip": bomb}, LIMITS)


def test_bomb_spread_over_many_entries_is_refused():
    bomb = zipped({f"z{i}": bytes(900_000) for i in range(20)})
    with pytest.raises(LimitExceeded):
        expand({"bomb.zip": bomb}, LIMITS)


def test_nesting_is_bounded():
    data = zipped({"a.csv": b"1"})
    for level in range(3):
        data = zipped({f"{level}.zip": data})
    with pytest.raises(LimitExceeded, match="archives within archives"):
        expand({"deep.zip": data}, LIMITS)


def test_number_of_entries_is_bounded():
    with pytest.raises(LimitExceeded, match="too many files"):
        expand({"a.zip": zipped({f"{i}": b"x" for i in range(51)})}, LIMITS)


def test_total_size_is_bounded_without_archives_too():
    with pytest.raises(LimitExceeded, match="too large"):
        expand({"a": bytes(3_000_000), "b": bytes(2_000_000)}, LIMITS)


def test_links_and_devices_in_a_tar_are_not_followed():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("dev", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    with pytest.raises(UnreadableFile, match="holds no files"):
        expand({"a.tar.gz": buffer.getvalue()}, LIMITS)


def test_same_name_twice_is_refused():
    with pytest.raises(UnreadableFile, match="same name"):
        expand({"a.zip": zipped({"1.csv": b"1"}), "b.zip": zipped({"1.csv": b"2"})}, LIMITS)


@pytest.mark.parametrize("cut", [10, 40, 60])
def test_archive_cut_short_names_itself(cut):
    whole = zipped({"a.csv": b"time,I\n" * 50})
    with pytest.raises(UnreadableFile, match="broken"):
        expand({"broken.zip": whole[:-cut]}, LIMITS)


def test_encrypted_zip_says_so():
    data = bytearray(zipped({"a.csv": b"1"}))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFile, match="encrypted"):
        expand({"a.zip": bytes(data)}, LIMITS)


def test_npz_is_a_recording_and_no_archive():
    assert not is_archive(zipped({"signal.npy": b"x", "fs.npy": b"y"}))
    assert is_archive(zipped({"signal.npy": b"x", "notes.txt": b"y"}))


def test_a_zip_or_tar_may_hold_many_files_and_a_gzip_of_one_does_not():
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    many = (zipped({"a": b"1"}), tar.getvalue(), gzip.compress(tar.getvalue()), b"PK\3\4 damaged")
    one = (gzip.compress(b"samples"), b"\x1f\x8b damaged", b"samples", b"")
    assert [holds_many(data) for data in (*many, *one)] == [True] * len(many) + [False] * len(one)
