"""One's account: API tokens, password, appearance, audit trail; and what administrators look after."""

from __future__ import annotations

import streamlit as st

from dashboard import session, telling
from dashboard.views import administration
from dashboard.views.account import show_account, show_appearance, show_audit, show_tokens
from dashboard.views.problems import refused

_MINE = {
    "API tokens": show_tokens,
    "Account": show_account,
    "Appearance": show_appearance,
    "Audit trail": show_audit,
}
_OF_ADMINISTRATORS = {
    "Users": administration.show_users,
    "All jobs": administration.show_jobs,
    "Health": administration.show_health,
}


def _page() -> None:
    st.title("Settings", anchor=False)
    with refused():
        me = session.api().accounts.me()
        role = "administrator" if me.role == "admin" else "user"
        st.caption(f"Signed in as **{telling.name(me.name)}**, {role}.")
        places = _MINE | (_OF_ADMINISTRATORS if me.role == "admin" else {})
        # One at a time, so that each is asked for only when it is looked at.
        chosen = st.segmented_control(
            "Section", list(places), default="API tokens", required=True, label_visibility="collapsed", key="section"
        )
        show = places.get(chosen or "", show_tokens)
        with refused():
            show(me)


with session.guarded():
    _page()
