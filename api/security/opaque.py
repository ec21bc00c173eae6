"""Refresh and API tokens: random, with the id of their row in front, of which only a hash is kept."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from uuid import UUID

API_PREFIX = "eta_"
REFRESH_PREFIX = "etr_"
"""Known prefixes, so that scanners for leaked secrets can find ours."""


def new_secret() -> str:
    """Return 256 random bits, as text."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret. It is random and long: a fast hash is enough."""
    return sha256(secret.encode()).hexdigest()


def write_token(prefix: str, row_id: str, secret: str) -> str:
    """Return the token that carries a secret to its row."""
    return f"{prefix}{UUID(row_id).hex}{secret}"


def read_token(prefix: str, token: str) -> tuple[str, str] | None:
    """Return the (row's id, secret) of a token; None where it is no such token."""
    body = token.removeprefix(prefix)
    if body == token or not token.isascii():
        return None
    try:
        return str(UUID(hex=body[:32])), body[32:]
    except ValueError:
        return None


def is_secret(secret: str, hashed: str) -> bool:
    """Return whether this is the secret of which a hash was kept."""
    return hmac.compare_digest(hash_secret(secret), hashed)
