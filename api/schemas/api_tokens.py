"""Personal API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.base import Schema

TokenScope = Literal["read", "write", "admin"]


class NewApiToken(Schema):
    """A personal API token to be made."""

    name: str = Field(
        min_length=1, max_length=100, description="To tell it from your others.", examples=["nightly import"]
    )
    scopes: list[TokenScope] = Field(
        min_length=1,
        max_length=3,
        description="`read`: see, and compute without storing. `write`: store, change, delete. `admin`: manage"
        " accounts, for administrators.",
        examples=[["read", "write"]],
    )
    expires_in_days: int | None = Field(
        default=90, ge=1, le=3650, description="Days that it is good for; null for a token that does not expire."
    )


class ApiToken(Schema):
    """A personal API token, without its secret."""

    id: str
    name: str = Field(examples=["nightly import"])
    scopes: list[TokenScope] = Field(examples=[["read", "write"]])
    created_at: datetime = Field(description="UTC.")
    expires_at: datetime | None = Field(description="UTC; null where it does not expire.")
    last_used_at: datetime | None = Field(description="UTC, to the minute; null where it never was.")


class CreatedApiToken(ApiToken):
    """A personal API token that was just made."""

    token: str = Field(
        repr=False,
        description="Shown this once: only a hash of it is kept. Send it as `Authorization: Bearer <token>`.",
        examples=["eta_..."],
    )


class ApiTokenList(Schema):
    """Your API tokens, the newest first."""

    items: list[ApiToken]
