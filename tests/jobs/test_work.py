"""Working jobs: nothing is lost, nothing is done twice, and everybody has a turn, whatever happens in between."""

from __future__ import annotations

import gzip
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from api.jobs import batches, unpacking
from api.jobs.lease import Lease, LeaseLost
from api.jobs.tasks import Work
from api.metrics import REGISTRY
from api.repositories import jobs as job_rows
from api.services import jobs
from api.services.job_results import results
from api.tables import Analysis, Blob, Job, JobFile, JobItem, JobItemFile, Recording
from ecg_core.errors import InvalidValue, ReaderUnavailable
from ecg_core.synthesis import synthesize
from tests.jobs.workshop import Killed, Workshop, several, small, zipped
from tests.service import files_of


def count(workshop: Workshop, table: type[Any], *conditions: Any) -> int:
    with workshop.runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def lines(workshop: Workshop, job_id: str, form: Any = None) -> list[bytes]:
    return list(results(workshop.runtime, workshop.ada, job_id, form).parts)


@pytest.fixture
def before_end(monkeypatch):
    """Have something happen when an item is analysed and is about to be kept."""

    def install(happening):
        keep = batches.keep_recording

        def keep_after(*arguments, **more):
            happening()
            return keep(*arguments, **more)

        monkeypatch.setattr(batches, "keep_recording", keep_after)

    return install


# --- from files to items ---------------------------------------------------------------------------------------------


def test_a_batch_is_unpacked_into_its_recordings_and_each_is_kept_with_its_analysis(workshop):
    sent = {
        "p1/ecg.hea": small(1, "wfdb")["ecg.hea"],
        "p1/ecg.dat": small(1, "wfdb")["ecg.dat"],
        "one.zip": zipped({"deep/in/it.csv": small(2)["ecg.csv"], "nested.zip": zipped(small(3, "wfdb"))}),
        "other.zip": zipped({"deep/in/it.csv": small(4)["ecg.csv"], "notes.docx": b"\1\2\3 no ECG"}),
        "packed.csv.gz": gzip.compress(small(5)["ecg.csv"]),
        "cut.zip": zipped(small(6))[:60],
    }
    job_id = workshop.send(sent, age=50)
    assert (workshop.job(job_id).status, workshop.job(job_id).total) == ("queued", 0)
    workshop.work()
    job = workshop.job(job_id)
    assert (job.status, job.total, job.done, job.failed, job.message) == ("done", 7, 5, 2, None)
    assert {item.name: item.error and item.error["code"] for item in workshop.items(job_id)} == {
        "p1/ecg.hea": None,
        "packed.csv": None,
        "one.zip/deep/in/it.csv": None,
        "one.zip/ecg.hea": None,
        "other.zip/deep/in/it.csv": None,
        "other.zip/notes.docx": "unknown_format",
        "cut.zip": "unreadable_file",
    }
    with workshop.runtime.database.read() as session:
        rows = session.scalars(select(Recording).where(Recording.owner_id == workshop.ada.user_id)).all()
    assert Counter(tuple(file.name for file in row.files) for row in rows) == {
        ("ecg.hea", "ecg.dat"): 2,
        ("it.csv",): 2,
        ("packed.csv",): 1,
    }
    assert {row.subject["age"] for row in rows} == {50}
    assert count(workshop, Analysis, Analysis.owner_id == workshop.ada.user_id) == 5


def test_files_are_let_go_but_for_those_of_recordings(workshop):
    job_id = workshop.send({"a.zip": zipped({**small(7), "b.csv": b"I,II\nno,numbers\n"})})
    with workshop.runtime.database.read() as session:
        archive = session.scalars(select(Blob).join(JobFile).where(JobFile.job_id == job_id)).one()
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["done", "failed"]
    assert count(workshop, JobFile, JobFile.job_id == job_id) == 0
    assert count(workshop, JobItemFile, JobItemFile.item_id.in_([item.id for item in workshop.items(job_id)])) == 0
    with pytest.raises(KeyError):
        workshop.runtime.store.get(archive.key)


def test_a_batch_may_not_unpack_to_more_than_there_is_room_for(workshop, monkeypatch):
    room = 1.5 * len(small(8)["ecg.csv"]) / workshop.runtime.settings.max_batch_bytes
    monkeypatch.setattr(unpacking, "_ROOM", room)
    job_id = workshop.send({f"{name}.zip": zipped(small(8 + at)) for at, name in enumerate("abc")})
    workshop.work()
    assert [(item.name, item.error and item.error["code"]) for item in workshop.items(job_id)] == [
        ("a.zip/ecg.csv", None),
        ("b.zip", "limit_exceeded"),
        ("c.zip", "limit_exceeded"),
    ]


def test_more_files_than_fit_into_memory_are_looked_at_in_lots_that_keep_recordings_whole(workshop, monkeypatch):
    monkeypatch.setattr(unpacking, "_AT_ONCE_BYTES", 1)
    files = {f"{stem}/{name}": data for stem in "ab" for name, data in small(ord(stem), "wfdb").items()}
    job_id = workshop.send({**files, "c.csv": small(1)["ecg.csv"]})
    workshop.work()
    assert [(item.name, item.status) for item in workshop.items(job_id)] == [
        ("a/ecg.hea", "done"),
        ("b/ecg.hea", "done"),
        ("c.csv", "done"),
    ]


def test_the_same_recording_is_kept_and_analysed_once(workshop, monkeypatch):
    content = small(12)["ecg.csv"]
    workshop.send({"a.csv": content})
    workshop.work()
    monkeypatch.setattr(batches, "_analyse", lambda *_: pytest.fail("it was analysed again"))
    job_id = workshop.send({"again.csv": content, "and.zip": zipped({"again.csv": content})})
    workshop.work()
    assert workshop.job(job_id).done == 2
    assert count(workshop, Recording, Recording.owner_id == workshop.ada.user_id) == 1
    assert len({(item.recording_id, item.analysis_id) for item in workshop.items(job_id)}) == 1


def test_a_long_recording_is_not_analysed_where_requests_wait(workshop, monkeypatch):
    monkeypatch.setattr(type(workshop.runtime.inference), "analyze", lambda *_: pytest.fail("requests would wait"))
    long = synthesize(duration_s=61.0, fs=100.0, leads=("II",), seed=1).recording
    job_id = workshop.send(files_of(long))
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["done"]


# --- what ends in between --------------------------------------------------------------------------------------------


def test_an_item_during_which_the_process_ended_is_done_again_and_no_other(workshop, before_end):
    endings = iter([False, True, False, False, False])

    def die_at_the_second():
        if next(endings):
            raise Killed

    before_end(die_at_the_second)
    job_id = workshop.send(several(3))
    workshop.work_until_killed()
    assert [item.status for item in workshop.items(job_id)] == ["done", "waiting", "waiting"]
    workshop.work()
    assert [(item.status, item.tries) for item in workshop.items(job_id)] == [("done", 1), ("done", 2), ("done", 1)]
    assert workshop.job(job_id).done == 3
    assert len(lines(workshop, job_id)) == 3


def test_an_item_that_ends_its_process_each_time_is_given_up_and_the_others_are_done(workshop, monkeypatch):
    poison = small(20)["ecg.csv"]
    read = batches._read

    def die_of_it(runtime, lease, files, options, stop):
        if poison in files.values():
            raise Killed
        return read(runtime, lease, files, options, stop)

    monkeypatch.setattr(batches, "_read", die_of_it)
    job_id = workshop.send({"a.csv": poison, **several(1, first=21)})
    for _ in range(3):
        workshop.work_until_killed()
    workshop.work()
    assert [(item.status, item.tries) for item in workshop.items(job_id)] == [("failed", 3), ("done", 1)]
    assert workshop.items(job_id)[0].error["code"] == "gave_up"
    assert (workshop.job(job_id).status, workshop.job(job_id).failed) == ("done", 1)


def test_a_batch_whose_unpacking_ends_its_process_each_time_is_given_up(workshop, monkeypatch):
    def die(*_):
        raise Killed

    monkeypatch.setattr(batches, "unpack", die)
    job_id = workshop.send(several(1, first=25))
    for _ in range(3):
        workshop.work_until_killed()
    workshop.work()
    job = workshop.job(job_id)
    assert (job.status, job.error["code"]) == ("failed", "gave_up")
    assert count(workshop, JobFile, JobFile.job_id == job_id) == 0


def test_unpacking_that_was_broken_off_begins_anew_and_leaves_no_item_twice(workshop, monkeypatch):
    drop = job_rows.drop_files
    monkeypatch.setattr(job_rows, "drop_files", lambda *_, **__: (_ for _ in ()).throw(Killed()))
    job_id = workshop.send({"a.zip": zipped(several(2, first=27))})
    workshop.work_until_killed()
    assert workshop.items(job_id) == []
    monkeypatch.setattr(job_rows, "drop_files", drop)
    workshop.work()
    assert [(item.position, item.status) for item in workshop.items(job_id)] == [(0, "done"), (1, "done")]


def test_who_lost_the_lease_writes_nothing(workshop, before_end):
    taken = []

    def another_takes_it():
        if not taken:
            workshop.forget_leases()
            taken.append(Lease.take_next(workshop.runtime.database, "batch", 60))

    before_end(another_takes_it)
    job_id = workshop.send(several(1, first=30))
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["waiting"]
    assert count(workshop, Recording, Recording.owner_id == workshop.ada.user_id) == 0
    assert workshop.job(job_id).worker == taken[0].worker
    taken[0]._thread.start()
    taken[0].release()
    workshop.work()
    assert (workshop.job(job_id).done, workshop.job(job_id).status) == (1, "done")


def test_a_job_is_held_by_one_worker_at_a_time_and_as_long_as_it_renews(workshop):
    workshop.send(several(1, first=31))
    database = workshop.runtime.database
    lease = Lease.take_next(database, "batch", 0.3)
    assert lease is not None
    with lease:
        # Far longer than the lease: the thread beside it renews it.
        assert not any(lease._over.wait(0.1) or Lease.take_next(database, "batch", 1) for _ in range(6))
        with database.write() as session:
            lease.hold(session)
    workshop.forget_leases()
    successor = Lease.take_next(database, "batch", 60)
    assert successor is not None
    with database.write() as session, pytest.raises(LeaseLost):
        lease.hold(session)


def test_a_process_that_is_stopped_finishes_the_item_and_leaves_the_rest(workshop, before_end):
    work = Work(workshop.runtime)
    before_end(work.stop.set)
    job_id = workshop.send(several(2, first=33))
    work(job_id)
    assert [(item.status, item.tries) for item in workshop.items(job_id)] == [("done", 1), ("waiting", 0)]
    assert workshop.job(job_id).worker is None
    workshop.work()
    assert [item.tries for item in workshop.items(job_id)] == [1, 1]


def test_a_database_that_does_not_answer_is_not_held_against_the_recording(workshop, before_end):
    failures = [OperationalError("UPDATE", {}, Exception("gone"))]

    def fail_once():
        if failures:
            raise failures.pop()

    before_end(fail_once)
    job_id = workshop.send(several(1, first=35))
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["waiting"]
    workshop.forget_leases()
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["done"]


def test_busy_reading_processes_are_waited_for(workshop, monkeypatch):
    monkeypatch.setattr("api.jobs.steps._PATIENCE_S", 0.01)
    read, busy = type(workshop.runtime.pool).read, [ReaderUnavailable("all busy"), ReaderUnavailable("all busy")]

    def read_when_free(pool, *arguments):
        if busy:
            raise busy.pop()
        return read(pool, *arguments)

    monkeypatch.setattr(type(workshop.runtime.pool), "read", read_when_free)
    job_id = workshop.send(several(1, first=36))
    workshop.work()
    assert [item.status for item in workshop.items(job_id)] == ["done"]


def test_what_nobody_foresaw_costs_one_recording(workshop, monkeypatch, caplog):
    analyse, calls = batches._analyse, []

    def fail_at_the_first(*arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise ZeroDivisionError
        return analyse(*arguments)

    monkeypatch.setattr(batches, "_analyse", fail_at_the_first)

    def counted(outcome):
        return REGISTRY.get_sample_value("einthoven_job_items_total", {"outcome": outcome}) or 0

    before = counted("done"), counted("failed")
    job_id = workshop.send(several(2, first=38))
    workshop.work()
    assert (counted("done"), counted("failed")) == (before[0] + 1, before[1] + 1)
    assert [item.status for item in workshop.items(job_id)] == ["failed", "done"]
    assert workshop.items(job_id)[0].error["code"] == "internal_error"
    assert "failed in a way it should not" in caplog.text


# --- turns, and being cancelled --------------------------------------------------------------------------------------


def test_accounts_take_turns_however_much_one_of_them_has_sent(workshop, monkeypatch):
    monkeypatch.setattr(batches, "SLICE_S", 0.0)
    first, second = workshop.send(several(3, first=40)), workshop.send(several(2, first=44))
    third = workshop.send(several(2, first=47), workshop.bob)
    workshop.work()
    ended = sorted((item.finished_at, job_id) for job_id in (first, second, third) for item in workshop.items(job_id))
    assert [job_id for _, job_id in ended] == [first, third, first, third, first, second, second]


def test_several_workers_share_the_jobs_and_do_nothing_twice(workshop, monkeypatch):
    monkeypatch.setattr(batches, "SLICE_S", 0.0)
    sent = [workshop.send(several(3, first=60 + at), who) for at in range(3) for who in (workshop.ada, workshop.bob)]
    with ThreadPoolExecutor(3) as threads:
        for worked in [threads.submit(workshop.work) for _ in range(3)]:
            worked.result()
    for job_id in sent:
        assert (workshop.job(job_id).status, workshop.job(job_id).done) == ("done", 3)
        assert [(item.status, item.tries) for item in workshop.items(job_id)] == [("done", 1)] * 3
    # Recordings of several jobs at the same moment are kept once.
    assert count(workshop, Recording, Recording.owner_id == workshop.ada.user_id) == 5


def test_cancelling_takes_effect_after_the_recording_at_hand(workshop, before_end):
    job_id = workshop.send(several(3, first=50))
    before_end(lambda: jobs.cancel_or_delete(workshop.runtime, workshop.ada, job_id))
    workshop.work()
    job = workshop.job(job_id)
    assert (job.status, job.done, job.failed) == ("cancelled", 1, 0)
    assert [item.status for item in workshop.items(job_id)] == ["done", "cancelled", "cancelled"]
    assert count(workshop, JobItemFile, JobItemFile.item_id.in_([item.id for item in workshop.items(job_id)])) == 0
    assert len(lines(workshop, job_id)) == 3


def test_a_job_that_nobody_works_is_cancelled_at_once(workshop):
    job_id = workshop.send(several(1, first=54))
    cancelled = jobs.cancel_or_delete(workshop.runtime, workshop.ada, job_id)
    assert (cancelled.status, cancelled.cancel_asked) == ("cancelled", True)
    workshop.work()
    assert (workshop.job(job_id).status, workshop.items(job_id)) == ("cancelled", [])


def test_a_job_that_is_deleted_while_it_is_worked_leaves_nothing(workshop, before_end):
    job_id = workshop.send(several(1, first=55))

    def delete():
        with workshop.runtime.database.write() as session:
            job_rows.delete_job(session, session.get_one(Job, job_id))

    before_end(delete)
    workshop.work()
    assert count(workshop, JobItem, JobItem.job_id == job_id) == 0
    assert count(workshop, Recording, Recording.owner_id == workshop.ada.user_id) == 0


# --- evaluations -----------------------------------------------------------------------------------------------------


@pytest.fixture
def evaluation(monkeypatch):
    """Have an evaluation do something else: ``work(parameters, files, progress)``."""

    def install(work):
        def run(parameters, files, progress, *, settings, pool):
            return work(parameters, files, progress)

        monkeypatch.setattr("api.services.evaluation.run_evaluation", run)
        monkeypatch.setattr("api.jobs.evaluations._TOLD_EVERY_S", 0.0)

    return install


def test_an_evaluation_tells_how_far_it_is_and_its_report_is_kept(workshop, evaluation):
    told = []

    def work(parameters, files, progress):
        progress(3, 10, "r3")
        job = workshop.job(job_id)
        told.append((job.status, job.done, job.total, job.message))
        return {
            "model": parameters["model"],
            "lost": [],
            "files": {name: len(content) for name, content in files.items()},
        }

    evaluation(work)
    job_id = jobs.create_job(workshop.runtime, workshop.ada, "evaluation", {"model": "beats"}, {"a.csv": b"abc"}).id
    workshop.work()
    assert told == [("running", 3, 10, "at r3")]
    assert workshop.job(job_id).status == "done"
    assert lines(workshop, job_id) == [b'{"model":"beats","lost":[],"files":{"a.csv":3}}']
    assert count(workshop, JobFile, JobFile.job_id == job_id) == 0


def test_an_evaluation_is_cancelled_at_its_next_recording(workshop, evaluation):
    def work(_parameters, _files, progress):
        jobs.cancel_or_delete(workshop.runtime, workshop.ada, job_id)
        progress(1, 2, "r1")
        pytest.fail("it went on")

    evaluation(work)
    job_id = jobs.create_job(workshop.runtime, workshop.ada, "evaluation", {}, {}).id
    workshop.work()
    assert workshop.job(job_id).status == "cancelled"


def test_an_evaluation_that_cannot_be_done_says_why(workshop, evaluation):
    def work(_parameters, _files, _progress):
        raise InvalidValue("no recording could be scored", field="files")

    evaluation(work)
    job_id = jobs.create_job(workshop.runtime, workshop.ada, "evaluation", {}, {}).id
    workshop.work()
    job = workshop.job(job_id)
    assert (job.status, job.error["code"], job.error["status"]) == ("failed", "invalid_value", 422)


def test_an_evaluation_that_ends_its_process_each_time_is_given_up(workshop, evaluation):
    def work(_parameters, _files, _progress):
        raise Killed

    evaluation(work)
    job_id = jobs.create_job(workshop.runtime, workshop.ada, "evaluation", {}, {}).id
    for _ in range(3):
        workshop.work_until_killed()
    workshop.work()
    assert workshop.job(job_id).error["code"] == "gave_up"


def test_being_stopped_is_no_try_of_an_evaluation(workshop, evaluation):
    worker = Work(workshop.runtime)

    def work(_parameters, _files, progress):
        worker.stop.set()
        progress(0, 1, "r0")

    evaluation(work)
    job_id = jobs.create_job(workshop.runtime, workshop.ada, "evaluation", {}, {}).id
    worker("")
    job = workshop.job(job_id)
    assert (job.status, job.tries, job.worker) == ("running", 0, None)
    jobs.cancel_or_delete(workshop.runtime, workshop.ada, job_id)
