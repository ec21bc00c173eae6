"""Passwords: Argon2 hashes, checked in the same time whether or not there is an account."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import BoundedSemaphore
from typing import Any
from unicodedata import normalize

from passlib.hash import argon2

from api.errors import Refusal

_TURNS = min(4, os.cpu_count() or 1)
"""Hashes worked at a time: each takes a core and all its memory."""
_QUEUE = 32
"""Requests that wait for a turn; each holds a thread."""
_LONGEST_WAIT_S = 10.0


class Passwords:
    """Hashes and checks passwords, a few at a time: a flood of sign-ins waits or is sent away.

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
        # At once: it would be loaded by its first use, which fails where two come at a time.
        self._argon2.get_backend()
        self._turns = BoundedSemaphore(_TURNS)
        self._places = BoundedSemaphore(_TURNS + _QUEUE)

    def hash(self, password: str) -> str:
        """Return a salted hash of ``password``, with its parameters."""
        with self.turn():
            return self._hash(password)

    @contextmanager
    def turn(self) -> Iterator[Callable[[str, str | None], bool]]:
        """Wait for a turn, and give what says of a password and a hash whether the password is right.

        Without a hash it is not, after as long a time.
        """
        busy = Refusal(503, "busy", "too many passwords are being checked", headers={"Retry-After": "2"})
        if not self._places.acquire(blocking=False):
            raise busy
        try:
            if not self._turns.acquire(timeout=_LONGEST_WAIT_S):
                raise busy
            try:
                yield self._verify
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def outdated(self, hashed: str) -> bool:
        """Return whether a hash was made with other parameters than these."""
        return bool(self._argon2.needs_update(hashed))

    def _verify(self, password: str, hashed: str | None) -> bool:
        right = bool(self._argon2.verify(_canonical(password), hashed or self._nobodys))
        return right and hashed is not None

    def _hash(self, password: str) -> str:
        hashed: str = self._argon2.hash(_canonical(password))
        return hashed

    @cached_property
    def _nobodys(self) -> str:
        return self._hash("nobody has this password")


def _canonical(password: str) -> str:
    """Return a password as it is hashed: keyboards differ in how they send the same letters."""
    return normalize("NFKC", password)
