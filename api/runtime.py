"""What a process of the service holds while it runs: the API's, a worker's, a command's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from api import migrations
from api.db import Database
from api.jobs.broker import JobQueue
from api.security.jwt import AccessTokens
from api.security.passwords import Passwords
from api.services.explaining import Explaining
from api.services.inference import Inference
from api.services.signals import Signals
from api.settings import Settings
from api.storage import BlobStore, FileStore
from ecg_core.errors import EcgError
from ecg_core.isolation import ReadPool


@dataclass(frozen=True)
class Runtime:
    """Everything that is opened once and shared by all requests and jobs."""

    settings: Settings
    database: Database
    store: BlobStore
    passwords: Passwords
    access_tokens: AccessTokens
    pool: ReadPool
    """Processes that read uploads."""
    signals: Signals
    inference: Inference
    """Analyses recordings, those of several requests together."""
    explaining: Explaining
    """Explains one answer at a time."""
    queue: JobQueue
    """Tells of jobs."""


class DatabaseBehind(EcgError):
    """The database has not the tables that this version needs."""

    code = "database_behind"


@contextmanager
def open_runtime(settings: Settings) -> Iterator[Runtime]:
    """Open everything, and close it at the end of the block."""
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))
        store = FileStore(settings.state_dir / "files")
        pool = stack.enter_context(ReadPool(settings.isolation()))
        yield Runtime(
            settings,
            database,
            store,
            Passwords(settings.password_cost, settings.password_memory_kib),
            AccessTokens(settings),
            pool,
            Signals(store, pool, settings),
            stack.enter_context(Inference(settings)),
            Explaining(),
            stack.enter_context(closing(JobQueue(settings))),
        )


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database and have its tables as they must be: the embedded one is brought there, another is checked."""
    database = Database(settings.database())
    try:
        if database.is_sqlite:
            migrations.upgrade(database)
        elif not migrations.is_current(database):
            raise DatabaseBehind(
                "the database has not the tables of this version",
                found=database.url.render_as_string(hide_password=True),
                options=["ecg db upgrade"],
            )
        yield database
    finally:
        database.close()
