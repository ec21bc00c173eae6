"""The audit trail."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.context import request_id
from api.principal import Principal
from api.tables import AuditEvent


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
    session.add(
        AuditEvent(
            actor_id=who and who.user_id,
            token_id=who and who.token_id,
            action=action,
            object_kind=kind,
            object_id=object_id,
            owner_id=owner_id or (who and who.user_id),
            request_id=request_id.get(),
        )
    )
