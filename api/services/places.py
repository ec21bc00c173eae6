"""Places for requests that wait for something dear: so many in all, so many of one account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from api.errors import Refusal

_RETRY_S = "2"


class Places:
    """Counts who waits.

    Parameters
    ----------
    what
        They wait for, in words: "analyses".
    most, most_of_one
        Places in all, and of one account.
    """

    def __init__(self, what: str, most: int, most_of_one: int) -> None:
        self._what, self._most, self._most_of_one = what, most, most_of_one
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def take(self, user_id: str) -> Iterator[None]:
        """Take a place until the end of the block.

        Raises
        ------
        Refusal
            503 `busy`: all places are taken; 429 `too_many_requests`: this account has taken its share.
        """
        with self._lock:
            if self._taken.total() >= self._most:
                detail = f"{self._most} {self._what} are waited for already"
                raise Refusal(503, "busy", detail, headers={"Retry-After": _RETRY_S})
            if self._taken[user_id] >= self._most_of_one:
                detail = f"this account waits for {self._most_of_one} {self._what} already"
                raise Refusal(429, "too_many_requests", detail, headers={"Retry-After": _RETRY_S})
            self._taken[user_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[user_id] -= 1
                self._taken += Counter()
