"""What may be stated about the person, as form fields: one for each fact of the library's vocabulary."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import Form

from ecg_core.risk import FACTS, Fact, parse_facts

StatedFacts = dict[str, float | bool | str]


def stated_facts(**stated: Any) -> StatedFacts:
    """Return what was stated, in the units of the vocabulary."""
    return parse_facts(stated)


def _describe(fact: Fact) -> str:
    """Return what a field takes."""
    title = fact.title[:1].upper() + fact.title[1:]
    if fact.kind == "number":
        others = [unit for unit in fact.units if unit != fact.unit]
        also = f"; `{'`, `'.join(others)}` after the number too" if others else ""
        return f"{title}, {fact.least:g} to {fact.most:g} {fact.unit}{also}. Unknown where left out."
    options = fact.options if fact.kind == "choice" else ("yes", "no")
    return f"{title}: `{'` or `'.join(options)}`. Unknown where left out."


def _field(fact: Fact) -> Parameter:
    kind = Annotated[str | None, Form(max_length=40, description=_describe(fact))]
    return Parameter(fact.name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)


# The framework reads the fields off the signature, which so follows the vocabulary.
stated_facts.__signature__ = Signature([_field(fact) for fact in FACTS.values()])  # type: ignore[attr-defined]
