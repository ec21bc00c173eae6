"""New rows, written straight away: for what is kept with every request, where the unit of work would cost most."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, insert
from sqlalchemy import inspect as mapped
from sqlalchemy.orm import Mapper, Session

from api.tables import Table


def add_new(session: Session, *rows: Table) -> None:
    """Insert rows that no session holds, those of a table together, the tables in the order of their first rows.

    Their defaults are filled in. They stay apart from the session: it writes no later change of them.
    """
    by_kind: dict[type[Table], list[dict[str, Any]]] = {}
    for row in rows:
        by_kind.setdefault(type(row), []).append(_values(row))
    connection = session.connection()
    for kind, values in by_kind.items():
        connection.execute(insert(kind), values)


def _values(row: Table) -> dict[str, Any]:
    mapper: Mapper[Any] = mapped(type(row))
    found = {}
    for name, attribute in mapper.column_attrs.items():
        column = attribute.columns[0]
        if name not in row.__dict__:
            setattr(row, name, _default(column))
        found[name] = row.__dict__[name]
    return found


def _default(column: ColumnElement[Any]) -> Any:
    default = getattr(column, "default", None)
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg
