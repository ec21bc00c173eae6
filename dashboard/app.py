"""The dashboard's frame: title, pages, who is signed in, and the one sentence that stays in view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from api.schemas import NOTICE
from dashboard import session

_HERE = Path(__file__).parent
_SCREENS = _HERE / "screens"
_PLACES = (
    ("analyse", "Analyse", "ecg_heart"),
    ("recording", "Recording", "monitor_heart"),
    ("history", "History", "history"),
    ("batch", "Batch", "stacks"),
    ("evaluation", "Evaluation", "target"),
    ("models", "Models", "deployed_code"),
    ("settings", "Settings", "settings"),
)
_SIDEBAR_PX = 200
"""Narrow: on a tablet the tracing needs the room."""

st.set_page_config(
    page_title="Einthoven", page_icon=str(_HERE / "favicon.svg"), layout="wide", initial_sidebar_state=_SIDEBAR_PX
)
st.html(_HERE / "theme.css")
signed_in = session.is_signed_in()
# Before somebody signs in, every address shows the form: after it, they are where they wanted to be.
pages = [
    st.Page(
        _SCREENS / (f"{name}.py" if signed_in else "sign_in.py"),
        title=title if signed_in else "Sign in",
        icon=f":material/{icon}:",
        url_path=name,
        default=name == "analyse",
    )
    for name, title, icon in _PLACES
]
page = st.navigation(pages, position="sidebar" if signed_in else "hidden")
if signed_in and st.sidebar.button("Sign out", icon=":material/logout:", width="stretch"):
    session.sign_out()
    st.rerun()
if signed_in:
    # Before the page, which may take its time.
    with st.sidebar:
        session.keep()
page.run()
st.divider()
st.caption(NOTICE)
if not signed_in:
    session.keep()
