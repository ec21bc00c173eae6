"""Accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasChoices, ConfigDict, Field

from api.schemas.api_tokens import TokenScope
from api.schemas.base import Schema

Role = Literal["user", "admin"]
Name = Annotated[
    str,
    Field(
        min_length=3,
        max_length=254,
        validation_alias=AliasChoices("name", "username"),
        description="3 to 254 characters, as people write them; an email address is welcome but not needed. Case and"
        " ways of writing the same letters make no difference. `username` is understood too.",
        examples=["ada@example.org"],
    ),
]
NewPassword = Annotated[
    str,
    Field(
        min_length=10,
        max_length=1024,
        repr=False,
        description="10 to 1024 characters, of any kind; neither the name nor one of the commonest (`weak_password`).",
        examples=["correct horse battery staple"],
    ),
]
Password = Annotated[str, Field(max_length=1024, repr=False, examples=["correct horse battery staple"])]


class AccountRequest(Schema):
    """What clients send, by the names of the fields or by their other names."""

    model_config = ConfigDict(populate_by_name=True)


class NewAccount(AccountRequest):
    """Somebody who registers."""

    name: Name
    password: NewPassword


class NewAccountByAdmin(NewAccount):
    """Somebody for whom an administrator makes an account."""

    role: Role = Field(default="user", description="Administrators manage accounts; they see no one's recordings.")


class PasswordChange(Schema):
    """A new password, and the old one as proof."""

    old_password: Password
    new_password: NewPassword


class PasswordProof(Schema):
    """The password, once more."""

    password: Password


class Account(Schema):
    """An account."""

    id: str = Field(examples=["0b8a2f6e-6f7c-4f0e-9a53-6e1f6f2a7c11"])
    name: str = Field(description="As it was written.", examples=["ada@example.org"])
    role: Role
    is_active: bool = Field(description="Whether it can sign in.")
    created_at: datetime = Field(description="UTC.")
    last_sign_in_at: datetime | None = Field(description="UTC; null before the first.")


class AccountPage(Schema):
    """Some of the accounts, by name."""

    items: list[Account]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next ones; null at the end.")


class AccountChange(Schema):
    """What an administrator changes of an account; what is left out stays."""

    role: Role | None = Field(default=None, description="`admin` to manage accounts, `user` to do so no more.")
    is_active: bool | None = Field(
        default=None, description="`false` ends its sign-ins and stops its API tokens; its recordings stay."
    )


class Me(Schema):
    """Whom a token speaks for."""

    id: str = Field(examples=["0b8a2f6e-6f7c-4f0e-9a53-6e1f6f2a7c11"])
    name: str = Field(examples=["ada@example.org"])
    role: Role
    scopes: list[TokenScope] = Field(description="What this token allows.", examples=[["read", "write"]])
    created_at: datetime = Field(description="When the account was made (UTC).")
    last_sign_in_at: datetime | None = Field(description="UTC.")
