"""Personal API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.exc import IntegrityError

from api.db import Database
from api.errors import Refusal, not_found
from api.principal import SCOPES, Principal, Scope
from api.repositories import api_tokens, audit
from api.schemas.api_tokens import ApiToken, ApiTokenList, CreatedApiToken
from api.security.opaque import API_PREFIX, hash_secret, new_secret, write_token
from api.tables import now

_MOST = 100
"""Tokens of an account."""


def create(
    database: Database, who: Principal, name: str, scopes: Sequence[Scope], expires_in_days: int | None
) -> CreatedApiToken:
    """Make a token that may at most what its account may."""
    name = name.strip()
    if not name or not name.isprintable():
        raise Refusal(422, "invalid_value", "a name has letters, and no control characters", field="name")
    if missing := [scope for scope in scopes if scope not in who.scopes]:
        raise Refusal(403, "not_an_admin", "the account itself may not do that", field="scopes", found=missing[0])
    secret = new_secret()
    expires_at = None if expires_in_days is None else now() + timedelta(days=expires_in_days)
    kept = [scope for scope in SCOPES if scope in scopes]
    try:
        with database.write() as session:
            if api_tokens.count_api_tokens(session, who.user_id) >= _MOST:
                raise Refusal(409, "too_many_tokens", f"an account has at most {_MOST} tokens; delete one first")
            row = api_tokens.add_api_token(session, who.user_id, name, hash_secret(secret), kept, expires_at)
            audit.note(session, who, "created", "token", row.id)
    except IntegrityError as error:
        raise Refusal(409, "name_taken", "you have a token of this name", field="name", found=name) from error
    shown = ApiToken.model_validate(row, from_attributes=True)
    return CreatedApiToken(**shown.model_dump(), token=write_token(API_PREFIX, row.id, secret))


def list_all(database: Database, who: Principal) -> ApiTokenList:
    """Return an account's tokens."""
    with database.read() as session:
        found = api_tokens.list_api_tokens(session, who.user_id)
    return ApiTokenList(items=[ApiToken.model_validate(row, from_attributes=True) for row in found])


def delete(database: Database, who: Principal, token_id: str) -> None:
    """Delete a token: it is good no more."""
    with database.write() as session:
        if not api_tokens.delete_api_token(session, who.user_id, token_id):
            raise not_found("token", token_id)
        audit.note(session, who, "deleted", "token", token_id)
