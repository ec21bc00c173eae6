"""What routes ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2PasswordBearer

from api.db import Database
from api.errors import Refusal
from api.principal import SCOPES, Principal, Scope
from api.runtime import Runtime
from api.services.identity import identify
from api.settings import Settings
from ecg_core.isolation import ReadPool

BEARER = OAuth2PasswordBearer(
    tokenUrl="token",
    refreshUrl="token",
    auto_error=False,
    scheme_name="Bearer",
    description="An access token from `POST /login` or `POST /token`, or a personal API token from `POST /tokens`.",
    scopes={str(scope): what for scope, what in SCOPES.items()},
)


async def get_runtime(request: Request) -> Runtime:
    """Return what the process holds."""
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeOf = Annotated[Runtime, Depends(get_runtime)]


async def get_settings(runtime: RuntimeOf) -> Settings:
    """Return the settings that the app was made with."""
    return runtime.settings


async def get_pool(runtime: RuntimeOf) -> ReadPool:
    """Return the processes that read uploads."""
    return runtime.pool


async def get_database(runtime: RuntimeOf) -> Database:
    """Return the database."""
    return runtime.database


SettingsOf = Annotated[Settings, Depends(get_settings)]
PoolOf = Annotated[ReadPool, Depends(get_pool)]
DatabaseOf = Annotated[Database, Depends(get_database)]


def get_principal(request: Request, token: Annotated[str | None, Security(BEARER)], runtime: RuntimeOf) -> Principal:
    """Return on whose behalf the request is."""
    if token is None:
        raise _unauthorised("not_authenticated", "this needs an `Authorization: Bearer <token>` header")
    principal = identify(token, runtime.database, runtime.access_tokens)
    if principal is None:
        raise _unauthorised("invalid_token", "the token is unknown, expired or revoked; sign in again")
    request.state.user_id = principal.user_id
    return principal


def _unauthorised(code: str, detail: str) -> Refusal:
    return Refusal(401, code, detail, headers={"WWW-Authenticate": "Bearer"})


def _having(scope: Scope) -> Callable[[Principal], Awaitable[Principal]]:
    async def check(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
        check_scope(principal, scope)
        return principal

    return check


def check_scope(principal: Principal, scope: Scope) -> None:
    """Refuse whoever's token does not reach so far."""
    if scope not in principal.scopes:
        code = "not_an_admin" if scope == "admin" and principal.role != "admin" else "wrong_scope"
        raise Refusal(403, code, f"this needs the scope `{scope}`", found=" ".join(sorted(principal.scopes)))


async def _signed_in(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    if principal.sign_in_id is None:
        raise Refusal(403, "wrong_scope", "this needs a sign-in: an API token cannot do it", found="an API token")
    return principal


ReaderOf = Annotated[Principal, Security(_having("read"), scopes=["read"])]
WriterOf = Annotated[Principal, Security(_having("write"), scopes=["write"])]
AdminOf = Annotated[Principal, Security(_having("admin"), scopes=["admin"])]
SignedInOf = Annotated[Principal, Depends(_signed_in)]
