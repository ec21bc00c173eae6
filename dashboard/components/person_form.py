"""Fields for what is known of the person. What is left open stays unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.schemas import Fact, Subject
from dashboard import words

_SEXES = {"Unknown": None, "Female": "female", "Male": "male"}
_YES_NO = {"Unknown": None, "Yes": "yes", "No": "no"}


def ask_person(subject: Subject, facts: Sequence[Fact], key: str = "") -> dict[str, Any]:
    """Ask for what is known of a person; return the answers, None where something stays unknown.

    Parameters
    ----------
    subject
        What is known already.
    facts
        What can be known beside id, age and sex.
    key
        Tells the fields of one person from those of the next.
    """
    named = st.text_input("Patient", subject.id or "", max_chars=200, key=f"subject_id{key}", placeholder="P-0042")
    return {"id": named.strip() or None, **ask_facts(subject, facts, key)}


def ask_facts(subject: Subject, facts: Sequence[Fact], key: str = "") -> dict[str, Any]:
    """Ask for age, sex and facts alone; return the answers, None where something stays unknown."""
    left, right = st.columns(2)
    age = _number(left, "Age (years)", 0.0, 130.0, subject.age, f"age{key}")
    sex = right.radio("Sex", list(_SEXES), list(_SEXES.values()).index(subject.sex), horizontal=True, key=f"sex{key}")
    columns = st.columns(2)
    asked = {fact.name: _ask(columns[at % 2], fact, subject.facts.get(fact.name), key) for at, fact in enumerate(facts)}
    st.caption("Nothing is assumed: what is left open counts as unknown.")
    return {"age": age, "sex": _SEXES[sex], "facts": asked}


def _ask(column: DeltaGenerator, fact: Fact, known: Any, key: str) -> str | None:
    """Ask for one fact; None where it stays unknown."""
    title, key = words.sentence(fact.title), f"fact_{fact.name}{key}"
    if fact.kind == "number":
        number = _number(column, f"{title} ({fact.unit})", fact.least, fact.most, known, key)
        return None if number is None else str(number)
    options = _YES_NO if fact.kind == "yes_no" else {"Unknown": None, **{text: text for text in fact.options}}
    said = ("yes" if known else "no") if isinstance(known, bool) else known
    at = list(options.values()).index(said) if said in options.values() else 0
    return options[column.selectbox(title, list(options), at, key=key)]


def _number(
    column: DeltaGenerator, label: str, least: float | None, most: float | None, known: Any, key: str
) -> float | None:
    """Ask for a number that may be emptied: one that Streamlit was given as a default could only be replaced."""
    start = float(known) if isinstance(known, int | float) and not isinstance(known, bool) else None
    st.session_state.setdefault(key, start)
    return column.number_input(label, least, most, None, 1.0, format="%.0f", key=key)
