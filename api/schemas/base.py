"""What all shapes share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

NOTICE = "Research use, not a medical device. Suggested statements, unconfirmed: they need a physician's over-read."


class Schema(BaseModel):
    """What all shapes share: unknown fields are ignored, so that an older client reads a newer answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")
