"""What Alembic runs: the steps, in one transaction, on the connection that it is given."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from api.tables import CompressedJson, Table, Utc

_LOCK = 7_283_461
"""Of PostgreSQL: of several services that start together, one upgrades and the others wait."""


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write down our own column types as what they are in the database: a step must not depend on today's code."""
    if kind == "type" and isinstance(item, Utc):
        return "sa.DateTime(timezone=True)"
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, CompressedJson) else False


def _run(connection: Connection) -> None:
    connection = connection.execution_options(einthoven_writes=True)
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_render,
        transaction_per_migration=False,
    )
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        context.run_migrations()


_run(context.config.attributes["connection"])
