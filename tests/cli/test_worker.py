"""`ecg worker`, as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.settings import read_settings
from cli.worker import _sign_of_life
from tests.jobs.kill import REDIS, ROOT, free_port

LIMIT_S = 60.0


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["worker", *arguments], env={"EINTHOVEN_STATE_DIR": str(folder)})


def test_a_worker_without_redis_says_what_is_missing(tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "EINTHOVEN_REDIS_URL=redis://" in result.stderr


def test_no_sign_of_life_is_no_worker(tmp_path):
    assert run(tmp_path, "--check").exit_code == 1


def test_an_old_sign_of_life_is_no_worker(tmp_path):
    sign = _sign_of_life(read_settings(state_dir=tmp_path))
    sign.touch()
    assert run(tmp_path, "--check").exit_code == 0
    os.utime(sign, (time.time() - 3600,) * 2)
    assert run(tmp_path, "--check").exit_code == 1


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
def test_a_worker_is_alive_until_it_is_told_to_stop(tmp_path):
    assert REDIS is not None
    port, metrics = free_port(), free_port()
    env = {
        "EINTHOVEN_STATE_DIR": str(tmp_path),
        "EINTHOVEN_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "EINTHOVEN_READ_WORKERS": "1",
    }
    quiet = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning")
    redis = subprocess.Popen([REDIS, "--port", str(port), *quiet], stdout=subprocess.DEVNULL)
    command = [sys.executable, "-c", "from cli.main import main; main()", "worker", "--metrics-port", str(metrics)]
    worker = subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stderr=subprocess.PIPE, text=True)
    try:
        assert eventually(lambda: run(tmp_path, "--check").exit_code == 0)
        assert "einthoven_job_items" in httpx2.get(f"http://127.0.0.1:{metrics}/metrics", trust_env=False).text
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=LIMIT_S)
        assert worker.returncode == 0
        assert "stopping, once the recording at hand is done" in said
        assert run(tmp_path, "--check").exit_code == 1
    finally:
        for process in (worker, redis):
            process.kill()
            process.wait()
