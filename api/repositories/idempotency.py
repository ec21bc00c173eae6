"""Answers that are given again under their Idempotency-Key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from api.tables import IdempotentRequest


def find_request(session: Session, owner_id: str, key: str) -> IdempotentRequest | None:
    """Return what is known of an account's request with this key."""
    return session.scalar(
        select(IdempotentRequest).where(IdempotentRequest.owner_id == owner_id, IdempotentRequest.key == key)
    )


def add_request(session: Session, owner_id: str, key: str, request_hash: str) -> str:
    """Note that a request is being answered and return its id; an IntegrityError where another has the key."""
    row = IdempotentRequest(owner_id=owner_id, key=key, request_hash=request_hash)
    session.add(row)
    session.flush()
    return row.id


def keep_answer(session: Session, request_row_id: str, status: int, headers: Mapping[str, Any], body: bytes) -> None:
    """Keep the answer to a request; one that was given up meanwhile stays so."""
    session.execute(
        update(IdempotentRequest)
        .where(IdempotentRequest.id == request_row_id)
        .values(status=status, headers=dict(headers), body=body)
    )


def drop_request(session: Session, request_row_id: str) -> None:
    """Forget a request: its key is free again."""
    session.execute(delete(IdempotentRequest).where(IdempotentRequest.id == request_row_id))


def answers_of(session: Session, owner_id: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the ids and headers of an account's kept answers, without their bodies."""
    rows = session.execute(
        select(IdempotentRequest.id, IdempotentRequest.headers).where(
            IdempotentRequest.owner_id == owner_id, IdempotentRequest.status.is_not(None)
        )
    )
    return [(row.id, row.headers) for row in rows]
