"""`ecg serve`, `ecg dashboard` and `ecg up`, as processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.request import ProxyHandler, build_opener

import pytest
from typer.testing import CliRunner

from cli.main import app

COMMAND = [sys.executable, "-c", "from cli.main import main; main()"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def get(url: str) -> bytes:
    with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
        return bytes(answer.read())


def is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a process group of its own, which is empty again afterwards."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def group_is_gone(leader: int) -> bool:
    for _ in range(50):
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_up_serves_both_prints_their_addresses_and_leaves_nothing_running(number):
    api, dashboard = free_port(), free_port()
    with started("up", "--api-port", str(api), "--dashboard-port", str(dashboard)) as process:
        lines = []
        while not any("Ctrl-C" in line for line in lines):
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines.append(line)
        text = "".join(lines)
        assert f"http://127.0.0.1:{dashboard}\n" in text
        assert f"http://127.0.0.1:{api}/docs\n" in text
        assert get(f"http://127.0.0.1:{api}/health/live") == b'{"status":"ok"}'
        assert b"<html" in get(f"http://127.0.0.1:{dashboard}/")
        process.send_signal(number)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert group_is_gone(process.pid)
    assert is_free(api)
    assert is_free(dashboard)


@posix
def test_up_says_which_of_the_two_does_not_start_and_stops_the_other(monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MAX_FILES", "none")
    api, dashboard = free_port(), free_port()
    with started("up", "--api-port", str(api), "--dashboard-port", str(dashboard)) as process:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "EINTHOVEN_MAX_FILES" in errors
        assert "the API has stopped" in errors
        assert group_is_gone(process.pid)
    assert is_free(dashboard)


@pytest.mark.parametrize("option", ["--api-port", "--dashboard-port"])
def test_a_port_that_is_taken_is_named_with_the_option_that_changes_it(option):
    ports = {"--api-port": str(free_port()), "--dashboard-port": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports[option] = str(server.getsockname()[1])
        result = CliRunner().invoke(app, ["up", *[word for pair in ports.items() for word in pair]])
    assert result.exit_code == 2
    assert option in result.stderr
    assert ports[option] in result.stderr


def test_a_setting_that_cannot_be_used_is_named():
    result = CliRunner(env={"EINTHOVEN_MAX_FILES": "none"}).invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "EINTHOVEN_MAX_FILES" in result.stderr
    assert "none" in result.stderr
