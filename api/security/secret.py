"""The secret that signs access tokens: given, or made on first start and kept."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_NAME = "secret_key"


def kept_secret(folder: Path) -> str:
    """Return the secret in ``folder``, making it first where there is none; only its owner can read the file."""
    path = folder / _NAME
    try:
        return _read(path)
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    # Written beside and linked: of two processes that start together, both find the same one.
    draft = folder / f".{_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
    finally:
        draft.unlink()
    return _read(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()
