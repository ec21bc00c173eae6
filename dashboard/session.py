"""Who is signed in to this browser session, and the client that speaks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from api.schemas import Info, Me
from dashboard import words
from dashboard.client import ApiUnreachable, Client, SignedOut, Tokens, connect
from dashboard.components.ticket_cookie import drop_ticket, held_ticket, hold_ticket
from dashboard.tickets import Tickets

_TOKENS = "tokens"
_TICKET = "ticket"
_OLD_TICKET = "old ticket"
_ENDED = "sign-in ended"
_INFO_S = 60
"""Seconds for which what the service can do is taken as known."""


@st.cache_resource
def _service() -> Client:
    """Return the one connection of this process, which speaks for nobody, or for ``EINTHOVEN_API_TOKEN``."""
    return connect()


@st.cache_resource
def _tickets() -> Tickets:
    """Return the tickets of this process."""
    return Tickets()


def api() -> Client:
    """Return the client of this session."""
    return _service().speaking_for(_tokens())


def is_signed_in() -> bool:
    """Return whether requests of this session speak for somebody."""
    return _tokens().access is not None


def sign_in(name: str, password: str) -> None:
    """Sign this session in."""
    client = _service().speaking_for(Tokens())
    client.accounts.sign_in(name, password)
    _begin(client.tokens)


def register(name: str, password: str) -> None:
    """Make an account, and sign this session in to it."""
    client = _service().speaking_for(Tokens())
    client.accounts.register(name, password)
    client.accounts.sign_in(name, password)
    _begin(client.tokens)


def use_token(token: str) -> Me:
    """Sign this session in with a personal API token, once the API takes it."""
    client = _service().speaking_for(Tokens(token))
    me = client.accounts.me()
    _begin(client.tokens)
    return me


def sign_out() -> None:
    """Sign this session out, in all tabs of the browser, and forget all that it showed."""
    tokens = _tokens()
    try:
        api().accounts.sign_out()
    except ApiUnreachable:
        tokens.access = tokens.refresh = None
    _end_ticket()
    old = st.session_state.get(_OLD_TICKET)
    st.session_state.clear()
    st.session_state[_TOKENS] = Tokens()
    if old is not None:
        st.session_state[_OLD_TICKET] = old


def keep() -> None:
    """Have the browser stay signed in when the page is loaded again, or no longer."""
    ticket: str | None = st.session_state.get(_TICKET) if is_signed_in() else None
    held = held_ticket()
    if ticket is not None:
        _tickets().find(ticket)
        if held != ticket:
            hold_ticket(ticket)
    elif not is_signed_in() and (old := st.session_state.get(_OLD_TICKET) or held):
        drop_ticket(old)


def why_ended() -> str | None:
    """Return why somebody who was signed in is no more; once."""
    reason: str | None = st.session_state.pop(_ENDED, None)
    return reason


@contextmanager
def guarded() -> Iterator[None]:
    """Show what keeps a page from its service: nobody there, or a sign-in that has ended; the work is kept."""
    try:
        yield
    except SignedOut as error:
        if is_signed_in():
            _end_ticket()
            st.session_state[_TOKENS] = Tokens()
            st.session_state[_ENDED] = error.problem.detail
            st.rerun()
        st.info("Sign in to see this.", icon=":material/login:")
    except ApiUnreachable as error:
        show_unreachable(error)


def show_unreachable(error: ApiUnreachable) -> None:
    """Say that there is no service, and what to do."""
    st.error(f"The analysis service does not answer at {error.url}.", icon=":material/cloud_off:")
    st.markdown("Start it with `ecg serve` (or `make up`), or set `EINTHOVEN_API_URL` to its address.")
    st.caption(words.literally(error.why))
    if st.button("Try again", icon=":material/refresh:"):
        st.rerun()


@st.cache_resource(ttl=_INFO_S)
def info() -> Info:
    """Return what the service is and takes."""
    return _service().info()


def _begin(tokens: Tokens) -> None:
    _end_ticket()
    st.session_state[_TOKENS] = tokens
    st.session_state[_TICKET] = _tickets().issue(tokens)
    st.session_state.pop(_ENDED, None)


def _end_ticket() -> None:
    if (ticket := st.session_state.pop(_TICKET, None)) is not None:
        _tickets().end(ticket)
        st.session_state[_OLD_TICKET] = ticket


def _tokens() -> Tokens:
    """Return whom this session speaks for: who signed in, whose ticket the browser came with, or whom it was given."""
    if _TOKENS not in st.session_state:
        held = held_ticket()
        known = _tickets().find(held) if held else None
        if known is not None:
            st.session_state[_TICKET] = held
        given = _service().tokens
        st.session_state[_TOKENS] = known or Tokens(given.access, given.refresh)
    tokens: Tokens = st.session_state[_TOKENS]
    return tokens
