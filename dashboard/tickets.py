"""What stands in a browser's cookie for a sign-in, whose tokens stay in this process (docs/decisions/0014)."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from dashboard.client import Tokens

_IDLE_S = 12 * 3600
_MOST = 10_000


class Tickets:
    """Tokens by ticket: all tabs of a browser share one `Tokens`, so that none renews behind another's back.

    Parameters
    ----------
    idle_s
        Seconds without use after which a ticket is good no more.
    most
        How many are kept; the longest unused one goes first.
    clock
        Gives seconds that never go back.
    """

    def __init__(self, idle_s: float = _IDLE_S, most: int = _MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_s, self._most, self._clock = idle_s, most, clock
        self._kept: OrderedDict[str, tuple[Tokens, float]] = OrderedDict()
        """The longest unused first."""
        self._lock = Lock()

    def issue(self, tokens: Tokens) -> str:
        """Return a new ticket for these tokens, which nobody can guess."""
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            self._kept[ticket] = tokens, self._clock()
            self._let_go()
        return ticket

    def find(self, ticket: str) -> Tokens | None:
        """Return the tokens of a ticket, which is used by that; None where it is none, or good no more."""
        with self._lock:
            self._let_go()
            if ticket not in self._kept:
                return None
            tokens, _ = self._kept.pop(ticket)
            self._kept[ticket] = tokens, self._clock()
        return tokens

    def end(self, ticket: str) -> None:
        """Have a ticket be good no more."""
        with self._lock:
            self._kept.pop(ticket, None)

    def _let_go(self) -> None:
        before = self._clock() - self._idle_s
        while self._kept:
            ticket, (_, used) = next(iter(self._kept.items()))
            if len(self._kept) <= self._most and used > before:
                return
            del self._kept[ticket]
