"""Signing in, staying signed in, signing out.

A sign-in has one refresh token that is good at a time: using it gives the next one. One that was used before and comes
again was copied, by whichever of the two came first, and ends the sign-in. Two requests of one client that use the
same token at almost the same moment, or one that is sent again because its answer was lost, are no theft: for
`GRACE` the token just used is answered with the very successor that it was answered with before. No client is ever
thrown out by a race with itself, and no second line of tokens begins, so that a thief is still found out.
"""

from __future__ import annotations

from datetime import timedelta

from api.errors import Refusal
from api.principal import SCOPES, Principal
from api.repositories import audit, sign_ins, users
from api.runtime import Runtime
from api.schemas.sign_ins import Tokens
from api.security.jwt import Claims
from api.security.opaque import REFRESH_PREFIX, hash_secret, is_secret, new_secret, read_token, write_token
from api.services.identity import signed_in
from api.services.throttle import verify_password
from api.tables import SignIn, User, now

GRACE = timedelta(seconds=10)


def sign_in(runtime: Runtime, name: str, password: str, address: str) -> Tokens:
    """Return the tokens of a new sign-in."""
    with runtime.database.read() as session:
        user = users.find_user_named(session, name)
    if not verify_password(runtime, user, name, password, address) or user is None:
        raise _wrong_credentials()
    renewed = runtime.passwords.hash(password) if runtime.passwords.outdated(user.password_hash) else None
    secret, expires_at = new_secret(), now() + timedelta(seconds=runtime.settings.refresh_token_s)
    with runtime.database.write() as session:
        account = users.lock_user(session, user.id)
        if account is None or account.password_hash != user.password_hash:
            raise _wrong_credentials()
        if not account.is_active:
            raise Refusal(403, "account_deactivated", "an administrator has deactivated this account")
        account.last_sign_in_at = now()
        account.password_hash = renewed or account.password_hash
        found = sign_ins.add_sign_in(session, account.id, hash_secret(secret), expires_at)
        audit.note(session, signed_in(account, found.id), "signed_in", "account", account.id)
    return _tokens(runtime, found, account, secret)


def refresh(runtime: Runtime, token: str) -> Tokens:
    """Return new tokens of the sign-in that a refresh token belongs to."""
    invalid = Refusal(401, "invalid_token", "the refresh token is unknown, was used, has expired or was revoked")
    if (parts := read_token(REFRESH_PREFIX, token)) is None:
        raise invalid
    sign_in_id, secret = parts
    successor = runtime.access_tokens.keyed_hash("refresh token after", token)
    with runtime.database.write() as session:
        found = sign_ins.find_open_sign_in(session, sign_in_id, lock=True)
        if found is not None:
            row, user = found
            if is_secret(secret, row.refresh_hash):
                row.refresh_hash, row.refreshed_at = hash_secret(successor), now()
            elif not (is_secret(successor, row.refresh_hash) and now() - row.refreshed_at < GRACE):
                sign_ins.revoke_sign_in(session, row.id)
                audit.note(session, None, "refresh_token_reused", "account", user.id, owner_id=user.id)
                found = None
    # Out of the transaction, which must not be undone.
    if found is None:
        raise invalid
    return _tokens(runtime, *found, successor)


def sign_out(runtime: Runtime, who: Principal, *, everywhere: bool) -> None:
    """End this sign-in, or all of the account."""
    assert who.sign_in_id is not None  # noqa: S101 - the route asks for a sign-in
    with runtime.database.write() as session:
        if everywhere:
            sign_ins.revoke_sign_ins_of(session, who.user_id)
        else:
            sign_ins.revoke_sign_in(session, who.sign_in_id)
        audit.note(session, who, "signed_out_everywhere" if everywhere else "signed_out", "account", who.user_id)


def _tokens(runtime: Runtime, row: SignIn, user: User, secret: str) -> Tokens:
    left_s = int((row.expires_at - now()).total_seconds())
    return Tokens(
        access_token=runtime.access_tokens.issue(Claims(user.id, row.id)),
        expires_in=max(0, min(runtime.access_tokens.lifetime_s, left_s)),
        refresh_token=write_token(REFRESH_PREFIX, row.id, secret),
        scope=" ".join(scope for scope in SCOPES if scope in signed_in(user, row.id).scopes),
    )


def _wrong_credentials() -> Refusal:
    return Refusal(401, "wrong_credentials", "no account has this name and password")
