"""The dashboard's frame: title, pages, who is signed in, and the one sentence that stays in view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from api.schemas import NOTICE
from dashboard import session

_HERE = Path(__file__).parent
_PAGES = _HERE / "pages"

st.set_page_config(page_title="Einthoven", page_icon=str(_HERE / "favicon.svg"), layout="wide")
if session.is_signed_in():
    pages = [st.Page(_PAGES / "analyse.py", title="Analyse", icon=":material/ecg_heart:", default=True)]
else:
    pages = [st.Page(_PAGES / "sign_in.py", title="Sign in", icon=":material/login:", default=True)]
page = st.navigation(pages)
if session.is_signed_in() and st.sidebar.button("Sign out", icon=":material/logout:", width="stretch"):
    session.sign_out()
    st.rerun()
page.run()
st.divider()
st.caption(NOTICE)
