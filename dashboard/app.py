"""The dashboard's frame: title, pages, and the one sentence that stays in view."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from api.schemas import NOTICE

_HERE = Path(__file__).parent

st.set_page_config(page_title="Einthoven", page_icon=str(_HERE / "favicon.svg"), layout="wide")
page = st.navigation(
    [st.Page(_HERE / "pages" / "analyse.py", title="Analyse", icon=":material/ecg_heart:", default=True)]
)
page.run()
st.divider()
st.caption(NOTICE)
