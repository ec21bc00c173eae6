"""The audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from api.context import request_id
from api.principal import Principal
from api.repositories.adding import add_new
from api.tables import AuditEvent, User


def note(
    session: Session,
    who: Principal | None,
    action: str,
    kind: str,
    object_id: str | None = None,
    *,
    owner_id: str | None = None,
) -> None:
    """Write down an act in the transaction that does it: both are kept, or neither.

    Parameters
    ----------
    who
        Whose act; the service's own where None.
    action
        ``created``, ``read``, ``changed``, ``deleted``, ``exported``, ``signed_in``, ...
    kind
        ``recording``, ``analysis``, ``job``, ``account``, ``token``.
    owner_id
        Whose record it is, where it is not the actor's.
    """
    event = AuditEvent(
        actor_id=who and who.user_id,
        token_id=who and who.token_id,
        action=action,
        object_kind=kind,
        object_id=object_id,
        owner_id=owner_id or (who and who.user_id),
        request_id=request_id.get(),
    )
    add_new(session, event)


def list_events(
    session: Session,
    seen_by: str | None,
    *,
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
    **equal: str | None,
) -> Sequence[tuple[AuditEvent, str | None]]:
    """Return some of the trail with the names of those who acted, the newest first, from the place ``after`` on.

    Parameters
    ----------
    seen_by
        The account whose acts, and whose records' events, these are; all where None.
    since, until
        First moment, and the one before which they all were.
    **equal
        Columns and what they are to hold; None for whatever they hold.
    """
    query = select(AuditEvent, User.name).outerjoin(User, User.id == AuditEvent.actor_id)
    if seen_by is not None:
        query = query.where(or_(AuditEvent.actor_id == seen_by, AuditEvent.owner_id == seen_by))
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if until is not None:
        query = query.where(AuditEvent.at < until)
    if after is not None:
        query = query.where(tuple_(AuditEvent.at, AuditEvent.id) < tuple_(*after))
    query = query.where(*(getattr(AuditEvent, name) == value for name, value in equal.items() if value is not None))
    found = session.execute(query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(limit))
    return [(event, name) for event, name in found]
