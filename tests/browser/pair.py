"""The API and the dashboard as their users start them, in processes of their own, for a browser to walk through."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener
from uuid import uuid4

from dashboard.client import Client, connect
from tests.service import PASSWORD

START_LIMIT_S = 120
STOP_LIMIT_S = 20
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()")
_QUICK = {
    "EINTHOVEN_PASSWORD_COST": "1",
    "EINTHOVEN_PASSWORD_MEMORY_KIB": "8",
    "EINTHOVEN_READ_WORKERS": "1",
    "EINTHOVEN_JOB_SWEEP_S": "1",
    "STREAMLIT_LOGGER_LEVEL": "warning",
}


class Process:
    """One of the two; it can be stopped and started again at its address."""

    def __init__(self, folder: Path, name: str, probe: str, arguments: tuple[str, ...], **env: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._probe = self.url + probe
        self._log = folder / f"{name}.log"
        self._command = [*_COMMAND, name, "--port", str(self.port), *arguments]
        self._env = os.environ | _QUICK | env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def stop(self) -> None:
        """Stop it, and wait until it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"it does not start: {self._log.read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with build_opener(ProxyHandler({})).open(self._probe, timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False


class Pair:
    """Both, with all that they keep in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own = {"EINTHOVEN_STATE_DIR": str(folder / "state"), "EINTHOVEN_DATA_DIR": str(folder / "data")}
        self.api = Process(folder, "serve", "/health/ready", ("--log-level", "warning"), **own)
        self.dashboard = Process(folder, "dashboard", "/_stcore/health", ("--api", self.api.url))
        self._env = os.environ | _QUICK | own

    def add_administrator(self) -> str:
        """Make an administrator as whoever runs the service does; return the name."""
        name = new_name("root")
        subprocess.run(
            [*_COMMAND, "admin", "create", name],
            env=self._env,
            input=f"{PASSWORD}\n".encode(),
            capture_output=True,
            check=True,
        )
        return name

    def client(self, name: str, password: str = PASSWORD) -> Client:
        """Return the typed client, signed in: what somebody does elsewhere than in the browser."""
        client = connect(self.api.url, patience_s=30)
        client.accounts.sign_in(name, password)
        return client

    def let_sign_ins_expire(self, name: str) -> None:
        """Have an account's sign-ins run out now, as they do by themselves after days."""
        with closing(sqlite3.connect(self.folder / "state" / "einthoven.db", timeout=30)) as database, database:
            ended = database.execute(
                "UPDATE sign_ins SET expires_at = created_at WHERE user_id = (SELECT id FROM users WHERE name = ?)",
                (name,),
            )
        assert ended.rowcount


@contextmanager
def running_pair(folder: Path) -> Iterator[Pair]:
    """Run both until the end of the block."""
    pair = Pair(folder)
    try:
        pair.api.start()
        pair.dashboard.start()
        pair.api.wait()
        pair.dashboard.wait()
        yield pair
    finally:
        pair.dashboard.stop()
        pair.api.stop()


def new_name(stem: str = "ada") -> str:
    """Return a name that nobody has."""
    return f"{stem}.{uuid4().hex[:8]}@example.org"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
