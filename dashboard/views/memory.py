"""What the API said that never changes, remembered: Streamlit runs a page again at every touch."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import streamlit as st

T = TypeVar("T")
_KEPT = 40
"""Answers that a session remembers; the oldest goes first."""


def remember(name: Hashable, ask: Callable[[], T]) -> T:
    """Return what was answered under this name in this session, asking once."""
    known: dict[Hashable, T] = st.session_state.setdefault("remembered", {})
    if name not in known:
        known[name] = ask()
        while len(known) > _KEPT:
            del known[next(iter(known))]
    return known[name]


def tell(text: str) -> None:
    """Have something said on the page that comes next."""
    st.session_state["told"] = text


def told() -> str | None:
    """Return what the page before left to be said; once."""
    text: str | None = st.session_state.pop("told", None)
    return text


def zone() -> ZoneInfo | None:
    """Return the time zone of the reader's browser, where it is known."""
    return ZoneInfo(st.context.timezone) if st.context.timezone else None


def when(moment: datetime) -> str:
    """Return a moment as the reader's clock shows it; in UTC, and so called, where the zone is not known."""
    here = zone()
    return f"{moment.astimezone(here or UTC):%d %b %Y, %H:%M}{'' if here else ' UTC'}"
