"""A form for what is known of the person. What is left open stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas import Fact, Subject
from dashboard import words

_SEXES = {"Unknown": None, "Female": "female", "Male": "male"}
_YES_NO = {"Unknown": None, "Yes": "yes", "No": "no"}


def person_form(subject: Subject, facts: Sequence[Fact]) -> dict[str, Any] | None:
    """Ask for age, sex and facts; return them as stated once they are applied, and None before."""
    with st.form("person", border=False):
        left, right = st.columns(2)
        age = left.number_input("Age (years)", 0.0, 130.0, subject.age, 1.0, format="%.0f", key="age")
        sex = right.radio("Sex", list(_SEXES), list(_SEXES.values()).index(subject.sex), horizontal=True, key="sex")
        columns = st.columns(2)
        asked = {fact.name: _ask(columns[at % 2], fact, subject.facts.get(fact.name)) for at, fact in enumerate(facts)}
        st.caption("Nothing is assumed: what is left open counts as unknown.")
        if not st.form_submit_button("Apply", type="primary"):
            return None
    known = {name: value for name, value in asked.items() if value is not None}
    return {"age": age, "sex": _SEXES[sex], "facts": known}


def _ask(column: DeltaGenerator, fact: Fact, known: Any) -> str | None:
    """Ask for one fact; None where it stays unknown."""
    title, key = words.sentence(fact.title), f"fact_{fact.name}"
    if fact.kind == "number":
        start = float(known) if isinstance(known, int | float) and not isinstance(known, bool) else None
        number = column.number_input(f"{title} ({fact.unit})", fact.least, fact.most, start, format="%.0f", key=key)
        return None if number is None else str(number)
    options = _YES_NO if fact.kind == "yes_no" else {"Unknown": None, **{text: text for text in fact.options}}
    said = ("yes" if known else "no") if isinstance(known, bool) else known
    at = list(options.values()).index(said) if said in options.values() else 0
    return options[column.selectbox(title, list(options), at, key=key)]
