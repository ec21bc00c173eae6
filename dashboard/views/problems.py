"""What went wrong, in words, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from api.schemas import Problem
from dashboard import session, words
from dashboard.client import ApiProblem


def show_problem(problem: Problem) -> None:
    """Show what happened, and the way out."""
    st.error(words.literally(words.what_happened(problem)), icon=":material/error:")
    if advice := words.what_to_do(problem):
        st.markdown(words.literally(advice))
    if problem.code == "unknown_format":
        show_formats()


@contextmanager
def refused() -> Iterator[None]:
    """Show a refusal where it happens; the rest of the page stands."""
    try:
        yield
    except ApiProblem as error:
        show_problem(error.problem)


def show_formats() -> None:
    """List what can be read."""
    titles = {item.title: item.suffixes for item in session.info().formats}
    titles["Archives of these"] = [".zip", ".tar.gz"]
    columns = st.columns(3)
    for position, (title, suffixes) in enumerate(titles.items()):
        columns[position % 3].markdown(f"{title} :gray[{' '.join(suffixes)}]")
