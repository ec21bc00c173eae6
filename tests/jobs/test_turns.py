"""Whose turn it is to look for jobs: none is left lying because two threads looked at the same moment."""

from __future__ import annotations

from types import SimpleNamespace

from api.jobs.lease import Lease
from api.jobs.tasks import Work


def test_a_job_that_comes_during_another_threads_last_look_is_looked_for_again(monkeypatch):
    looks: list[str] = []

    def take_next(_database, kind, _lease_s) -> None:
        looks.append(kind)
        if looks == ["batch"]:
            # Another thread is told of a job that this look does not see any more, and finds the place taken.
            work("the new one")
            assert looks.count("batch") == 1

    monkeypatch.setattr(Lease, "take_next", take_next)
    work = Work(SimpleNamespace(database=None, settings=SimpleNamespace(job_threads=1, job_lease_s=5)))
    work("the last one")
    assert looks.count("batch") == 2


def test_a_thread_that_finds_nothing_waits_for_the_next_message(monkeypatch):
    looks: list[str] = []
    monkeypatch.setattr(Lease, "take_next", lambda _database, kind, _lease_s: looks.append(kind))
    Work(SimpleNamespace(database=None, settings=SimpleNamespace(job_threads=1, job_lease_s=5)))("a job")
    assert looks == ["batch", "evaluation"]
