"""`ecg serve` in a process of its own, as its users start it, and clients of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from dashboard.client import ApiUnreachable, Client, connect
from tests.service import PASSWORD

START_LIMIT_S = 120
STOP_LIMIT_S = 30
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "serve", "--log-level", "warning")
MOST_UNPACKED = 32 * 2**20
_QUICK = {
    "EINTHOVEN_PASSWORD_COST": "1",
    "EINTHOVEN_PASSWORD_MEMORY_KIB": "8",
    "EINTHOVEN_READ_WORKERS": "1",
    "EINTHOVEN_READ_TOTAL_BYTES": str(MOST_UNPACKED),
}
"""Settings with which hashes are easily made, and little is too much."""

Serve = Callable[[Path], AbstractContextManager[str]]


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """Serve the API with its state in a folder; give its address once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    own = {"EINTHOVEN_STATE_DIR": str(folder / "state"), "EINTHOVEN_DATA_DIR": str(folder / "data")}
    log = folder / "log.txt"
    with log.open("ab") as written:
        process = subprocess.Popen(
            [*_COMMAND, "--port", str(port)], env=os.environ | _QUICK | own, stdout=written, stderr=written
        )
    address = f"http://127.0.0.1:{port}"
    try:
        with connect(address, patience_s=START_LIMIT_S) as client:
            try:
                client.health_live()
            except ApiUnreachable:
                pytest.fail(f"the service does not start: {log.read_text()}")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Starts a service in a folder of its own, and stops it at the end of a block."""
    return _serving


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that all flows share, once its models are loaded."""
    with _serving(tmp_path_factory.mktemp("service")) as address:
        with connect(address, patience_s=START_LIMIT_S) as client:
            client.health_ready()
        yield address


@pytest.fixture
def http(address: str) -> Iterator[httpx.Client]:
    """What somebody has who knows nothing of us: an HTTP client."""
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture
def signed_in(http: httpx.Client) -> httpx.Client:
    """The same, of somebody who registered and signed in."""
    account = {"username": f"user-{uuid4().hex[:12]}", "password": PASSWORD}
    assert http.post("/register", json=account).status_code == 201
    answer = http.post("/login", json=account)
    assert answer.status_code == 200
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return http


@pytest.fixture
def ecg(address: str) -> Iterator[Client]:
    """The typed client, signed in."""
    name = f"user-{uuid4().hex[:12]}"
    with connect(address, patience_s=30) as client:
        client.accounts.register(name, PASSWORD)
        client.accounts.sign_in(name, PASSWORD)
        yield client
