"""Sign in, stay signed in, sign out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from api.deps import RuntimeOf, SignedInOf
from api.errors import Refusal, describe_problems
from api.routes.guarded import BUSY, TOO_MANY, Address, explain_problems
from api.routes.oauth import OAUTH_PROBLEMS, answer_for_oauth
from api.schemas.sign_ins import Credentials, RefreshRequest, Tokens
from api.services import sign_ins

router = APIRouter(tags=["Accounts"])


@router.post(
    "/login",
    responses=explain_problems(
        *(400, 401, 403, 413, 422, 429, 500, 503),
        _401="No account has this name and password (`wrong_credentials`).",
        _403="The account is deactivated (`account_deactivated`).",
        _429=TOO_MANY,
        _503=BUSY,
    ),
)
def login(credentials: Credentials, runtime: RuntimeOf, address: Address) -> Tokens:
    """Sign in, and get an access token for requests and a refresh token for the time after it.

    Wrong passwords (`wrong_credentials`) cost a wait that grows with each: `too_many_attempts`, and `Retry-After` says
    how many seconds are left of it.
    """
    return sign_ins.sign_in(runtime, credentials.name, credentials.password, address)


@router.post("/token", response_model=Tokens, responses=OAUTH_PROBLEMS | describe_problems(413, 500))
def token(
    runtime: RuntimeOf,
    address: Address,
    grant_type: Annotated[str, Form(max_length=40, description="`password` or `refresh_token`.")] = "password",
    username: Annotated[str | None, Form(max_length=254, description="With `grant_type=password`.")] = None,
    password: Annotated[
        str | None,
        Form(max_length=1024, description="With `grant_type=password`.", json_schema_extra={"format": "password"}),
    ] = None,
    refresh_token: Annotated[
        str | None, Form(max_length=200, description="With `grant_type=refresh_token`: the one that was given last.")
    ] = None,
    scope: Annotated[  # noqa: ARG001 - part of the protocol; the answer says what was granted
        str, Form(max_length=200, description="A sign-in is given all that its account may.")
    ] = "",
) -> Tokens | Response:
    """Sign in as clients of OAuth 2.0 do: `POST /login` and `POST /refresh` for forms.

    The *Authorize* button of this page uses it. Errors carry `error` and `error_description` beside the usual members.
    """
    try:
        if grant_type == "password" and username is not None and password is not None:
            return sign_ins.sign_in(runtime, username, password, address)
        if grant_type == "refresh_token" and refresh_token is not None:
            return sign_ins.refresh(runtime, refresh_token)
        if grant_type in ("password", "refresh_token"):
            needed = "username and password" if grant_type == "password" else "refresh_token"
            raise Refusal(400, "invalid_request", f"grant_type={grant_type} needs {needed}", expected=needed)
        raise Refusal(
            400,
            "unsupported_grant_type",
            "no such grant type",
            field="grant_type",
            found=grant_type,
            options=["password", "refresh_token"],
        )
    except Refusal as refusal:
        return answer_for_oauth(refusal)


@router.post(
    "/refresh",
    responses=explain_problems(
        *(400, 401, 413, 422, 500),
        _401="The refresh token is unknown, was used, has expired or was revoked (`invalid_token`).",
    ),
)
def refresh(request: RefreshRequest, runtime: RuntimeOf) -> Tokens:
    """Exchange a refresh token for new tokens. It is good once: keep the new one.

    One that was used before and comes again was copied: the whole sign-in ends, for whoever holds it. A repetition
    within ten seconds, by a client whose requests race or whose answer was lost, is given the same refresh token again.
    """
    return sign_ins.refresh(runtime, request.refresh_token)


@router.post("/logout", status_code=204, responses=describe_problems(401, 403, 422, 500))
def logout(
    who: SignedInOf,
    runtime: RuntimeOf,
    everywhere: Annotated[bool, Query(description="Whether all sign-ins of the account end, not this one alone.")] = (
        False
    ),
) -> None:
    """Sign out: the access and refresh tokens of this sign-in are good no more. API tokens stay."""
    sign_ins.sign_out(runtime, who, everywhere=everywhere)
