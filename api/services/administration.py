"""What administrators do with accounts, and how one ends."""

from __future__ import annotations

from sqlalchemy.orm import Session

from api.db import Database
from api.errors import Refusal, not_found
from api.paging import read_cursor, write_cursor
from api.principal import Principal
from api.repositories import audit, sign_ins, users
from api.runtime import Runtime
from api.schemas.accounts import Account, AccountPage, Role
from api.services.accounts import describe_account, prove
from api.services.forgetting import forget_account
from api.tables import User


def list_accounts(
    database: Database, search: str | None, role: Role | None, is_active: bool | None, cursor: str | None, limit: int
) -> AccountPage:
    """Return some of the accounts, by name."""
    after = None if cursor is None else read_cursor(cursor, str)[0]
    with database.read() as session:
        found = users.list_users(session, search=search, role=role, is_active=is_active, after=after, limit=limit + 1)
    items = found[:limit]
    more = write_cursor(items[-1].folded_name) if len(found) > limit else None
    return AccountPage(items=[describe_account(user) for user in items], next_cursor=more)


def change_account(
    database: Database, who: Principal | None, user_id: str, role: Role | None = None, is_active: bool | None = None
) -> Account:
    """Change what an account may; one that may no more is signed out.

    Parameters
    ----------
    who
        Who changes it; None for whoever runs the service.
    """
    with database.write() as session:
        acting, user = users.lock_acting_admins(session), users.lock_user(session, user_id)
        if user is None:
            raise not_found("account", user_id)
        if role == "user" or is_active is False:
            _check_not_last(acting, user)
        if role is not None and role != user.role:
            user.role = role
            audit.note(session, who, f"made_{role}", "account", user.id, owner_id=user.id)
        if is_active is not None and is_active != user.is_active:
            _set_active(session, who, user, is_active)
    return describe_account(user)


def delete_own_account(runtime: Runtime, who: Principal, password: str, address: str) -> None:
    """Delete the account of whoever is signed in, who knows its password."""
    prove(runtime, who, password, address)
    delete_account(runtime, who, who.user_id)


def delete_account(runtime: Runtime, who: Principal, user_id: str) -> None:
    """Delete an account and everything it owns, the bytes of its uploads too."""
    with runtime.database.write() as session:
        acting, user = users.lock_acting_admins(session), users.lock_user(session, user_id)
        if user is None:
            raise not_found("account", user_id)
        _check_not_last(acting, user)
        # From here on nothing can join what is deleted, which may take its time.
        if user.is_active:
            _set_active(session, who, user, False)
    forget_account(runtime, user_id, who)


def _check_not_last(acting: set[str], user: User) -> None:
    if acting == {user.id}:
        raise Refusal(
            409,
            "last_admin",
            "the last active administrator stays one",
            field="account",
            found=user.name,
            options=["make another account an administrator first"],
        )


def _set_active(session: Session, who: Principal | None, user: User, active: bool) -> None:
    user.is_active = active
    if not active:
        sign_ins.revoke_sign_ins_of(session, user.id)
    audit.note(session, who, "activated" if active else "deactivated", "account", user.id, owner_id=user.id)
