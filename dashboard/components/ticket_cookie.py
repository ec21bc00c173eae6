"""The cookie that holds a ticket: set and taken away by the browser, as a Streamlit script has no answer to set it on.

Why it is safe, and what it cannot do, is in docs/decisions/0014-staying-signed-in.md.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import streamlit as st


def held_ticket() -> str | None:
    """Return the ticket that the browser came with."""
    return st.context.cookies.get(_name())


def hold_ticket(ticket: str) -> None:
    """Have the browser hold a ticket until it is closed."""
    _run(f"document.cookie = {_quote(_cookie(ticket))};")


def drop_ticket(old: str) -> None:
    """Have the browser hold a ticket no longer; one that another tab has set since is left alone."""
    holds = f'document.cookie.split("; ").includes({_quote(f"{_name()}={old}")})'
    _run(f"if ({holds}) document.cookie = {_quote(_cookie('') + '; Max-Age=0')};")


def _run(script: str) -> None:
    st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def _cookie(ticket: str) -> str:
    """Return the cookie as it is set; without a lifetime, it goes with the browser."""
    return f"{_name()}={ticket}; Path=/; SameSite=Strict" + ("; Secure" if _is_secure() else "")


def _quote(text: str) -> str:
    """Return a text for a script, with nothing in it that could end the script: a browser may come with any cookie."""
    return json.dumps(text).replace("<", "\\u003c")


def _name() -> str:
    """Return the cookie's name: over HTTPS one that no neighbouring host can set, else one for each port."""
    return "__Host-einthoven" if _is_secure() else f"einthoven-{urlsplit(st.context.url or '').port or 80}"


def _is_secure() -> bool:
    return (st.context.url or "").startswith("https:")
