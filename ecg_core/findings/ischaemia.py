"""Findings on ST and T: what the network calls, and ST depression by rule. ST elevation by rule is urgent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.signs import SIGNS
from ecg_core.findings.stated import family, stated
from ecg_core.findings.value import Finding
from ecg_core.measurements.intervals import WIDE_QRS_MS
from ecg_core.measurements.ranges import FOURTH_DEFINITION, is_adult

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield changes of ST and T; none under pacing, which turns both."""
    if analysis.pacing.paced:
        return
    found = list(stated(analysis, "ischaemia"))
    yield from found
    yield from family(analysis, "STTC", found)
    yield from _depression(analysis, found)


def _depression(analysis: Analysis, told: list[Finding]) -> Iterator[Finding]:
    """Yield ST depression in contiguous leads, where no statement that was told speaks of it."""
    width = analysis.measurements["qrs_ms"].value
    if not is_adult(analysis.subject) or (width is not None and width >= WIDE_QRS_MS):
        return
    sign = SIGNS["st_low"](analysis)
    if sign is None or any("ST at J" in text for item in told for text in item.evidence):
        return
    text = "ST depression in contiguous leads"
    yield Finding("st_depression", text, "ischaemia", evidence=(sign.text,), rule=FOURTH_DEFINITION)
