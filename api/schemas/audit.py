"""The audit trail."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.schemas.base import Schema


class AuditEvent(Schema):
    """Who did what to which record. It outlives the record."""

    id: str
    at: datetime = Field(description="UTC.")
    actor_id: str | None = Field(
        description="Whose account it was; null where nobody was signed in, or the service itself acted."
    )
    actor_name: str | None = Field(description="Null where the account is gone.", examples=["ada@example.org"])
    token_id: str | None = Field(description="The API token that was used, where one was.")
    action: str = Field(examples=["created", "read", "changed", "deleted", "signed_in", "sign_in_failed"])
    object_kind: str = Field(examples=["recording", "analysis", "job", "account", "token"])
    object_id: str | None = Field(description="Null where there is no such thing, as for names nobody has.")
    owner_id: str | None = Field(description="Whose record it is or was.")
    request_id: str | None = Field(description="To find it in the service's log.")


class AuditPage(Schema):
    """Some of the audit trail, the newest first."""

    items: list[AuditEvent]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next ones; null at the end.")
