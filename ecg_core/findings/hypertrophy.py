"""Findings of hypertrophy and enlarged atria: what the network calls, and voltages by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.intervals import exceeded
from ecg_core.findings.stated import family, stated
from ecg_core.findings.value import Finding

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_ATRIAL = ("LAO/LAE", "RAO/RAE")


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield patterns of hypertrophy; none under pacing, and none of the atria in fibrillation."""
    if analysis.pacing.paced:
        return
    found = list(stated(analysis, "hypertrophy", _ATRIAL if analysis.rhythm.fibrillates else ()))
    yield from found
    yield from family(analysis, "HYP", found)
    yield from exceeded(analysis, ("sokolow_lyon_mv", "cornell_mv"), found)
