"""Accounts, sign-ins, API tokens, the audit trail, and what administrators do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from api.schemas import (
    Account,
    AccountPage,
    ApiToken,
    ApiTokenList,
    AuditEvent,
    AuditPage,
    CreatedApiToken,
    Me,
    Role,
    TokenScope,
)
from api.schemas import Tokens as Granted
from dashboard.client.forms import path_of
from dashboard.client.http import Http, SignedOut


class AuditFilters(TypedDict, total=False):
    """Which events to list; all filters hold together."""

    action: str
    """``"created"``, ``"read"``, ``"changed"``, ``"deleted"``, ``"exported"``, ``"signed_in"``, ..."""
    object_kind: str
    """``"recording"``, ``"analysis"``, ``"job"``, ``"account"`` or ``"token"``."""
    object_id: str
    actor_id: str
    since: datetime
    """The first moment, with its zone."""
    until: datetime
    """The moment before which it happened, with its zone."""


class Accounts:
    """One's own account, and with the scope `admin` those of others."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def register(self, name: str, password: str) -> Account:
        """Make an account; it is not signed in yet."""
        return self._http.call(Account, "POST", "/register", json={"name": name, "password": password})

    def sign_in(self, name: str, password: str) -> None:
        """Sign in: from here on, requests speak for this account, and tokens are renewed as they run out."""
        granted = self._http.call(Granted, "POST", "/login", json={"name": name, "password": password})
        self._http.tokens.access, self._http.tokens.refresh = granted.access_token, granted.refresh_token

    def sign_out(self, *, everywhere: bool = False) -> None:
        """End this sign-in, or all of the account's; a personal API token is only forgotten."""
        if self._http.tokens.refresh is not None:
            try:
                self._http.send("POST", "/logout", params={"everywhere": "true"} if everywhere else None)
            except SignedOut:
                pass
        self._http.tokens.access = self._http.tokens.refresh = None

    def me(self) -> Me:
        """Say for whom requests speak."""
        return self._http.call(Me, "GET", "/me")

    def change_password(self, old: str, new: str) -> None:
        """Change the password; every other sign-in ends."""
        self._http.send("POST", "/me/password", json={"old_password": old, "new_password": new})

    def close(self, password: str) -> None:
        """Delete the account and everything that it owns."""
        self._http.send("DELETE", "/me", json={"password": password})

    def create_token(
        self, name: str, scopes: Sequence[TokenScope], expires_in_days: int | None = 90
    ) -> CreatedApiToken:
        """Make a personal API token; it is shown this once."""
        wanted = {"name": name, "scopes": list(scopes), "expires_in_days": expires_in_days}
        return self._http.call(CreatedApiToken, "POST", "/tokens", json=wanted)

    def tokens(self) -> list[ApiToken]:
        """List one's personal API tokens."""
        return self._http.call(ApiTokenList, "GET", "/tokens").items

    def delete_token(self, token_id: str) -> None:
        """Have a personal API token be good no more."""
        self._http.send("DELETE", path_of("tokens", token_id))

    def audit(self, **filters: Unpack[AuditFilters]) -> Iterator[AuditEvent]:
        """Go through the audit trail, the newest first; an administrator sees everybody's."""
        return self._http.pages(AuditPage, "/audit", filters)

    def users(
        self, search: str | None = None, *, role: Role | None = None, is_active: bool | None = None
    ) -> Iterator[Account]:
        """Go through all accounts by name, as an administrator; ``search`` is what the name holds."""
        query = {"search": search, "role": role, "is_active": is_active}
        return self._http.pages(AccountPage, "/admin/users", query)

    def create_user(self, name: str, password: str, role: Role = "user") -> Account:
        """Make an account for somebody, as an administrator."""
        wanted = {"name": name, "password": password, "role": role}
        return self._http.call(Account, "POST", "/admin/users", json=wanted)

    def change_user(self, user_id: str, *, role: Role | None = None, is_active: bool | None = None) -> Account:
        """Change what an account may do, as an administrator; None leaves it."""
        changes = {name: value for name, value in (("role", role), ("is_active", is_active)) if value is not None}
        return self._http.call(Account, "PATCH", path_of("admin", "users", user_id), json=changes)

    def delete_user(self, user_id: str) -> None:
        """Delete an account and everything that it owns, as an administrator."""
        self._http.send("DELETE", path_of("admin", "users", user_id))
