"""Accounts: made, shown, changed and deleted."""

from __future__ import annotations

from unicodedata import normalize

from sqlalchemy.exc import IntegrityError

from api.db import Database
from api.errors import Refusal
from api.principal import SCOPES, Principal
from api.repositories import audit, sign_ins, users
from api.runtime import Runtime
from api.schemas.accounts import Account, Me, Role
from api.security.passwords import Passwords
from api.security.strength import find_password_weakness
from api.services.throttle import verify_password
from api.tables import User

_LONGEST_NAME = 254
_SHORTEST_NAME = 3


def register(runtime: Runtime, name: str, password: str) -> Account:
    """Make an account for whoever asks, where that is open to all."""
    if runtime.settings.registration == "closed":
        raise Refusal(403, "registration_closed", "accounts are made by an administrator here")
    return add_account(runtime.database, runtime.passwords, None, name, password)


def add_account(
    database: Database, passwords: Passwords, who: Principal | None, name: str, password: str, role: Role = "user"
) -> Account:
    """Make an account.

    Parameters
    ----------
    who
        Who makes it; None where somebody makes their own.
    """
    name = _clean(name)
    _check_strength(password, name)
    taken = Refusal(409, "name_taken", "there is an account of this name", field="name", found=name)
    with database.read() as session:
        if users.find_user_named(session, name) is not None:
            raise taken
    hashed = passwords.hash(password)
    try:
        with database.write() as session:
            user = users.add_user(session, name, hashed, role)
            audit.note(session, who, "created", "account", user.id, owner_id=user.id)
    except IntegrityError as error:
        raise taken from error
    return describe_account(user)


def describe_account(user: User) -> Account:
    """Return an account as it is shown."""
    return Account.model_validate(user, from_attributes=True)


def show_me(database: Database, who: Principal) -> Me:
    """Return the account that a request speaks for, and what its token allows."""
    with database.read() as session:
        user = _own(users.find_user(session, who.user_id))
    return Me(
        id=user.id,
        name=user.name,
        role=who.role,
        scopes=[scope for scope in SCOPES if scope in who.scopes],
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
    )


def change_password(runtime: Runtime, who: Principal, old: str, new: str, address: str) -> None:
    """Give an account another password; its other sign-ins end."""
    user = prove(runtime, who, old, address)
    _check_strength(new, user.name)
    hashed = runtime.passwords.hash(new)
    with runtime.database.write() as session:
        account = _own(users.lock_user(session, who.user_id))
        if account.password_hash != user.password_hash:
            raise Refusal(409, "password_changed", "the password was changed at this moment by another request")
        account.password_hash = hashed
        sign_ins.revoke_sign_ins_of(session, who.user_id, but=who.sign_in_id)
        audit.note(session, who, "password_changed", "account", who.user_id)


def reset_password(database: Database, passwords: Passwords, name: str, password: str) -> Account:
    """Give the account of this name another password, without the old one; all its sign-ins end."""
    _check_strength(password, name)
    hashed = passwords.hash(password)
    with database.write() as session:
        user = users.find_user_named(session, name)
        if user is None:
            raise Refusal(404, "not_found", "no such account", field="account", found=name)
        user.password_hash = hashed
        sign_ins.revoke_sign_ins_of(session, user.id)
        audit.note(session, None, "password_reset", "account", user.id, owner_id=user.id)
    return describe_account(user)


def prove(runtime: Runtime, who: Principal, password: str, address: str) -> User:
    """Return the account of whoever is signed in and knows its password."""
    with runtime.database.read() as session:
        user = _own(users.find_user(session, who.user_id))
    if not verify_password(runtime, user, user.name, password, address, who):
        raise Refusal(403, "wrong_password", "this is not the account's password", field="password")
    return user


def _own(user: User | None) -> User:
    if user is None:
        raise Refusal(401, "invalid_token", "the account was deleted", headers={"WWW-Authenticate": "Bearer"})
    return user


def _clean(name: str) -> str:
    """Return a name as it is kept."""
    name = normalize("NFC", name).strip()
    folded = users.fold_name(name)
    if not _SHORTEST_NAME <= len(folded) <= _LONGEST_NAME or len(name) > _LONGEST_NAME:
        raise _invalid_name(f"a name has {_SHORTEST_NAME} to {_LONGEST_NAME} characters")
    if not name.isprintable():
        raise _invalid_name("a name has no control characters, and none that cannot be seen")
    return name


def _invalid_name(detail: str) -> Refusal:
    return Refusal(422, "invalid_value", detail, field="name")


def _check_strength(password: str, name: str) -> None:
    if weakness := find_password_weakness(password, name):
        raise Refusal(422, "weak_password", weakness, field="password")
