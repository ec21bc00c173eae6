"""A batch whose processes are killed at random moments: ``python -m tests.jobs.kill --items 500 --kills 20``.

Real processes: the API that works its jobs itself, or (``--redis``) the API, workers and Redis.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from sqlalchemy import func, select

from api.db import Database
from api.repositories import sign_ins, users
from api.runtime import open_database
from api.security.jwt import AccessTokens, Claims
from api.settings import Settings
from api.tables import Analysis, Job, JobFile, JobItem, JobItemFile, Recording, now
from ecg_core.synthesis import synthesize
from tests.databases import new_database
from tests.service import bearer, files_of

ROOT = Path(__file__).parents[2]
REDIS = shutil.which("redis-server")
_ECG = (sys.executable, "-c", "from cli.main import main; main()")
_SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
_LIMIT_S = 120.0
_HEARTS = 25
"""Signals that are drawn; each recording is one of them with a sample changed, so that no two are the same."""


@dataclass
class Outcome:
    """What became of the batch."""

    items: int
    kills: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    """Of the items, as the results say."""
    twice: list[int] = field(default_factory=list)
    """Positions that stand more than once in the results."""
    missing: list[int] = field(default_factory=list)
    tries: Counter[int] = field(default_factory=Counter)
    """How many items were begun so often."""
    recordings: int = 0
    analyses: int = 0
    left: int = 0
    """Files that the job still holds, and none should."""
    seconds: float = 0.0

    @property
    def repeated(self) -> int:
        """Times that an item was begun again."""
        return sum((tries - 1) * items for tries, items in self.tries.items() if tries)


class Processes:
    """The processes of the service, each of which can be killed and started again."""

    def __init__(self, settings: dict[str, str], *, redis: bool, workers: int) -> None:
        self._port, self._redis_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._env = os.environ | settings
        self._commands: dict[str, Sequence[str]] = {
            "api": (*_ECG, "serve", "--port", str(self._port), "--log-level", "error")
        }
        if redis:
            assert REDIS is not None
            self._env["EINTHOVEN_REDIS_URL"] = f"redis://127.0.0.1:{self._redis_port}/0"
            quiet = ("--save", "", "--appendonly", "no", "--loglevel", "warning")
            self._commands["redis"] = (REDIS, "--port", str(self._redis_port), "--bind", "127.0.0.1", *quiet)
            for number in range(workers):
                self._commands[f"worker {number}"] = (*_ECG, "worker", "--log-level", "error")
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for name in self._commands:
            self.start(name)

    @property
    def names(self) -> list[str]:
        """Their names."""
        return list(self._commands)

    def start(self, name: str) -> None:
        """Start one."""
        self.running[name] = subprocess.Popen(
            self._commands[name], cwd=ROOT, env=self._env, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )

    def kill(self, name: str) -> None:
        """End one at once, whatever it does."""
        process = self.running.pop(name)
        assert process.poll() is None, f"{name} ended by itself"
        process.send_signal(signal.SIGKILL)
        process.wait()

    def await_api(self) -> None:
        """Wait until the API answers."""

        def answers() -> bool:
            try:
                return httpx2.get(f"{self.url}/health/live", trust_env=False).status_code == 200
            except httpx2.HTTPError:
                return False

        _await(answers)

    def stop(self) -> None:
        """End all of them, and wait for it."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def kill_during_batch(
    items: int, kills: int, *, database: str = "sqlite", redis: bool = False, workers: int = 1, seed: int = 0
) -> Outcome:
    """Have a batch of so many recordings worked by processes that are killed so often, and say what became of it."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    began = time.monotonic()
    with ExitStack() as stack:
        env, rows, headers = stack.enter_context(_service(database))
        processes = Processes(env, redis=redis, workers=workers)
        stack.callback(processes.stop)
        processes.await_api()
        client = stack.enter_context(
            httpx2.Client(base_url=processes.url, headers=headers, timeout=60, trust_env=False)
        )
        answer = client.post("/batches", files=[("files", ("study.zip", _archive(items)))])
        assert answer.status_code == 202, answer.text
        job_id = answer.json()["id"]
        outcome = Outcome(items)
        # The first kill meets the unpacking, the others any moment of the batch until shortly before its end.
        for mark in [0, *sorted(chance.randrange(items - items // 10) for _ in range(kills - 1))]:
            _await(lambda mark=mark: _ended(rows, job_id)[0] >= mark)
            time.sleep(chance.uniform(0.0, 0.5))
            chosen = chance.choices(processes.names, weights=[2, 1, *[5] * workers][: len(processes.names)])
            if redis and chance.random() < 0.2:
                chosen = processes.names
            if _ended(rows, job_id)[1]:
                break
            for name in chosen:
                processes.kill(name)
            outcome.kills.update(chosen)
            time.sleep(chance.uniform(0.0, 0.5))
            for name in chosen:
                processes.start(name)
        _await(lambda: _ended(rows, job_id)[1], limit_s=max(_LIMIT_S, items))
        processes.await_api()
        outcome.seconds = time.monotonic() - began
        assert client.get(f"/jobs/{job_id}").json()["status"] == "done"
        _read_results(client, job_id, outcome)
        _read_rows(rows, job_id, outcome)
    return outcome


@contextmanager
def _service(kind: str) -> Iterator[tuple[dict[str, str], Database, dict[str, str]]]:
    """Give the environment of a new service, its database, and the headers of an account on it."""
    with TemporaryDirectory() as folder, new_database(kind) as address:
        given = {
            "state_dir": folder,
            "secret_key": _SECRET,
            "read_workers": "1",
            "job_lease_s": "1.5",
            "job_sweep_s": "0.5",
            **address,
        }
        settings = Settings(**given)  # type: ignore[arg-type] # as from the environment
        with open_database(settings) as database:
            with database.write() as session:
                user = users.add_user(session, "ada", "no password")
                sign_in = sign_ins.add_sign_in(session, user.id, "0" * 64, now() + timedelta(days=1))
            token = AccessTokens(settings.model_copy(update={"access_token_s": 86_400})).issue(
                Claims(user.id, sign_in.id)
            )
            yield {f"EINTHOVEN_{name.upper()}": value for name, value in given.items()}, database, bearer(token)


def _archive(items: int) -> bytes:
    """Return a zip of so many cheap recordings, no two of them the same."""
    hearts = [
        next(iter(files_of(synthesize(duration_s=5.0, fs=250.0, leads=("II",), seed=seed).recording, "csv").values()))
        for seed in range(min(items, _HEARTS))
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(items):
            # A longer first line of samples is another content of the same meaning.
            content = hearts[number % len(hearts)].rstrip(b"\n") + b"\n" * (1 + number // len(hearts))
            archive.writestr(f"p{number:04d}/ecg.csv", content)
    return packed.getvalue()


def _ended(database: Database, job_id: str) -> tuple[int, bool]:
    """Return how many items are done with, and whether the job is."""
    with database.read() as session:
        job = session.get_one(Job, job_id)
        return job.done + job.failed, job.status not in ("queued", "running")


def _read_results(client: httpx2.Client, job_id: str, outcome: Outcome) -> None:
    lines = [
        httpx2.Response(200, content=line).json() for line in client.get(f"/jobs/{job_id}/results").text.splitlines()
    ]
    seen = Counter(line["position"] for line in lines)
    outcome.statuses = Counter(line["status"] for line in lines)
    outcome.twice = sorted(place for place, times in seen.items() if times > 1)
    outcome.missing = sorted(set(range(outcome.items)) - set(seen))
    assert all(line["analysis"]["recording_id"] == line["recording_id"] for line in lines if line["status"] == "done")


def _read_rows(database: Database, job_id: str, outcome: Outcome) -> None:
    with database.read() as session:
        outcome.tries = Counter(session.scalars(select(JobItem.tries).where(JobItem.job_id == job_id)))
        count = {table: session.scalar(select(func.count()).select_from(table)) for table in (Recording, Analysis)}
        left = [session.scalar(select(func.count()).select_from(table)) for table in (JobFile, JobItemFile)]
    outcome.recordings, outcome.analyses = count[Recording] or 0, count[Analysis] or 0
    outcome.left = sum(number or 0 for number in left)


def _await(condition: Callable[[], bool], limit_s: float = _LIMIT_S) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def main() -> None:
    """Run it and print what became of the batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--redis", action="store_true", help="the API, workers and Redis instead of the API alone")
    parser.add_argument("--workers", type=int, default=1, help="with --redis")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    outcome = kill_during_batch(
        chosen.items,
        chosen.kills,
        database=chosen.database,
        redis=chosen.redis,
        workers=chosen.workers,
        seed=chosen.seed,
    )
    sys.stdout.write(f"{outcome}\nbegun again: {outcome.repeated}\n")


if __name__ == "__main__":
    main()
