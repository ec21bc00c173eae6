"""What reading in a process of its own promises: the same recordings, and a parent that nothing in a file can harm."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import ecg_core.isolation as isolation
from ecg_core.errors import (
    EcgError,
    InvalidValue,
    LimitExceeded,
    ReaderFailed,
    ReaderUnavailable,
    SeveralRecordings,
    UnknownFormat,
)
from ecg_core.isolation import IsolationSettings, ReadPool, read_isolated, read_many_isolated, shared_pool
from ecg_core.isolation import pool as pool_module
from ecg_core.isolation import process as process_module
from ecg_core.isolation.wire import Line, ProtocolError, decode_files
from ecg_core.readers import READERS, Limits
from ecg_core.reading import ReadOptions, read, read_many
from ecg_core.validate import check
from tests.helpers import make_recording
from tests.isolation_readers import MAGIC, complete_recording

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="reading processes need a POSIX system")

PRELOAD = ("tests.isolation_preload",)
WITH_WRITER = sorted(name for name, reader in READERS.items() if reader.write is not None)


def obey(order: str | bytes) -> dict[str, bytes]:
    return {"case.obey": MAGIC + (order if isinstance(order, bytes) else order.encode())}


def assert_same(found, expected):
    assert found.signal.dtype == np.float32
    assert not found.signal.flags.writeable
    assert np.array_equal(found.signal, expected.signal, equal_nan=True)
    assert found.summary() == expected.summary()
    assert found.start == expected.start
    for name, marks in expected.annotations.items():
        assert np.array_equal(found.annotations[name].time_s, marks.time_s)
        assert found.annotations[name].symbol == marks.symbol
        assert found.annotations[name].note == marks.note


def pids(pool: ReadPool) -> set[int]:
    return {worker.process.pid for worker in pool._workers}


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def eventually(condition, limit_s: float = 30.0) -> bool:
    """Return whether ``condition`` comes true; the limit is far above what it takes."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(scope="module")
def pool():
    with ReadPool(IsolationSettings(workers=2, time_limit_s=20, preload=PRELOAD)) as shared:
        yield shared


@pytest.fixture(scope="module")
def impatient():
    with ReadPool(IsolationSettings(workers=1, time_limit_s=0.4, preload=PRELOAD)) as shared:
        yield shared


def test_every_field_of_a_recording_comes_through(pool):
    expected = complete_recording("case.obey")
    assert_same(pool.read(obey("complete")), expected.with_warnings(*check(expected)))


@pytest.mark.parametrize("name", WITH_WRITER)
def test_reading_isolated_gives_what_reading_in_process_gives(pool, name):
    files = READERS[name].write(make_recording(), "case")
    assert_same(pool.read(files), read(files))


def test_options_reach_the_reader(pool):
    files = READERS["csv"].write(make_recording(("I", "II"), n_samples=500), "case")
    options = ReadOptions(leads=("V5", "V6"), fs=500.0)
    assert_same(pool.read(files, options), read(files, options))
    with pytest.raises(InvalidValue, match="250 Hz"):
        pool.read(files, ReadOptions(fs=250.0))


def test_path_is_read_with_the_files_beside_it(pool, tmp_path):
    for label, data in READERS["wfdb"].write(make_recording(("I", "II"), n_samples=500), "case").items():
        (tmp_path / label).write_bytes(data)
    assert_same(pool.read(tmp_path / "case.hea"), read(tmp_path / "case.hea"))


def test_many_recordings_come_one_by_one_and_an_error_among_them_is_a_result(pool):
    files = {}
    for index in range(3):
        written = READERS["csv"].write(make_recording(("I", "II"), n_samples=300, seed=index), f"r{index}")
        files.update(written)
    files["r1b.bin"] = b"\x01\x02 not an ECG"
    found, expected = list(pool.read_many(files)), list(read_many(files))
    assert [result.name for result in found] == [result.name for result in expected]
    for one, other in zip(found, expected, strict=True):
        if other.recording is None:
            assert (one.error.code, one.error.file) == (other.error.code, other.error.file)
        else:
            assert_same(one.recording, other.recording)
    with pytest.raises(SeveralRecordings):
        pool.read(files)


def test_many_recordings_need_not_be_read_to_the_end(pool):
    files = obey("complete") | {"b.obey": MAGIC + b"complete"}
    results = pool.read_many(files)
    assert next(results).name == "b.obey"
    results.close()
    assert pool.read(obey("complete")).n_leads == 3


def test_the_files_of_many_recordings_are_unpacked_unread(pool):
    wfdb = READERS["wfdb"].write(make_recording(("I", "II"), n_samples=500), "case")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in wfdb.items():
            archive.writestr(f"deep/{name}", data)
        archive.writestr("notes.docx", b"\x01\x02 not an ECG")
    loose = READERS["npz"].write(make_recording(("I", "II"), n_samples=500), "loose")
    sent = {"study.zip": packed.getvalue(), **loose}
    found = list(pool.unpack(sent))
    assert [(one.name, one.error and one.error.code) for one in found] == [
        ("deep/case.hea", None),
        ("loose.npz", None),
        ("notes.docx", "unknown_format"),
    ]
    assert list(found[0].files.items()) == [(f"deep/{name}", data) for name, data in wfdb.items()]
    assert found[1].files == loose
    # What was sent as it is does not come back through the connection.
    assert found[1].files["loose.npz"] is sent["loose.npz"]
    assert_same(pool.read(found[0].files), pool.read({f"deep/{name}": data for name, data in wfdb.items()}))


def test_an_archive_that_cannot_be_unpacked_is_a_result_and_stops_no_other(pool):
    csv = READERS["csv"].write(make_recording(("I", "II"), n_samples=300), "fine")
    sent = {"cut.zip": b"PK\x03\x04 and no more", "cut.csv.gz": b"\x1f\x8b and no more", **csv}
    sent["fine.csv.gz"] = gzip.compress(csv["fine.csv"])
    found = {one.name: one for one in pool.unpack(sent)}
    assert found.keys() == {"fine.csv", "cut.zip", "cut.csv.gz", "fine.csv.gz"}
    assert found["fine.csv"].files == csv
    for name, problem in (("cut.zip", "damaged"), ("cut.csv.gz", "damaged"), ("fine.csv.gz", "same name")):
        assert (found[name].files, found[name].error.code) == ({}, "unreadable_file")
        assert problem in found[name].error.problem


def test_files_that_unpack_to_more_than_allowed_are_refused_one_by_one(pool):
    files = {f"{at}.csv.gz": gzip.compress(bytes([at]) * 1000) for at in range(3)}
    found = list(pool.unpack(files, ReadOptions(limits=Limits(max_total_bytes=2500))))
    assert [(one.name, one.error.code) for one in found] == [
        ("0.csv", "unknown_format"),
        ("1.csv", "unknown_format"),
        ("2.csv.gz", "limit_exceeded"),
    ]


def test_error_comes_back_as_its_own_class_with_all_its_parts(pool):
    with pytest.raises(UnknownFormat) as here:
        read({"a.bin": b"\x01\x02\x03"})
    with pytest.raises(UnknownFormat) as there:
        pool.read({"a.bin": b"\x01\x02\x03"})
    expected = here.value.to_dict()
    # The workers know one more format than this process.
    assert set(there.value.to_dict().pop("options")) > set(expected.pop("options"))
    assert {key: value for key, value in there.value.to_dict().items() if key != "options"} == expected


@pytest.mark.parametrize(
    ("order", "says"),
    [("abort", "SIGABRT"), ("segfault", "SIGSEGV"), ("exit", "exit status 3")],
)
def test_crash_costs_one_request_and_says_what_happened(pool, order, says):
    with pytest.raises(ReaderFailed, match=rf"case\.obey: {pool_module.CRASHED}.*{says}"):
        pool.read(obey(order))
    assert pool.read(obey("complete")).n_leads == 3


def test_crash_among_many_costs_one_result_and_the_series_goes_on(pool):
    orders = {"a": b"complete", "b": b"abort", "c": b"complete", "d": b"segfault", "e": b"complete"}
    files = {f"{name}.obey": MAGIC + order for name, order in orders.items()}
    results = list(pool.read_many(files))
    assert [result.name for result in results] == list(files)
    assert [result.recording is not None for result in results] == [True, False, True, False, True]
    for failed in (results[1], results[3]):
        assert isinstance(failed.error, ReaderFailed)
        assert failed.error.file == failed.name
    assert pool.read(obey("complete")).n_leads == 3


@pytest.mark.parametrize("order", ["loop", "sleep 1000"])
def test_read_that_does_not_end_is_ended(impatient, order):
    with pytest.raises(ReaderFailed, match=rf"case\.obey: {pool_module.TIMED_OUT}; expected: at most 0\.4 s"):
        impatient.read(obey(order))
    assert len(impatient._workers) <= 1


def test_worker_that_never_takes_its_files_is_ended():
    with ReadPool(IsolationSettings(workers=1, time_limit_s=0.4, preload=PRELOAD)) as pool:
        (before,) = {pool.read(obey("pid")).subject.facts["pid"]}
        os.kill(before, signal.SIGSTOP)
        with pytest.raises(ReaderFailed, match=pool_module.TIMED_OUT):
            pool.read({"large.bin": bytes(8 << 20)})
        assert not is_running(before)
        assert pool.read(obey("complete")).n_leads == 3


def test_the_time_that_a_caller_takes_between_results_is_not_counted(impatient):
    files = {
        f"{name}.csv": READERS["csv"].write(make_recording(("II",), n_samples=500), name)[f"{name}.csv"]
        for name in "ab"
    }
    found = []
    for result in impatient.read_many(files):
        found.append((result.name, result.error))
        time.sleep(0.5)
    assert found == [("a.csv", None), ("b.csv", None)]


@pytest.mark.parametrize("order", ["allocate", "grow"])
def test_memory_beyond_the_limit_is_refused_and_what_may_be_left_of_it_goes_with_the_process(order):
    with ReadPool(IsolationSettings(workers=1, time_limit_s=20, preload=PRELOAD)) as pool:
        before = pool.read(obey("pid")).subject.facts["pid"]
        with pytest.raises(LimitExceeded, match="memory"):
            pool.read(obey(order))
        assert pool.read(obey("complete")).n_leads == 3
        assert not is_running(before)


def test_exception_that_no_reader_should_raise_is_told_apart(pool):
    with pytest.raises(
        ReaderFailed, match=rf"{pool_module.UNEXPECTED}.*Unforeseen: what a surprise \(isolation_readers"
    ):
        pool.read(obey("unforeseen"))


def test_what_libraries_print_goes_nowhere(pool, capfd):
    assert pool.read(obey("print")).leads == ("II",)
    assert capfd.readouterr() == ("", "")


def test_worker_sees_no_secret_of_the_parents_environment(monkeypatch):
    monkeypatch.setenv("EINTHOVEN_SECRET", "hunter2")
    with ReadPool(IsolationSettings(workers=1, preload=PRELOAD)) as pool:
        facts = pool.read(obey("environment")).subject.facts
    assert "OMP_NUM_THREADS" in facts
    assert "hunter2" not in facts.values()


def frame(header: object, payload: bytes = b"", *, size: int | None = None, length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (
        struct.pack(">IQ", len(text) if length is None else length, len(payload) if size is None else size)
        + text
        + payload
    )


def claim(**changes: object) -> dict[str, object]:
    fields = {
        "leads": ["I"], "fs": 500.0, "n_samples": 2, "start": None, "source": None, "history": [], "warnings": [],
        "subject": {"id": None, "age": None, "sex": None, "facts": {}}, "derived": [], "annotations": [],
    }  # fmt: skip
    return {"name": "x", "recording": fields | changes}


FORGED = {
    "pickle": pickle.dumps({"name": "x"}) * 3,
    "header that is too long": frame(b"", length=2**32 - 1),
    "header that is no JSON": frame(b"\x80\x04" * 50),
    "header that is no object": frame([1, 2]),
    "deep header": frame(b"[" * 200_000),
    "nothing": frame({}),
    "more samples than allowed": frame(claim(n_samples=10**12), size=4 * 10**12),
    "negative samples": frame(claim(n_samples=-2), bytes(8)),
    "more bytes than the shape": frame(claim(), bytes(800)),
    "fewer bytes than the shape": frame(claim(), bytes(4)),
    "annotations without their bytes": frame(claim(annotations=[["atr", ["N"] * 9, [""] * 9]]), bytes(8)),
    "annotations that do not match": frame(claim(annotations=[["atr", ["N"], ["", ""]]]), bytes(16)),
    "leads that are no text": frame(claim(leads=[7]), bytes(8)),
    "lead name that is too long": frame(claim(leads=[" " * 100_000]), bytes(8)),
    "impossible rate": frame(claim(fs=-1), bytes(8)),
    "no number": frame(claim(fs="NaN"), bytes(8)),
    "infinite samples": frame(claim(), struct.pack("<2f", 1.0, float("inf"))),
    "field that is missing": frame({"name": "x", "recording": {"leads": ["I"]}}, bytes(8)),
    "unknown error": frame({"name": "x", "error": {"code": "os_error", "problem": "x", "options": []}}),
    "error that is none": frame({"name": "x", "error": [1]}),
    "error with a payload": frame({"name": "x", "error": {}}, bytes(10)),
    "result without a name": frame(claim() | {"name": 5}, bytes(8)),
}


@pytest.mark.parametrize("situation", FORGED)
def test_forged_answer_is_refused(pool, situation):
    with pytest.raises(ReaderFailed, match=pool_module.BROKEN_ANSWER):
        pool.read(obey(b"forge " + FORGED[situation]))


def test_genuine_looking_forgery_is_at_most_a_valid_recording():
    """The forged answers above fail for what is wrong with them, not for how they are sent."""
    answer = frame(claim(), struct.pack("=2f", 1.0, 2.0)) + frame({"end": 1})
    with ReadPool(IsolationSettings(workers=1, preload=PRELOAD)) as pool:
        assert pool.read(obey(b"forge " + answer)).signal.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("sizes", [[["a", -1]], [["a", 3]], [["none", None]], [["a"]], [[5, 2]], "a", None, 7])
def test_forged_files_are_refused(sizes):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"ab")
        with pytest.raises(ProtocolError):
            decode_files(sizes, 2, {"a": b"sent"}, Limits(), Line(ours))


def test_endless_results_are_ended(pool):
    answer = frame(claim(), bytes(8)) * 5
    results = pool.read_many(obey(b"forge " + answer), ReadOptions(limits=Limits(max_entries=2)))
    last = list(results)[-1]
    assert last.error.problem == pool_module.BROKEN_ANSWER


@pytest.mark.parametrize("order", ["long-name", "large 9", "wordy"])
def test_recording_beyond_the_limits_is_an_error_and_the_worker_lives(pool, order):
    before = pids(pool)
    with pytest.raises(LimitExceeded):
        pool.read(obey(order), ReadOptions(limits=Limits(max_channels=8)))
    assert pids(pool) == before


def test_files_larger_than_allowed_are_refused_before_they_are_sent(pool):
    with pytest.raises(LimitExceeded, match="too large"):
        pool.read({"a.bin": bytes(2000)}, ReadOptions(limits=Limits(max_total_bytes=1000)))


def test_eight_threads_share_two_workers(pool):
    start = threading.Barrier(8)

    def work(index: int) -> list[int]:
        start.wait()
        seen = []
        for _ in range(5):
            recording = pool.read(obey("complete" if index % 2 else "pid"))
            seen.append(recording.subject.facts.get("pid", 0))
            assert recording.n_leads == (3 if index % 2 else 1)
        return seen

    with ThreadPoolExecutor(8) as threads:
        found = {pid for seen in threads.map(work, range(8)) for pid in seen}
    assert len(found - {0}) <= 2
    assert len(pool._workers) == 2


def test_caller_waits_for_a_free_worker_only_so_long():
    with ReadPool(IsolationSettings(workers=1, wait_limit_s=0.05, preload=PRELOAD)) as pool:
        held = pool.read_many(obey("complete"))
        next(held)
        with pytest.raises(ReaderUnavailable, match=pool_module.BUSY):
            pool.read(obey("complete"))
        held.close()
        assert pool.read(obey("complete")).n_leads == 3


def test_worker_is_replaced_after_its_share_of_requests():
    with ReadPool(IsolationSettings(workers=1, recycle_after=3, preload=PRELOAD)) as pool:
        seen = [pool.read(obey("pid")).subject.facts["pid"] for _ in range(7)]
        assert len(set(seen)) == 3
        assert seen[0] == seen[2] != seen[3] == seen[5] != seen[6]
        assert not is_running(seen[0])


def test_parent_survives_a_worker_killed_while_it_reads():
    with ReadPool(IsolationSettings(workers=1, preload=PRELOAD)) as pool:
        (pid,) = pids(pool)
        pool.read(obey("complete"))
        threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(ReaderFailed, match="SIGKILL"):
            pool.read(obey("sleep 1000"))
        assert pool.read(obey("complete")).n_leads == 3


def test_worker_killed_while_idle_is_not_noticed():
    with ReadPool(IsolationSettings(workers=1, preload=PRELOAD)) as pool:
        pool.read(obey("complete"))
        (pid,) = pids(pool)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: not is_running(pid))
        assert pool.read(obey("complete")).n_leads == 3


def test_closing_ends_every_process_and_fails_the_read_in_progress():
    pool = ReadPool(IsolationSettings(workers=2, preload=PRELOAD))
    pool.start()
    pool.read(obey("complete"))
    ended = pids(pool)
    assert len(ended) == 2
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(pool.read, obey("sleep 1000"))
        assert eventually(lambda: len(pool._idle) == 1)
        pool.close()
        with pytest.raises(ReaderUnavailable, match=pool_module.CLOSED):
            reading.result(30)
    assert not any(Path(f"/proc/{pid}").exists() for pid in ended)
    pool.close()
    with pytest.raises(ReaderUnavailable, match=pool_module.CLOSED):
        pool.read(obey("complete"))


def test_worker_that_cannot_start_says_so(capfd):
    with (
        ReadPool(IsolationSettings(workers=1, preload=("tests.no_such_module",))) as pool,
        pytest.raises(ReaderUnavailable, match=f"{process_module.NOT_STARTED}.*exit status 1"),
    ):
        pool.read(obey("complete"))
    assert "no_such_module" in capfd.readouterr().err


def test_settings_that_make_no_sense_are_refused():
    for name in ("workers", "time_limit_s", "memory_limit_bytes", "recycle_after", "wait_limit_s", "start_limit_s"):
        with pytest.raises(InvalidValue, match=name):
            IsolationSettings(**{name: 0})


def run_script(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", text]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=Path(__file__).parents[1])


SCRIPT = """
import os, signal, sys, threading, time
from ecg_core.isolation import IsolationSettings, ReadPool
pool = ReadPool(IsolationSettings(workers=2, time_limit_s=0.5, preload=("tests.isolation_preload",)))
pool.start()
for _ in range(2):
    print(pool.read({"a.obey": b"OBEY pid"}).subject.facts["pid"])
print(*(worker.process.pid for worker in pool._workers), flush=True)
"""


def test_workers_end_when_the_parent_is_killed_even_in_a_read_without_end():
    end = """
threading.Thread(target=pool.read, args=({"a.obey": b"OBEY loop"},), daemon=True).start()
time.sleep(0.2)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = run_script(SCRIPT + end)
    assert done.returncode == -signal.SIGKILL
    workers = [int(pid) for pid in done.stdout.splitlines()[-1].split()]
    assert len(workers) == 2
    assert eventually(lambda: not any(map(is_running, workers)))


def test_shared_pool_ends_with_the_process_that_made_it():
    done = run_script(
        "from ecg_core.errors import EcgError\n"
        "from ecg_core.isolation import read_isolated, shared_pool\n"
        "try: read_isolated({'a': b'hello'})\n"
        "except EcgError as error: print(error.code)\n"
        "print(*(worker.process.pid for worker in shared_pool()._workers))"
    )
    assert (done.returncode, done.stderr) == (0, "")
    code, workers = done.stdout.splitlines()
    assert code == "unknown_format"
    assert len(workers.split()) == 1, "one read starts one worker"
    assert not is_running(int(workers))


def test_shared_pool_reads_one_and_many():
    settings = IsolationSettings(workers=1, preload=PRELOAD)
    try:
        assert read_isolated(obey("complete"), settings=settings).n_leads == 3
        assert [result.name for result in read_many_isolated(obey("complete"), settings=settings)] == ["case.obey"]
        assert shared_pool(settings) is shared_pool(IsolationSettings(workers=1, preload=PRELOAD))
    finally:
        shared_pool(settings).close()
        isolation._pools.clear()


def test_pool_is_of_no_use_in_a_fork(pool):
    owner, pool._owner = pool._owner, -1
    try:
        with pytest.raises(EcgError, match="fork"):
            pool.read(obey("complete"))
    finally:
        pool._owner = owner


def test_where_no_worker_can_be_had_the_pool_reads_in_the_calling_process(monkeypatch):
    monkeypatch.setattr(pool_module, "ISOLATED", False)
    monkeypatch.setattr(process_module.subprocess, "Popen", None)
    files = READERS["csv"].write(make_recording(("I", "II"), n_samples=300), "a")
    with ReadPool() as pool:
        assert_same(pool.read(files), read(files))
        assert [result.name for result in pool.read_many(files)] == ["a.csv"]
