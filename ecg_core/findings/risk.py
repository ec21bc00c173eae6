"""What is said of the risk of atrial fibrillation: a figure on a named basis, or the ECG's own percentile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.stated import READER
from ecg_core.findings.value import Finding
from ecg_core.risk.charge_af import BASIS as CHARGE_AF

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis

_BASES = {CHARGE_AF: "CHARGE-AF, on stated facts"}
REMARKABLE = 90.0
"""Percentile from which AF-like traits are worth a finding."""


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield the five-year risk where there is one, and AF-like traits where they are marked."""
    risk = analysis.af_risk
    if risk.value_5y is not None and risk.estimate is not None:
        found = risk.estimate
        text = f"Risk of atrial fibrillation within 5 years: {100 * risk.value_5y:.1f} %"
        if found.likely_low is not None and found.likely_high is not None and found.likely_high > found.likely_low:
            likely = f"{100 * found.likely_low:.1f} to {100 * found.likely_high:.1f} %"
            text += f" (of ten people of whom as much is known nine have {likely})"
        text += f", by {_BASES.get(found.basis, found.basis)}"
        evidence = [f"source: {found.source}"] if found.source else []
        if found.would_narrow:
            evidence.append(f"narrowed most by knowing: {found.would_narrow.title}")
        yield Finding("af_risk_5y", text, "risk", evidence=tuple(evidence), against=found.cautions, rule=found.basis)
    signature = risk.signature
    if signature.percentile is not None and signature.percentile >= REMARKABLE:
        text = (
            f"AF-like traits: more than in {signature.percentile:.0f} of 100 tracings without atrial fibrillation"
            " (a rank, not a risk)"
        )
        known = signature.evidence
        accuracy = (
            f"tells patients with AF in another tracing with AUROC {known['auroc']:.2f}"
            f" ({known['low']:.2f} to {known['high']:.2f})"
        )
        prediction = analysis.predictions.get(READER)
        yield Finding(
            "af_signature", text, "risk", evidence=(accuracy,), model=prediction.model if prediction else None
        )
