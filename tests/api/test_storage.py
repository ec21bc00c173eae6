"""The store of bytes: whole files or none, under keys of our own, and nothing beside them."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from uuid import uuid4

import pytest

from api.storage import FileStore


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "files")


def key_of(content: bytes) -> str:
    return f"{sha256(content).hexdigest()}-{uuid4()}"


def age(path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_what_was_put_is_there_until_it_is_deleted(store):
    key = key_of(b"abc")
    store.put(key, b"abc")
    assert store.get(key) == b"abc"
    assert list(store.keys(0)) == [key]
    store.delete(key)
    with pytest.raises(KeyError):
        store.get(key)
    store.delete(key)
    assert list(store.keys(0)) == []


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "a" * 64, "/etc/passwd", f"{'a' * 64}-../{'b' * 33}"])
def test_no_path_is_made_from_what_is_no_key(store, key):
    for act in (lambda: store.put(key, b""), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(ValueError, match="not a key"):
            act()


def test_a_file_is_never_seen_in_part(store, tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        store.put(key_of(b"abc"), b"abc")
    assert list(store.keys(0)) == []
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


def test_only_what_was_put_long_enough_ago_is_listed(store, tmp_path):
    old, new = key_of(b"old"), key_of(b"new")
    for key in (old, new):
        store.put(key, b"")
    age(tmp_path / "files" / old[:2] / old, 100)
    assert list(store.keys(50)) == [old]


def test_drafts_of_a_process_that_was_killed_are_deleted_and_nothing_else(store, tmp_path):
    key = key_of(b"abc")
    store.put(key, b"abc")
    folder = (tmp_path / "files" / key[:2]).resolve()
    for name, seconds in ((uuid4().hex, 100), (uuid4().hex, 0)):
        draft = folder / f".{name}"
        draft.write_bytes(b"half")
        age(draft, seconds)
    age(folder / key, 100)
    assert store.delete_drafts(50) == 1
    assert store.get(key) == b"abc"
    assert len(list(folder.iterdir())) == 2


def test_a_listing_survives_that_another_process_deletes_meanwhile(store):
    keys = [key_of(str(number).encode()) for number in range(4)]
    for key in keys:
        store.put(key, b"")
    listing = store.keys(0)
    found = [next(listing)]
    for key in keys:
        store.delete(key)
    assert set(found + list(listing)) <= set(keys)
