"""Findings of infarction. The network learned from old infarctions: the age of a pattern is never told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ecg_core.findings.stated import STATEMENT_HEAD, family, reading, stated
from ecg_core.findings.statements import STATEMENTS
from ecg_core.findings.value import Finding

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_IMITATORS = ("CLBBB", "WPW")
"""What makes Q waves and lost R waves without an infarct."""


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield infarct patterns; none under pacing, which makes Q waves of its own."""
    if analysis.pacing.paced:
        return
    prediction = reading(analysis)
    called = prediction.positives(STATEMENT_HEAD) if prediction else {}
    doubts = tuple(
        f"{STATEMENTS[code].title.lower()} makes complexes like these" for code in _IMITATORS if code in called
    )
    found = [replace(item, against=(*item.against, *doubts)) for item in stated(analysis, "infarct")]
    yield from found
    # In the network's training data injury counts among infarctions, and is told among ST changes.
    injured = [item for item in stated(analysis, "ischaemia") if item.code.startswith("INJ")]
    yield from family(analysis, "MI", [item for item in found if item.code != "QWAVE"] + injured)
