"""Passwords that were wrong of late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.tables import LoginFailure, now


def find_failures(session: Session, keys: Iterable[str]) -> dict[str, LoginFailure]:
    """Return what is known under these keys."""
    found = session.scalars(select(LoginFailure).where(LoginFailure.key.in_(list(keys))))
    return {row.key: row for row in found}


def add_failure(session: Session, keys: Iterable[str], half_life: timedelta) -> None:
    """Count one more under each key; earlier ones weigh half after ``half_life``.

    An IntegrityError says that another transaction adds one of the keys at this moment.
    """
    moment = now()
    wanted = sorted(keys)
    locked = select(LoginFailure).where(LoginFailure.key.in_(wanted)).order_by(LoginFailure.key).with_for_update()
    found = {row.key: row for row in session.scalars(locked)}
    for key in wanted:
        if (row := found.get(key)) is None:
            session.add(LoginFailure(key=key, weight=1.0, last_at=moment))
        else:
            row.weight = 1.0 + row.weight * 0.5 ** max(0.0, (moment - row.last_at) / half_life)
            row.last_at = moment
    session.flush()


def forget_failures(session: Session, key: str) -> None:
    """Forget what is known under a key."""
    session.execute(delete(LoginFailure).where(LoginFailure.key == key))
