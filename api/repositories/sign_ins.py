"""Sign-ins, each a chain of refresh tokens."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from api.tables import SignIn, User, now


class Account(NamedTuple):
    """What a request has to know of an account."""

    id: str
    name: str
    role: str


def find_open_sign_in(session: Session, sign_in_id: str, *, lock: bool = False) -> tuple[SignIn, User] | None:
    """Return a sign-in that was neither ended nor has expired, with its account; None where there is none.

    Parameters
    ----------
    lock
        Whether nobody else may change the sign-in until the transaction ends.
    """
    query = select(SignIn, User).where(*_open(sign_in_id))
    found = session.execute(query.with_for_update(of=SignIn) if lock else query).one_or_none()
    return None if found is None else (found[0], found[1])


def find_account(session: Session, sign_in_id: str) -> Account | None:
    """Return whose an open sign-in is, as cheaply as every request asks for; None where there is none."""
    query = select(User.id, User.name, User.role).where(*_open(sign_in_id))
    found = session.connection().execute(query).one_or_none()
    return None if found is None else Account(found.id, found.name, found.role)


def _open(sign_in_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of a sign-in that was neither ended nor has expired, and its account."""
    return (
        User.id == SignIn.user_id,
        SignIn.id == sign_in_id,
        SignIn.revoked_at.is_(None),
        SignIn.expires_at > now(),
        User.is_active.is_(True),
    )


def add_sign_in(session: Session, user_id: str, refresh_hash: str, expires_at: datetime) -> SignIn:
    """Add a sign-in."""
    sign_in = SignIn(user_id=user_id, refresh_hash=refresh_hash, expires_at=expires_at)
    session.add(sign_in)
    session.flush()
    return sign_in


def revoke_sign_in(session: Session, sign_in_id: str) -> None:
    """End a sign-in: its access and refresh tokens are good no more."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.revoked_at.is_(None)).values(revoked_at=now()))


def revoke_sign_ins_of(session: Session, user_id: str, but: str | None = None) -> None:
    """End every sign-in of an account, but for one."""
    session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None), SignIn.id != (but or ""))
        .values(revoked_at=now())
    )
