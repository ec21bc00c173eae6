"""From the token that a request carries to whom it speaks for."""

from __future__ import annotations

from typing import Literal, cast

from api.db import Database
from api.principal import SCOPES, Principal, Scope
from api.repositories import api_tokens, sign_ins
from api.repositories.sign_ins import Account
from api.security.jwt import AccessTokens
from api.security.opaque import API_PREFIX, is_secret, read_token
from api.tables import User


def identify(token: str, database: Database, access_tokens: AccessTokens) -> Principal | None:
    """Return on whose behalf a token lets a request act; None where it is unknown, changed, expired or revoked."""
    if token.startswith(API_PREFIX):
        return _by_api_token(token, database)
    claims = access_tokens.read(token)
    if claims is None:
        return None
    with database.read() as session:
        account = sign_ins.find_account(session, claims.sign_in_id)
    return None if account is None or account.id != claims.user_id else signed_in(account, claims.sign_in_id)


def signed_in(user: User | Account, sign_in_id: str) -> Principal:
    """Return on whose behalf a sign-in lets a request act: all that the account may."""
    return _principal(user, frozenset(SCOPES), sign_in_id=sign_in_id)


def _by_api_token(token: str, database: Database) -> Principal | None:
    parts = read_token(API_PREFIX, token)
    if parts is None:
        return None
    token_id, secret = parts
    with database.read() as session:
        found = api_tokens.find_open_api_token(session, token_id)
    if found is None or not is_secret(secret, found[0].secret_hash):
        return None
    row, user = found
    if not api_tokens.is_use_noted(row):
        with database.write() as session:
            api_tokens.note_use(session, token_id)
    return _principal(user, frozenset(cast("list[Scope]", row.scopes)), token_id=token_id)


def _principal(
    user: User | Account, scopes: frozenset[Scope], *, sign_in_id: str | None = None, token_id: str | None = None
) -> Principal:
    role: Literal["user", "admin"] = "admin" if user.role == "admin" else "user"
    # What the account may do bounds what its token may: an administrator who is one no more loses the scope.
    allowed = scopes if role == "admin" else scopes - {"admin"}
    return Principal(user.id, user.name, role, allowed, sign_in_id, token_id)
