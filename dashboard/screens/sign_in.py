"""Sign in, register, or paste an API token."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import session, words
from dashboard.client import ApiProblem, SignedOut

_WIDTH_PX = 460


def _page() -> None:
    with st.container(horizontal_alignment="center"), st.container(width=_WIDTH_PX):
        st.title("Einthoven", anchor=False)
        st.caption("Reads an electrocardiogram in whatever form it comes, and says what can honestly be said about it.")
        if reason := session.why_ended():
            st.info(
                f"Please sign in again: {words.literally(reason)}. Your work is kept.", icon=":material/lock_clock:"
            )
        known, new, token = st.tabs(["Sign in", "Register", "API token"])
        with known:
            _sign_in()
        with new:
            _register()
        with token:
            _paste()


def _sign_in() -> None:
    with st.form("sign in", border=False):
        name = st.text_input("Name or email", key="name", autocomplete="username")
        password = st.text_input("Password", type="password", key="password", autocomplete="current-password")
        if st.form_submit_button("Sign in", type="primary", width="stretch"):
            _try(lambda: session.sign_in(name, password))


def _register() -> None:
    with st.form("register", border=False):
        name = st.text_input("Name or email", key="new_name", autocomplete="username")
        password = st.text_input(
            "Password", type="password", key="new_password", autocomplete="new-password", help="10 characters or more."
        )
        if st.form_submit_button("Register and sign in", type="primary", width="stretch"):
            _try(lambda: session.register(name, password))


def _paste() -> None:
    with st.form("token", border=False):
        token = st.text_input(
            "Personal API token", type="password", key="token", placeholder="eta_...", help="Settings makes one."
        )
        if st.form_submit_button("Use it", type="primary", width="stretch"):
            _try(lambda: session.use_token(token.strip()))


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except (ApiProblem, SignedOut) as error:
        st.error(words.literally(words.sentence(words.what_happened(error.problem))), icon=":material/error:")
    else:
        st.rerun()


with session.guarded():
    _page()
