"""What was found, in words: readable rules from measured values and calibrated statements, one module a theme.

A network's statement is a finding where it is called, with its calibrated probability; measurements stand beside it as
evidence, for or against, and change no number. What lies outside its usual range is a finding by itself. Nothing is
called normal that was not read whole (`ecg_core.findings.normal`). All of it is suggested and unconfirmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecg_core.findings import (
    conduction,
    hypertrophy,
    infarct,
    intervals,
    ischaemia,
    normal,
    quality,
    rhythm,
    risk,
    urgent,
)
from ecg_core.findings.summary import summarise
from ecg_core.findings.value import KINDS, Finding, Kind, Level, Score, Summary

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

__all__ = ["KINDS", "Finding", "Kind", "Level", "Score", "Summary", "state_findings", "summarise"]

_THEMES = (urgent, quality, rhythm, infarct, conduction, hypertrophy, ischaemia)


def state_findings(analysis: Analysis) -> tuple[Finding, ...]:
    """Return what is found in an analysis, the critical first, then by theme; within a theme as its rules have it."""
    found = [finding for theme in _THEMES for finding in theme.find(analysis)]
    if analysis.quality.verdict == "poor":
        # Rules on what could be measured in spite of all, and why nothing else is said.
        found = [item for item in found if item.kind in ("urgent", "quality")]
    else:
        found += intervals.find(analysis, found)
        found += normal.find(analysis, found)
    found += risk.find(analysis)
    return tuple(sorted(found, key=lambda finding: KINDS.index(finding.kind)))
