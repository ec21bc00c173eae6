"""Whether the service can do its work, part by part."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.service import Problem


class Check(Schema):
    """How one part is."""

    state: Literal["ok", "starting", "failed"] = Field(
        description="`starting` will be `ok` by itself; `failed` needs somebody to look at it.", examples=["ok"]
    )
    reason: str | None = Field(
        default=None, description="Why it is not `ok`.", examples=["the models are being loaded"]
    )


class Checks(Schema):
    """How each part is."""

    database: Check = Field(description="It answers, and has the tables of this version.")
    store: Check = Field(description="Uploads can be written.")
    models: Check = Field(description="They are loaded, and have been run once.")


class Readiness(Schema):
    """The service can do its work."""

    status: Literal["ok"] = "ok"
    checks: Checks


class NotReady(Problem):
    """The service cannot do its work, or cannot yet."""

    checks: Checks
