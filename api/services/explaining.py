"""Explanations for many requests: one at a time, beside the analyses, and the last ones kept at hand."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar

from api.services.places import Places

MOST, MOST_OF_ONE = 8, 4
"""Requests that wait for an explanation at a time, in all and of one account."""
_AT_HAND = 64
T = TypeVar("T")


class Explaining:
    """Where explanations are made.

    One costs as much as several analyses; were they made side by side, analyses would wait for them.
    """

    def __init__(self) -> None:
        self._at_hand: OrderedDict[Hashable, tuple[str, bytes]] = OrderedDict()
        self._places = Places("explanations", MOST, MOST_OF_ONE)
        self._lock, self._turn = Lock(), Lock()
        self._forgotten = 0
        """How often anything was: what was begun before that is not kept at hand after it."""

    def answer(
        self, key: Hashable, fingerprint: str, user_id: str, load: Callable[[], T], make: Callable[[T], bytes]
    ) -> bytes:
        """Return what was made under this key, or make it. Blocks.

        Parameters
        ----------
        key
            All that it follows from.
        fingerprint
            Of the recording that it is of, with which it is forgotten.
        user_id
            Who waits for it.
        load
            Reads the recording, beside whatever is being explained.
        make
            Explains it.

        Raises
        ------
        Refusal
            503 `busy`: all places are taken; 429 `too_many_requests`: this account has taken its share.
        """
        if (found := self._find(key)) is not None:
            return found
        with self._places.take(user_id):
            forgotten = self._forgotten
            recording = load()
            with self._turn:
                # Whoever was before may have asked the same.
                made = self._find(key) or make(recording)
            with self._lock:
                if forgotten == self._forgotten:
                    self._at_hand[key] = fingerprint, made
                    while len(self._at_hand) > _AT_HAND:
                        self._at_hand.popitem(last=False)
        return made

    def at_hand(self) -> list[str]:
        """Return the fingerprints of the recordings of which explanations are at hand."""
        with self._lock:
            return [fingerprint for fingerprint, _ in self._at_hand.values()]

    def forget(self, fingerprint: str) -> None:
        """Keep no explanation of a recording at hand."""
        with self._lock:
            self._forgotten += 1
            self._at_hand = OrderedDict((key, kept) for key, kept in self._at_hand.items() if kept[0] != fingerprint)

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            if key not in self._at_hand:
                return None
            self._at_hand.move_to_end(key)
            return self._at_hand[key][1]
