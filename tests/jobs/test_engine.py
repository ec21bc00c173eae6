"""The engine: jobs are found whatever became of their messages, with the queue in the process and with Redis."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.jobs.broker import JobQueue
from api.jobs.engine import JobEngine
from api.repositories import users
from api.runtime import Runtime, open_runtime
from api.settings import Settings
from tests.jobs.kill import REDIS, free_port
from tests.jobs.workshop import Workshop, several
from tests.service import QUICK

LIMIT_S = 60.0
needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.jobs.batches.warm_up", lambda: None)


@pytest.fixture(scope="module")
def redis() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """What starts a Redis of the tests' own, empty, and on the same port each time."""
    port, started = free_port(), list[subprocess.Popen[bytes]]()

    def start() -> subprocess.Popen[bytes]:
        assert REDIS is not None
        quiet = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning")
        for process in started:
            process.kill()
            process.wait()
        process = subprocess.Popen([REDIS, "--port", str(port), *quiet], stdout=subprocess.DEVNULL)
        started.append(process)
        return process

    start.url = f"redis://127.0.0.1:{port}/0"  # type: ignore[attr-defined]
    yield start
    for process in started:
        process.kill()
        process.wait()


def settings(folder: Path, **given: object) -> Settings:
    return Settings(**{**QUICK, "state_dir": folder, "job_sweep_s": 0.1, "job_lease_s": 1.0, **given})


def workshop_in(runtime: Runtime) -> Workshop:
    with runtime.database.write() as session:
        return Workshop(runtime, *(users.add_user(session, name, "no password").id for name in "ab"))


def is_done(workshop: Workshop, job_id: str) -> bool:
    return workshop.job(job_id).status == "done"


def test_a_job_whose_message_died_with_its_process_is_found_by_the_next(tmp_path):
    with open_runtime(settings(tmp_path)) as runtime:
        workshop = workshop_in(runtime)
        job_id = workshop.send(several(2))
    # The queue was in that process, and is gone.
    with open_runtime(settings(tmp_path)) as runtime, JobEngine(runtime):
        workshop = Workshop(runtime, workshop.ada.user_id, workshop.bob.user_id)
        assert eventually(lambda: is_done(workshop, job_id))


def test_a_job_that_is_sent_is_worked_without_waiting_for_a_look(tmp_path):
    with open_runtime(settings(tmp_path, job_sweep_s=3600)) as runtime, JobEngine(runtime):
        workshop = workshop_in(runtime)
        # The first look, at the start, is over.
        time.sleep(0.2)
        job_id = workshop.send(several(1))
        assert eventually(lambda: is_done(workshop, job_id))


def test_looks_leave_no_heap_of_messages(tmp_path):
    with open_runtime(settings(tmp_path)) as runtime:
        workshop = workshop_in(runtime)
        for at in range(3):
            workshop.send(several(1, first=at))
        engine = JobEngine(runtime)
        for _ in range(5):
            engine._tell()
        assert runtime.queue.length() == 3


def test_stopping_lets_go_of_the_job(tmp_path):
    with open_runtime(settings(tmp_path)) as runtime:
        workshop = workshop_in(runtime)
        job_id = workshop.send(several(30))
        with JobEngine(runtime):
            assert eventually(lambda: workshop.job(job_id).done > 0)
        job = workshop.job(job_id)
        assert (job.status, job.worker, job.lease_until) == ("running", None, None)
        assert 0 < job.done < 30
        assert {item.tries for item in workshop.items(job_id)} == {0, 1}
        assert sum(item.tries for item in workshop.items(job_id)) == job.done


def test_the_sign_of_life_is_given_as_long_as_database_and_queue_answer(tmp_path, monkeypatch):
    sign = tmp_path / "alive"
    with open_runtime(settings(tmp_path)) as runtime, JobEngine(runtime, worker=True, sign_of_life=sign):
        assert eventually(sign.exists)
        monkeypatch.setattr(runtime.queue, "length", lambda: (_ for _ in ()).throw(OSError("gone")))
        time.sleep(0.3)
        sign.unlink()
        time.sleep(0.3)
        assert not sign.exists()


def test_a_queue_that_does_not_answer_neither_loses_a_job_nor_refuses_it(tmp_path, caplog):
    with open_runtime(settings(tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}/0")) as runtime:
        workshop = workshop_in(runtime)
        job_id = workshop.send(several(1))
        assert workshop.job(job_id).status == "queued"
        assert "does not answer" in caplog.text


def test_with_redis_the_api_works_no_jobs_itself(tmp_path):
    with open_runtime(settings(tmp_path, redis_url=f"redis://127.0.0.1:{free_port()}/0")) as runtime:
        workshop = workshop_in(runtime)
        with JobEngine(runtime):
            job_id = workshop.send(several(1))
            time.sleep(0.3)
        assert workshop.job(job_id).status == "queued"


@needs_redis
def test_a_worker_gets_jobs_through_redis_and_survives_its_loss(tmp_path, redis):
    server = redis()
    given = settings(tmp_path, redis_url=redis.url)
    with open_runtime(given) as api, JobEngine(api), open_runtime(given) as runtime:
        workshop = workshop_in(api)
        queue = JobQueue(given)
        assert eventually(lambda: _answers(queue))
        queue.close()
        with JobEngine(runtime, worker=True):
            first = workshop.send(several(2))
            assert eventually(lambda: is_done(workshop, first))
            server.kill()
            server.wait()
            second = workshop.send(several(2, first=5))
            redis()
            assert eventually(lambda: is_done(workshop, second))


@needs_redis
def test_looks_leave_no_heap_of_messages_in_redis_either(tmp_path, redis):
    redis()
    with open_runtime(settings(tmp_path, redis_url=redis.url)) as runtime:
        assert eventually(lambda: _answers(runtime.queue))
        workshop = workshop_in(runtime)
        for at in range(3):
            workshop.send(several(1, first=at))
        engine = JobEngine(runtime, worker=True)
        for _ in range(5):
            engine._tell()
        assert runtime.queue.length() == 3


def _answers(queue: JobQueue) -> bool:
    from redis import RedisError

    try:
        return queue.length() == 0
    except RedisError:
        return False
