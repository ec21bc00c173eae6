"""When a tracing is called normal: only where all of it was read, nothing else was found, and nothing forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ecg_core.findings.decided import FULL
from ecg_core.findings.quality import missing_leads
from ecg_core.findings.stated import STATEMENT_HEAD, reading
from ecg_core.findings.statements import VARIANTS
from ecg_core.findings.value import Finding
from ecg_core.measurements.ranges import is_adult

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

NORMAL = "NORM"
_NO_EXCLUSION = "this does not exclude an acute infarction"
_OF_A_NORMAL_HEART = VARIANTS | {"rhythm_N", "hr_bpm_low", "hr_bpm_high"}


def find(analysis: Analysis, told: Sequence[Finding]) -> Iterator[Finding]:
    """Yield that the tracing lies within normal limits, if nothing that was ``told`` and no doubt stands against it."""
    prediction = reading(analysis)
    answer = prediction.positives(STATEMENT_HEAD).get(NORMAL) if prediction else None
    if prediction is None or answer is None or why_not(analysis):
        return
    heart = [item for item in told if item.kind not in ("quality", "risk")]
    if any(item.kind == "quality" for item in told) or not all(_is_usual(item) for item in heart):
        return
    variant = any(item.code not in ("SR", "rhythm_N") for item in heart)
    text = f"{'Otherwise within' if variant else 'Within'} normal limits ({_NO_EXCLUSION})"
    yield Finding(NORMAL, text, "normal", answer.probability, model=prediction.model)


def why_not(analysis: Analysis) -> str | None:
    """Return what forbids calling any tracing normal, whatever it shows."""
    prediction = reading(analysis)
    if prediction is None or prediction.view != FULL:
        return "it was not read in eight leads"
    if analysis.quality.verdict == "poor":
        return "the signal is poor"
    if missing_leads(analysis):
        return "leads are missing"
    if analysis.reversals.suspected:
        return "electrodes may be exchanged"
    if not is_adult(analysis.subject):
        return "adult limits do not apply"
    if analysis.pacing.paced:
        return "the heart is paced"
    return None


def _is_usual(item: Finding) -> bool:
    return item.borderline and not item.against and item.code in _OF_A_NORMAL_HEART
