"""Two things beside one another where there is room, else one beneath the other."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def side_by_side(key: str, *, shares: tuple[int, int] = (1, 1), least_px: int = 430) -> list[DeltaGenerator]:
    """Return two containers. Streamlit's own columns stack on telephones only.

    Parameters
    ----------
    key
        Names the pair on its page.
    shares
        Of the width.
    least_px
        Width below which the two are not squeezed beside one another.
    """
    first, second = shares
    st.html(
        f"<style>.st-key-{key} > * {{ flex: {first} 1 {least_px}px !important; min-width: min(100%, 280px); }}"
        f".st-key-{key} > *:nth-child(2) {{ flex-grow: {second} !important;"
        f" flex-basis: {min(least_px, 300) if second < first else least_px}px !important; }}</style>"
    )
    with st.container(horizontal=True, key=key, gap="medium"):
        return [st.container(), st.container()]
