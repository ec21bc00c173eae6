"""`ecg db`: the tables of the service's database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.common import AsJson, fails_clearly, print_json, require

if TYPE_CHECKING:
    from api.db import Database

app = typer.Typer(
    name="db",
    help="The service's database: bring its tables up to date.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Examples:  ecg db current   ecg db upgrade",
)


@app.command()
@fails_clearly
def upgrade() -> None:
    """Bring the tables to those of this version; nothing happens where they are.

    Stop the service first. The embedded SQLite database is upgraded by the service itself when it starts.
    """
    require("sqlalchemy", "api")
    from api import migrations

    with _opened() as database:
        before = migrations.is_current(database)
        migrations.upgrade(database)
        address = database.url.render_as_string(hide_password=True)
    sys.stdout.write(f"{address} {'was' if before else 'is now'} up to date\n")


@app.command()
@fails_clearly
def current(as_json: AsJson = False) -> None:
    """Say which step the tables are at; exit code 1 where `ecg db upgrade` is due."""
    require("sqlalchemy", "api")
    from alembic.runtime.migration import MigrationContext

    from api import migrations

    with _opened() as database:
        with database.engine.connect() as connection:
            step = MigrationContext.configure(connection).get_current_revision()
        up_to_date = migrations.is_current(database)
        address = database.url.render_as_string(hide_password=True)
    if as_json:
        print_json({"database": address, "revision": step, "up_to_date": up_to_date})
    else:
        state = "up to date" if up_to_date else "behind: ecg db upgrade"
        sys.stdout.write(f"{address} at {step or 'no step yet'}, {state}\n")
    if not up_to_date:
        raise typer.Exit(1)


@contextmanager
def _opened() -> Iterator[Database]:
    """Give the database as it is, whatever tables it has."""
    from api.db import Database
    from cli.settings import database_errors, read_settings

    settings = read_settings()
    with database_errors(settings):
        database = Database(settings.database())
        try:
            yield database
        finally:
            database.close()
