"""Critical findings by rule, as findings; they stand whatever the network says, and its silence is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.stated import STATEMENT_HEAD, reading
from ecg_core.findings.statements import STATEMENTS
from ecg_core.findings.value import Finding

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_SAME = {"long_qtc": "LNGQT", "complete_block": "3AVB"}
"""Urgent finding to the statement of the network that says the same."""


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield each critical finding."""
    prediction = reading(analysis)
    for item in analysis.urgent:
        code = _SAME.get(item.code)
        answer = prediction.labels(STATEMENT_HEAD).get(code) if prediction and code else None
        beside: tuple[str, ...] = ()
        if code and answer is not None and answer.probability is not None:
            beside = (f"the 12-lead network gives {STATEMENTS[code].title} {answer.probability:.2f}",)
        agrees = answer is not None and bool(answer.positive)
        yield Finding(
            item.code,
            item.text,
            "urgent",
            evidence=beside if agrees else (),
            against=() if agrees else beside,
            values=item.values,
            rule=item.source,
        )
