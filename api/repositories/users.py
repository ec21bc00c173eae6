"""Accounts."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.tables import User


def fold_name(name: str) -> str:
    """Return a name as names are compared: without regard to case."""
    return name.strip().casefold()


def find_user(session: Session, user_id: str) -> User | None:
    """Return the account with this id."""
    return session.get(User, user_id)


def find_user_named(session: Session, name: str) -> User | None:
    """Return the account with this name."""
    return session.scalar(select(User).where(User.folded_name == fold_name(name)))


def add_user(session: Session, name: str, password_hash: str, role: str = "user") -> User:
    """Add an account; an IntegrityError where the name is taken."""
    user = User(name=name.strip(), folded_name=fold_name(name), password_hash=password_hash, role=role)
    session.add(user)
    session.flush()
    return user


def count_active_admins(session: Session) -> int:
    """Return how many administrators can act."""
    return session.scalar(select(func.count()).where(User.role == "admin", User.is_active)) or 0
