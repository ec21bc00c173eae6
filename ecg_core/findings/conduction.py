"""Findings about conduction: AV block, bundle branches, fascicles, pre-excitation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.stated import family, stated
from ecg_core.findings.value import Finding

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_NO_AV_BLOCK = ("1AVB", "LPR")
"""In fibrillation there is no PR interval."""
_SHAPES = ("CLBBB", "ILBBB", "CRBBB", "IRBBB", "LAFB", "LPFB", "IVCD", "WPW", "ABQRS")
"""What a paced complex looks like says nothing about the bundle branches."""


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield what the network calls, less what the rhythm or pacing makes meaningless."""
    leave_out = _NO_AV_BLOCK if analysis.rhythm.fibrillates else ()
    if analysis.ventricular_pacing:
        yield from stated(analysis, "conduction", (*leave_out, *_SHAPES))
        return
    found = list(stated(analysis, "conduction", leave_out))
    yield from found
    yield from family(analysis, "CD", found)
