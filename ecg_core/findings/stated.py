"""From what the 12-lead network calls to findings: titles, groups, and the measured signs for and against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ecg_core.findings.signs import SIGNS, Sign
from ecg_core.findings.statements import FAMILIES, STATEMENTS, VARIANTS
from ecg_core.findings.value import Finding, Kind
from ecg_core.predictors.value import LabelAnswer, Prediction

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

READER = "heart12"
"""The model whose statements become findings."""
STATEMENT_HEAD, FAMILY_HEAD = "statements", "superclass"


def reading(analysis: Analysis) -> Prediction | None:
    """Return what the 12-lead network says, if it does."""
    found = analysis.predictions.get(READER)
    return None if found is None or found.abstains else found


def stated(analysis: Analysis, kind: Kind, leave_out: Iterable[str] = ()) -> Iterator[Finding]:
    """Yield a finding for each group of statements of a kind of which the network calls one, the most probable first.

    Parameters
    ----------
    analysis
        With its predictions.
    kind
        Of the statements.
    leave_out
        Codes that are not told.
    """
    prediction = reading(analysis)
    if prediction is None:
        return
    groups: dict[str, dict[str, LabelAnswer]] = {}
    for code, answer in prediction.positives(STATEMENT_HEAD).items():
        statement = STATEMENTS.get(code)
        if statement is not None and statement.kind == kind and code not in leave_out:
            groups.setdefault(statement.group or code, {})[code] = answer
    for called in groups.values():
        yield _finding(analysis, prediction, called)


def family(analysis: Analysis, name: str, told: Iterable[Finding]) -> Iterator[Finding]:
    """Yield that the network calls a superclass, where none of the findings ``told`` says which of its statements."""
    prediction = reading(analysis)
    if prediction is None or any(told):
        return
    answer = prediction.positives(FAMILY_HEAD).get(name)
    if answer is not None:
        text, kind = FAMILIES[name]
        evidence = ("no single statement reaches its threshold",)
        yield Finding(name, text, kind, answer.probability, evidence, model=prediction.model)


def signs_of(analysis: Analysis, code: str) -> list[Sign]:
    """Return what is measured that bears on a statement."""
    found = (SIGNS[name](analysis) for name in STATEMENTS[code].signs)
    return [sign for sign in found if sign is not None]


def split(signs: Iterable[Sign]) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, float]]:
    """Return the texts that stand for or beside a statement, those against it, and the values that agree."""
    signs = list(signs)
    values = {name: value for sign in signs if sign.agrees for name, value in sign.values.items()}
    return (
        tuple(sign.text for sign in signs if sign.agrees is not False),
        tuple(sign.text for sign in signs if sign.agrees is False),
        values,
    )


def _finding(analysis: Analysis, prediction: Prediction, called: Mapping[str, LabelAnswer]) -> Finding:
    """Return the finding of a group: the most probable statement, with the others as evidence."""
    (code, answer), *others = called.items()
    evidence, against, values = split(signs_of(analysis, code))
    also = tuple(f"also called: {STATEMENTS[other].title} ({found.probability:.2f})" for other, found in others)
    also = (*also, *_beside(analysis, code))
    claim = prediction.conformal.get(STATEMENT_HEAD)
    if claim is not None and claim.labels.get(code) == "uncertain":
        also = (*also, f"uncertain: at {claim.coverage:.0%} coverage its absence is possible too")
    statement = STATEMENTS[code]
    return Finding(
        code,
        statement.title,
        statement.kind,
        answer.probability,
        (*evidence, *also),
        against,
        values,
        borderline=code in VARIANTS,
        model=prediction.model,
    )


def _beside(analysis: Analysis, code: str) -> Iterator[str]:
    """Yield what other models give the same statement; nothing is averaged."""
    for name, prediction in analysis.predictions.items():
        answer = prediction.labels(STATEMENT_HEAD).get(code)
        if name != READER and answer is not None and answer.probability is not None:
            calls = {True: "calls it too", False: "does not call it", None: "makes no call"}[answer.positive]
            yield f"{name} gives it {answer.probability:.2f}, and {calls}"
