"""Passwords: Argon2 hashes, checked in the same time whether or not there is an account."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from passlib.hash import argon2


class Passwords:
    """Hashes and checks passwords.

    Parameters
    ----------
    cost
        Rounds.
    memory_kib
        Memory of a round, KiB.
    """

    def __init__(self, cost: int, memory_kib: int) -> None:
        self._argon2: Any = argon2.using(  # type: ignore[no-untyped-call]
            type="ID", time_cost=cost, memory_cost=memory_kib, parallelism=1
        )

    def hash(self, password: str) -> str:
        """Return a salted hash of ``password``, with its parameters."""
        hashed: str = self._argon2.hash(password)
        return hashed

    def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether the password is right; without a hash, no, after as long a time."""
        right = bool(self._argon2.verify(password, hashed or self._nobodys))
        return right and hashed is not None

    def outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters than these."""
        return bool(self._argon2.needs_update(hashed))

    @cached_property
    def _nobodys(self) -> str:
        return self.hash("nobody has this password")
