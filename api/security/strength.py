"""Whether a secret that was given is worth the name."""

from __future__ import annotations

LEAST_LENGTH = 32
LEAST_DISTINCT = 10
_KNOWN = ("secret", "changeme", "change-me", "change_me", "password", "default", "example", "your-", "insecure", "dev-")


def find_weakness(secret: str) -> str | None:
    """Return what is wrong with a signing secret, as the rest of a sentence; None where nothing is."""
    if len(secret) < LEAST_LENGTH:
        return f"is too short: {len(secret)} characters, at least {LEAST_LENGTH} are needed"
    if len(set(secret)) < LEAST_DISTINCT:
        return f"is weak: it has only {len(set(secret))} different characters"
    if known := next((word for word in _KNOWN if word in secret.lower()), None):
        return f"looks like a default: it contains {known!r}"
    return None
