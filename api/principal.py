"""On whose behalf a request is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["read", "write", "admin"]
SCOPES: dict[Scope, str] = {
    "read": "See recordings, analyses, jobs and models; compute without storing.",
    "write": "Store, change and delete.",
    "admin": "Manage accounts; see the audit trail, all jobs and the metrics. Of administrators only.",
}


@dataclass(frozen=True)
class Principal:
    """An account, as it is signed in or as one of its API tokens lets it act."""

    user_id: str
    name: str
    role: Literal["user", "admin"]
    scopes: frozenset[Scope]
    sign_in_id: str | None = None
    """None where an API token is used."""
    token_id: str | None = None
