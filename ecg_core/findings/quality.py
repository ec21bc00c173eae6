"""Findings about the recording itself: what forbids trust in all others, so that it is told before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ecg_core.findings.stated import READER
from ecg_core.findings.value import Finding
from ecg_core.leads import INDEPENDENT_8
from ecg_core.measurements.ranges import is_adult

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis


def find(analysis: Analysis) -> Iterator[Finding]:
    """Yield poor signals, exchanged electrodes, leads that are not there, children, and what the network holds back."""
    quality = analysis.quality
    if quality.verdict == "poor":
        text = "The signal is poor: no statement about the heart can be trusted"
        yield Finding("poor_signal", text, "quality", evidence=quality.reasons, rule="signal quality")
    for item in analysis.reversals.suspected[:1]:
        also = tuple(f"or: {other.title} ({other.confidence:.2f})" for other in analysis.reversals.suspected[1:])
        text = f"Electrodes may be exchanged: {item.title}"
        evidence = (item.advice, *also, *item.evidence)
        yield Finding("reversal", text, "quality", item.confidence, evidence, rule="shape of the typical beat")
    yield from _missing(analysis)
    if not is_adult(analysis.subject):
        text = "Under 18 years: statements of the 12-lead network and adult ranges are withheld"
        yield Finding("child", text, "quality", rule="made and measured on adults")
    elif (prediction := analysis.predictions.get(READER)) is not None and prediction.abstains:
        text = "The 12-lead network says nothing of this recording"
        yield Finding("out_of_scope", text, "quality", evidence=prediction.out_of_scope, model=prediction.model)


def missing_leads(analysis: Analysis) -> tuple[str, ...]:
    """Return which of the eight independent leads are not there, or can not be trusted."""
    trusted = set(analysis.quality.trusted_leads)
    limb = trusted & {"I", "II", "III", "aVR", "aVL", "aVF"}
    # Any two limb leads give the other four.
    here = trusted | ({"I", "II"} if len(limb) >= 2 else set())
    return tuple(lead for lead in INDEPENDENT_8 if lead not in here)


def _missing(analysis: Analysis) -> Iterator[Finding]:
    gone = missing_leads(analysis)
    if gone and analysis.quality.verdict != "poor":
        text = "Incomplete: without " + ", ".join(gone) + " the tracing cannot be called normal"
        yield Finding("incomplete", text, "quality", rule="eight independent leads")
