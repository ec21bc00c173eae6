"""Why a model says what it says: chosen by the reader, computed by the API, drawn on the paper above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from api.schemas import (
    Explainable,
    ExplainableLabel,
    ExplainableModel,
    ExplanationAnswer,
    ExplanationMethod,
    StoredAnalysis,
)
from dashboard import session, words
from dashboard.client import ApiProblem
from dashboard.components import explanation as shown
from dashboard.components.ecg_paper import Heat
from dashboard.views import memory
from dashboard.views.layout import side_by_side
from dashboard.views.problems import show_problem

MODEL = "heart12"
"""Whose answers a report explains."""
METHODS: dict[ExplanationMethod, str] = {
    "gradients": "Lead and time",
    "activation": "Time alone",
    "occlusion": "What if",
    "shap": "Fair shares",
}
"""What each method is called; what it tells, the API says."""
_NAMES: dict[ExplanationMethod, str] = {
    "gradients": "integrated gradients",
    "activation": "class activation",
    "occlusion": "occlusion",
    "shap": "Shapley values",
}
_PLAIN = ("superclass", "statements", "sex", "age")
"""Heads whose labels need not be told from those of others."""


def show_paper_and_why(analysis: StoredAnalysis, draw: Callable[[Heat | None], None]) -> None:
    """Draw the paper, and beneath it why the models say so, once that is asked for.

    Parameters
    ----------
    analysis
        What is explained.
    draw
        Draws the paper, with what is explained laid over it.
    """
    paper = st.container()
    with st.container(border=True, key="why"):
        heat = _ask(analysis)
    with paper:
        draw(heat)


def chosen(analysis_id: str) -> tuple[str, ExplanationMethod | None]:
    """Return the label and the method that a report is to explain: those on the page, else ``auto``."""
    state = st.session_state
    label = state.get(_key("label", analysis_id, MODEL))
    if not label or not state.get(_key("on", analysis_id)) or state.get(_key("model", analysis_id), MODEL) != MODEL:
        return "auto", None
    return label, state.get(_key("method", analysis_id, MODEL))


def _ask(analysis: StoredAnalysis) -> Heat | None:
    """Ask what is to be explained, show it, and return what is laid over the paper."""
    if not st.toggle("**Why?** Show what an answer rests on", key=_key("on", analysis.id)):
        return None
    client = session.api()
    try:
        with st.spinner("Asking what can be explained ..."):
            offered = memory.remember(("explainable", analysis.id), lambda: client.analyses.explainable(analysis.id))
        if (asked := _choose(analysis.id, offered)) is None:
            return None
        model, label, method = asked
        with st.spinner("Explaining ...", show_time=True):
            found = memory.remember(
                ("explanation", analysis.id, *asked),
                lambda: client.analyses.explain(analysis.id, label, method, model=model),
            )
    except ApiProblem as error:
        _show_refusal(error)
        return None
    _show(found, offered.methods.get(method, ""))
    heat = found.heat
    return None if heat is None else Heat(heat.step_s, heat.leads, heat.start_s, found.title)


def _choose(analysis_id: str, offered: Explainable) -> tuple[str, str, ExplanationMethod] | None:
    """Ask for model, label and method; None where no model has anything to explain."""
    models = {model.name: model for model in offered.models if model.labels}
    if not models:
        reasons = {model.reason for model in offered.models if model.reason}
        why = "; ".join(sorted(reasons)) or "no model that can be explained is installed"
        st.info(words.literally(f"There is nothing to explain: {why}."), icon=":material/block:")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = MODEL if MODEL in models else next(iter(models))
        if len(models) > 1:
            key = _key("model", analysis_id)
            picked = st.segmented_control("Model", list(models), default=name, key=key, width="content")
            name = picked or name
        labels = _distinct(models[name].labels, offered.label)
        label = st.selectbox(
            "Answer",
            list(labels),
            format_func=lambda at: words.literally(_titled(labels[at])).replace("\\", ""),
            key=_key("label", analysis_id, name),
            width=430,
        )
        methods = labels[label].methods
        method = methods[0]
        if len(methods) > 1:
            picked_method = st.segmented_control(
                "How",
                methods,
                default=method,
                format_func=METHODS.__getitem__,
                key=_key("method", analysis_id, name),
                width="content",
            )
            method = picked_method or method
    _show_withheld(models[name])
    return name, label, method


def _distinct(labels: Sequence[ExplainableLabel], first: str | None) -> dict[str, ExplainableLabel]:
    """Return labels in their order, the one that is explained first at their head; what two heads say alike, once."""
    ordered = sorted(labels, key=lambda item: item.label != first)
    found: dict[tuple[str, float | None], ExplainableLabel] = {}
    for item in ordered:
        found.setdefault((item.title, item.probability), item)
    return {item.label: item for item in found.values()}


def _titled(item: ExplainableLabel) -> str:
    head, _, code = item.label.partition(".")
    which = code if head in ("superclass", "statements") else "" if head in _PLAIN else f"{code}, {head}"
    text = f"{item.title} ({which})" if which else item.title
    if item.probability is not None:
        text += f"  ·  {words.chance(item.probability)}"
    return text + ("  ·  called" if item.positive else "")


def _show_withheld(model: ExplainableModel) -> None:
    reasons: dict[str, list[str]] = {}
    for label, why in model.withheld.items():
        reasons.setdefault(why, []).append(label.partition(".")[2])
    for why, labels in reasons.items():
        what = ", ".join(labels[:6]) + (f" and {len(labels) - 6} more" if len(labels) > 6 else "")
        st.caption(words.literally(f"Not to be explained, since it is withheld: {what} ({why})."))


def _show_refusal(error: ApiProblem) -> None:
    if error.problem.code == "withheld":
        st.info(words.literally(f"{words.sentence(error.problem.detail)}."), icon=":material/block:")
        return
    show_problem(error.problem)
    st.button("Try again", icon=":material/refresh:", key="why again")


def _show(found: ExplanationAnswer, about: str) -> None:
    shown.sentence(found)
    if found.segments or found.figures:
        left, right = side_by_side("why_parts", shares=(3, 2))
        with left:
            _show_parts(found)
        with right:
            _show_sums(found)
    else:
        _show_sums(found)
    st.caption(words.literally(f"{words.sentence(_NAMES[found.method])}. {about}"))
    for caution in found.cautions:
        st.caption(words.literally(f"{words.sentence(caution)}."))
    if rows := shown.as_rows(found):
        with st.expander("All parts as a table"):
            st.dataframe(rows, hide_index=True)
    _show_faithfulness(found)


def _show_parts(found: ExplanationAnswer) -> None:
    if found.figures:
        st.markdown("**What each figure adds**")
        shown.figure_bars(found.figures)
        return
    st.markdown("**What each wave adds**" if found.adds_up else "**What goes with each wave**")
    shown.parts_grid(found)
    st.caption(f"In {found.unit}, over all beats: orange for the answer, blue against it. Hover for more.")


def _show_sums(found: ExplanationAnswer) -> None:
    if found.adds_up:
        st.markdown("**How that adds up**")
        shown.sums(found)
    elif found.probability is not None:
        st.markdown("**Without them**")
        shown.what_if(found)


def _show_faithfulness(found: ExplanationAnswer) -> None:
    """Show how faithful the method was measured to be, where the model has it."""
    model = found.model

    def ask() -> Mapping[str, Any]:
        measured: Mapping[str, Any] = session.api().models.metrics(model.name, model.version).get("explanations", {})
        return measured

    try:
        measured = memory.remember(("explanations", model.sha256), ask)
    except ApiProblem:
        return
    if measured:
        with st.expander("How faithful is this?"):
            shown.faithfulness(measured, found.method)


def _key(*parts: str) -> str:
    return " ".join(("why", *parts))
