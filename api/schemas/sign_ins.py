"""Sign-ins."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from api.schemas.accounts import AccountRequest, Password
from api.schemas.base import Schema
from api.schemas.service import Problem


class Credentials(AccountRequest):
    """Somebody who signs in."""

    name: Annotated[
        str,
        Field(
            max_length=254,
            validation_alias=AliasChoices("name", "username"),
            description="`username` is understood too.",
            examples=["ada@example.org"],
        ),
    ]
    password: Password


class RefreshRequest(Schema):
    """The refresh token of a sign-in."""

    refresh_token: str = Field(max_length=200, repr=False, description="The one that was given last.")


class Tokens(Schema):
    """What a sign-in is answered with."""

    access_token: str = Field(repr=False, description="Send it as `Authorization: Bearer <access_token>`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the kind, not a secret
    expires_in: int = Field(description="Seconds that the access token is good for.", examples=[1800])
    refresh_token: str = Field(
        repr=False, description="Send it to `POST /refresh` for new tokens; it is good once.", examples=["etr_..."]
    )
    scope: str = Field(description="What the access token allows, spaces between.", examples=["read write"])


class OAuthProblem(Problem):
    """What went wrong, for clients of OAuth 2.0 (RFC 6749, 5.2) and for all others."""

    error: Literal["invalid_request", "invalid_grant", "unsupported_grant_type", "temporarily_unavailable"] | None = (
        Field(default=None, description="Null where the form itself cannot be parsed.")
    )
    error_description: str | None = Field(default=None, description="The same as `detail`.")
