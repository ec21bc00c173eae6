"""The audit trail, as far as whoever asks may see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.db import Database
from api.paging import read_cursor, write_cursor
from api.principal import Principal
from api.repositories.audit import list_events
from api.schemas.audit import AuditEvent, AuditPage


@dataclass(frozen=True)
class Filters:
    """Which events are asked for; all where nothing is said."""

    action: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    actor_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_page(database: Database, who: Principal, filters: Filters, cursor: str | None, limit: int) -> AuditPage:
    """Return some of the trail: of one's own acts and records, or for an administrator of all."""
    after = None if cursor is None else read_cursor(cursor, datetime, str)
    with database.read() as session:
        found = list_events(
            session,
            None if "admin" in who.scopes else who.user_id,
            since=filters.since,
            until=filters.until,
            after=after,
            limit=limit + 1,
            action=filters.action,
            object_kind=filters.object_kind,
            object_id=filters.object_id,
            actor_id=filters.actor_id,
        )
    items = [
        AuditEvent(
            id=event.id,
            at=event.at,
            actor_id=event.actor_id,
            actor_name=name,
            token_id=event.token_id,
            action=event.action,
            object_kind=event.object_kind,
            object_id=event.object_id,
            owner_id=event.owner_id,
            request_id=event.request_id,
        )
        for event, name in found[:limit]
    ]
    more = write_cursor(items[-1].at, items[-1].id) if len(found) > limit else None
    return AuditPage(items=items, next_cursor=more)
