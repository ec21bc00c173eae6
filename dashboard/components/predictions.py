"""What the models say: every label as a row with its bar and threshold, numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from api.schemas import LabelAnswer, ModelAnswer, Quantity
from dashboard import words
from dashboard.components.html import CSS, bar, sure

_CSS = """
<style>
.ecg-charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1.2rem 3rem;
  align-items: start; }
.ecg-labels { display: grid; grid-template-columns: minmax(0, 3fr) minmax(3rem, 2fr) 4.6rem 4.2rem;
  gap: 0.3rem 0.6rem; align-items: center; font-size: 0.95rem; line-height: 1.35; }
.ecg-labels .head { font-size: 0.82rem; opacity: 0.72; }
.ecg-labels .n { text-align: right; font-variant-numeric: tabular-nums; }
.ecg-labels .called { font-weight: 600; }
</style>
"""
MOST = 8
"""Statements that are shown at first."""
_SHOWN = ("superclass", "sex", "af", "normal")
"""Heads of labels that are shown already, or repeat others."""


def model_answer(name: str, answer: ModelAnswer, titles: Mapping[str, str]) -> None:
    """Show what a model says: families of statements, single statements, age and sex, or why it keeps silent.

    Parameters
    ----------
    name
        Of the model.
    answer
        What it says.
    titles
        Label to plain English, where it is known.
    """
    notes = [f"Version {answer.version}"]
    if answer.leads:
        notes.append(f"Read from {', '.join(answer.leads)}")
    notes += [words.sentence(caution) for caution in answer.cautions]
    st.markdown(f"**{words.literally(name)}**  \n:gray[:small[{words.literally('. '.join(notes))}.]]")
    if answer.out_of_scope:
        why = "; ".join(answer.out_of_scope)
        st.info(words.literally(f"Says nothing of this recording: {why}."), icon=":material/block:")
        return
    if text := person(answer):
        st.markdown(f"Age and sex as this tracing looks: **{words.literally(text)}**")
    if families := answer.labels("superclass"):
        label_charts((families, words.SUPERCLASSES), (leading(answer.labels("statements")), titles))
    for head in answer.heads:
        labels = answer.labels(head)
        if labels and (head not in _SHOWN if families else head != "sex"):
            with st.expander(words.literally(f"{words.HEADS.get(head, words.sentence(head))}: all {len(labels)}")):
                named = {**titles, **words.SUBCLASSES} if head == "subclass" else titles
                label_charts((leading(labels, len(labels)), named))
    if answer.withheld:
        with st.expander(f"Withheld: {len(answer.withheld)}"):
            lines = (f"- {words.literally(f'{what}: {why}')}" for what, why in answer.withheld.items())
            st.markdown("\n".join(lines))


def label_charts(*charts: tuple[Mapping[str, LabelAnswer], Mapping[str, str]]) -> None:
    """Show charts of labels and their titles, side by side where there is room.

    Labels stand in their order: title, bar with a tick at the threshold, probability, threshold.
    """
    head = "".join(f'<div class="head{n}">{text}</div>' for text, n in _HEAD)
    shown = (
        "".join(_row(titles.get(name, name), name, answer) for name, answer in answers.items())
        for answers, titles in charts
    )
    grids = "".join(f'<div class="ecg-labels">{head}{rows}</div>' for rows in shown)
    st.html(f'{CSS}{_CSS}<div class="ecg-charts">{grids}</div>')


def leading(answers: Mapping[str, LabelAnswer], most: int = MOST) -> dict[str, LabelAnswer]:
    """Return what is called, then the most probable of the rest, ``most`` in all or as many as are called."""
    order = sorted(answers.items(), key=lambda item: (not item[1].positive, -(item[1].probability or 0.0)))
    called = sum(bool(answer.positive) for answer in answers.values())
    return dict(order[: max(most, called)])


def person(answer: ModelAnswer) -> str:
    """Return in words what a model reads of age and sex."""
    parts = []
    age = answer.quantity("age")
    if age is not None and age.value is not None:
        parts.append(f"{age.value:.0f} years{_interval(age)}")
    sexes = {name: found.probability or 0.0 for name, found in answer.labels("sex").items()}
    if sexes:
        likely = max(sexes, key=lambda name: sexes[name])
        parts.append(f"{likely} ({words.chance(sexes[likely])})")
    return ", ".join(parts)


_HEAD = (("", ""), ("", ""), ("probability", " n"), ("called from", " n"))


def _interval(age: Quantity) -> str:
    if age.low is None or age.high is None:
        return ""
    coverage = f", {age.coverage:.0%} interval" if age.coverage else ""
    return f" ({age.low:.0f} to {age.high:.0f}{coverage})"


def _row(title: str, code: str, answer: LabelAnswer) -> str:
    called = bool(answer.positive)
    kind = "called" if called else ""
    if answer.probability is None:
        why = (
            f'<div class="ecg-quiet ecg-small" style="grid-column: 2 / -1">{escape(answer.reason or "withheld")}</div>'
        )
        return f'<div title="{escape(code)}">{escape(title)}</div>{why}'
    limit = words.DASH if answer.threshold is None else f"{answer.threshold:.2f}"
    if answer.experimental:
        limit = '<span class="ecg-quiet" title="too rare in the data to be called">rare</span>'
    return (
        f'<div class="{kind}" title="{escape(code)}">{escape(title)}</div>'
        f"{bar(answer.probability, answer.threshold, called=called)}"
        f'<div class="n {kind}">{sure(answer.probability)}</div><div class="n ecg-quiet">{limit}</div>'
    )
