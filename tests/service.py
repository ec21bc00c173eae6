"""The real service in this process, accounts on it, and uploads for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import URL
from starlette.testclient import TestClient

from api import migrations
from api.app import create_app
from api.db import Database
from api.repositories import sign_ins, users
from api.runtime import Runtime
from api.security.jwt import Claims
from api.settings import Settings
from api.tables import now
from ecg_core.readers import READERS
from ecg_core.recording import Recording

PASSWORD = "correct horse battery staple"
QUICK = {"read_workers": 1, "password_cost": 1, "password_memory_kib": 8}
"""Settings that make tests quick: one reading process, hashes that are easily made."""


@contextmanager
def running_app(**settings: object) -> Iterator[TestClient]:
    """Give a client of a started app; errors of the app come back as answers, as they do over a network.

    Its state lies in a folder of its own, which is gone afterwards, and its database is SQLite unless one is named.
    """
    with TemporaryDirectory() as folder:
        state = Path(str(settings.get("state_dir", folder)))
        if "database_url" not in settings and not (state / "einthoven.db").exists():
            state.mkdir(exist_ok=True)
            shutil.copy(_empty_database(), state / "einthoven.db")
        app = create_app(Settings(**{**QUICK, "state_dir": state, **settings}))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@cache
def _empty_database() -> Path:
    """Return an upgraded SQLite database, made once a process: copying it is quicker than upgrading another."""
    folder = TemporaryDirectory(prefix="einthoven-tests-")
    path = Path(folder.name) / "empty.db"
    database = Database(URL.create("sqlite", database=str(path)))
    migrations.upgrade(database)
    database.close()
    _kept.append(folder)
    return path


_kept: list[TemporaryDirectory[str]] = []


def runtime_of(client: TestClient) -> Runtime:
    """Return what the app behind a client holds."""
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    return runtime


def add_account(client: TestClient, name: str, role: str = "user") -> str:
    """Return the id of a new account, made past the API; its password is `PASSWORD`."""
    runtime = runtime_of(client)
    hashed = runtime.passwords.hash(PASSWORD)
    with runtime.database.write() as session:
        return users.add_user(session, name, hashed, role).id


def access_token(client: TestClient, user_id: str) -> str:
    """Return an access token of a new sign-in of an account."""
    runtime = runtime_of(client)
    with runtime.database.write() as session:
        sign_in = sign_ins.add_sign_in(session, user_id, "0" * 64, now() + timedelta(hours=1))
    return runtime.access_tokens.issue(Claims(user_id, sign_in.id))


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def as_user(client: TestClient, name: str = "ada", role: str = "user") -> TestClient:
    """Return another client of the same app, signed in to a new account."""
    token = access_token(client, add_account(client, name, role))
    return TestClient(client.app, headers=bearer(token), raise_server_exceptions=False)


def files_of(recording: Recording, form: str = "npz", stem: str = "ecg") -> dict[str, bytes]:
    """Return the recording as files of a format."""
    write = READERS[form].write
    assert write is not None
    return write(recording, stem)


def as_upload(files: dict[str, bytes]) -> list[tuple[str, Any]]:
    """Return files as `httpx` sends them under the field ``files``."""
    return [("files", item) for item in files.items()]
