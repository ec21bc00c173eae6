"""The list of an account's recordings, with what was last said about each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import tables
from api.db import Database
from api.paging import read_cursor, write_cursor
from api.principal import Principal
from api.repositories import audit, recordings
from api.schemas import AnalysisSummary, RecordingItem, RecordingPage, RecordingQuery
from ecg_core.errors import InvalidValue

_SORTED_AS: dict[str, type] = {
    "created_at": datetime,
    "name": str,
    "duration_s": float,
    "subject_id": str,
    "start": str,
}
_IN_ROW = {
    "created_at": "created_at",
    "name": "sort_name",
    "duration_s": "duration_s",
    "subject_id": "sort_subject",
    "start": "start",
}


def list_page(database: Database, who: Principal, wanted: RecordingQuery) -> RecordingPage:
    """Return some of an account's recordings, each with what was last said about it."""
    after = None if wanted.cursor is None else _read_place(wanted)
    with database.write() as session:
        found = recordings.list_recordings(session, who.user_id, wanted, after, wanted.limit + 1)
        total = recordings.count_recordings(session, who.user_id, wanted) if wanted.total else None
        audit.note(session, who, "listed", "recording")
    shown = found[: wanted.limit]
    more = len(found) > wanted.limit
    return RecordingPage(
        items=[_item(row, said) for row, said in shown],
        next_cursor=_write_place(wanted, shown[-1][0]) if more else None,
        total=total,
    )


def _item(row: tables.Recording, said: tables.Analysis | None) -> RecordingItem:
    latest = None
    if said is not None:
        latest = AnalysisSummary(
            id=said.id, recording_id=row.id, created_at=said.created_at, **said.settings, **said.summary
        )
    named = {name: getattr(row, name) for name in RecordingItem.model_fields if name != "latest_analysis"}
    return RecordingItem.model_validate({**named, "latest_analysis": latest})


def _write_place(wanted: RecordingQuery, row: tables.Recording) -> str:
    value = getattr(row, _IN_ROW[wanted.sort])
    order = f"{wanted.sort} {wanted.order}"
    return write_cursor(order, row.id) if value is None else write_cursor(order, row.id, value)


def _read_place(wanted: RecordingQuery) -> tuple[Any, str]:
    """Return what the list is sorted by, and the id, of the last recording before."""
    assert wanted.cursor is not None  # noqa: S101 - else there is nothing to read
    value = None
    try:
        order, row_id, value = read_cursor(wanted.cursor, str, str, _SORTED_AS[wanted.sort])
    except InvalidValue:
        order, row_id = read_cursor(wanted.cursor, str, str)
    if order != f"{wanted.sort} {wanted.order}":
        raise InvalidValue(
            "belongs to a list in another order", field="cursor", found=order, expected=f"{wanted.sort} {wanted.order}"
        )
    return value, row_id
