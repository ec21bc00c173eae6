"""Accounts."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.tables import User


def fold_name(name: str) -> str:
    """Return a name as names are compared: without regard to case, or to how Unicode writes the same letters."""
    folded = normalize("NFKC", normalize("NFKC", name).casefold()).strip()
    # PostgreSQL takes no NUL, and no account has one in its name.
    return folded.replace("\0", "\ufffd")


def find_user(session: Session, user_id: str) -> User | None:
    """Return the account with this id."""
    return session.get(User, user_id)


def lock_user(session: Session, user_id: str) -> User | None:
    """Return the account with this id, which nobody else changes until the transaction ends."""
    return session.scalar(select(User).where(User.id == user_id).with_for_update())


def find_user_named(session: Session, name: str) -> User | None:
    """Return the account with this name."""
    return session.scalar(select(User).where(User.folded_name == fold_name(name)))


def add_user(session: Session, name: str, password_hash: str, role: str = "user") -> User:
    """Add an account; an IntegrityError where the name is taken."""
    user = User(name=name.strip(), folded_name=fold_name(name), password_hash=password_hash, role=role)
    session.add(user)
    session.flush()
    return user


def list_users(
    session: Session,
    *,
    search: str | None = None,
    role: str | None = None,
    is_active: bool | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> Sequence[User]:
    """Return accounts by name: those that fit, after the folded name ``after``; all of them where left out."""
    query = select(User)
    if search is not None:
        query = query.where(User.folded_name.contains(fold_name(search), autoescape=True))
    if role is not None:
        query = query.where(User.role == role)
    if is_active is not None:
        query = query.where(User.is_active == is_active)
    if after is not None:
        query = query.where(User.folded_name > after)
    return session.scalars(query.order_by(User.folded_name).limit(limit)).all()


def lock_acting_admins(session: Session) -> set[str]:
    """Return the ids of the administrators that can act; none of them changes until the transaction ends."""
    acting = select(User.id).where(User.role == "admin", User.is_active).order_by(User.id).with_for_update()
    return set(session.scalars(acting))
