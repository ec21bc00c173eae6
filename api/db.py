"""The database: one engine, and transactions that begin and end in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

_BUSY_S = 30.0
_POOL = 20
"""Connections kept; requests that hold none wait outside of transactions."""
_WRITES = "einthoven_writes"
_QUIET = {"hide_parameters": True}
"""Errors of the database say what was asked, and no values, which may be a person's."""


class Database:
    """Where everything is kept that must outlive the process.

    Parameters
    ----------
    url
        Of SQLite, whose folder is made, or PostgreSQL.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            assert url.database  # noqa: S101 - a file: an in-memory database would be lost with its connection
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = create_engine(
                url, pool_size=_POOL, max_overflow=_POOL, connect_args={"timeout": _BUSY_S}, **_QUIET
            )
            _prepare_sqlite(self.engine)
        else:
            self.engine = create_engine(url, pool_size=_POOL, max_overflow=_POOL, pool_pre_ping=True, **_QUIET)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that changes nothing; what it returned stays readable afterwards."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session whose changes are committed at the end of the block, or none of them. Keep it short."""
        engine = self.engine.execution_options(**{_WRITES: True})
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def answers(self) -> bool:
        """Return whether the database can be asked."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception:  # Whatever its driver raises: it does not answer.
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    """Have SQLite keep a write-ahead log, foreign keys, and transactions that begin where they are said to."""

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        # A transaction that will write takes its turn at once: one that reads first could not be let in later.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
