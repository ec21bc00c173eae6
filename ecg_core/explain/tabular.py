"""Explanations of boosted trees on figures: Shapley values of the figures, exact."""

from __future__ import annotations

from collections.abc import Sequence

from ecg_core.errors import InvalidValue
from ecg_core.explain.figure_words import figure_words, unit_of
from ecg_core.explain.titles import title_of
from ecg_core.explain.value import Explanation, Figure, Method
from ecg_core.predictors import Context
from ecg_core.predictors.tabular import Tabular

_EVEN = 0.5
_NAMED = 3
_SLIGHT = 0.05
"""Log odds that a figure is not named for."""


def labels_of(model: Tabular) -> tuple[str, ...]:
    """Return what can be explained, superclasses first."""
    order = sorted(model.heads, key=lambda head: head != "superclass")
    return tuple(f"{head}.{label}" for head in order for label in model.heads[head])


def explain(model: Tabular, context: Context, label: str, method: Method) -> Explanation:
    """Explain one answer; see `ecg_core.explain.explain`."""
    (prediction,) = model.predict([context])
    if prediction.abstains:
        raise InvalidValue(
            "the model says nothing of this recording", field="recording", found="; ".join(prediction.out_of_scope)
        )
    if reason := prediction.withheld.get(label):
        raise InvalidValue(f"the model withholds {label}", field="recording", found=reason)
    head, name = label.split(".", 1)
    found = model.explain(context, model.outputs[model.heads[head][name]])
    figures = tuple(
        Figure(figure_words(item.figure), item.value, item.log_odds, unit_of(item.figure))
        for item in found.contributions
    )
    answer = found.average + sum(figure.added for figure in figures)
    said = prediction.labels(head)[name]
    experimental = (said.reason,) if said.experimental and said.reason else ()
    part = context.part
    called = found.probability >= (_EVEN if said.threshold is None else said.threshold)
    return Explanation(
        model=model.identity,
        label=label,
        title=title_of(label),
        method=method,
        probability=found.probability,
        answer=answer,
        unit="log odds",
        base=found.average,
        trees=0.0,
        residual=0.0,
        adds_up=True,
        start_s=part.start_s,
        end_s=part.end_s,
        leads=prediction.leads,
        sentence=_sentence(figures, called),
        figures=figures,
        cautions=(*prediction.cautions, *experimental),
        settings={"baseline": "nothing is known", "exact": True},
    )


def _sentence(figures: Sequence[Figure], called: bool) -> str:
    """Name the figures that speak most for an answer that is called, or against one that is not."""
    sign, does = (1, "for") if called else (-1, "against")
    speaking = [figure for figure in figures if sign * figure.added >= _SLIGHT]
    if not speaking:
        return f"No single figure speaks much {does} this answer."
    return f"What speaks most {does} this answer: {'; '.join(map(_told, speaking[:_NAMED]))}."


def _told(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.name}, missing ({figure.added:+.1f})"
    return f"{figure.name}, {figure.value or 0.0:.3g}{f' {figure.unit}' if figure.unit else ''} ({figure.added:+.1f})"
