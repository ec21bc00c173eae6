"""`Analysis`: what is said about one recording, the same in Python, in JSON, in the API and in reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.beat_classes import BeatClasses
from ecg_core.beats import Beats
from ecg_core.findings.decided import DecidedRhythm
from ecg_core.findings.value import Finding, Score, Summary
from ecg_core.measurements import Measurements, Part
from ecg_core.pacing import Pacing
from ecg_core.predictors.value import Prediction
from ecg_core.quality import Quality
from ecg_core.quality.reversals import Reversals
from ecg_core.recording import Recording, Subject
from ecg_core.risk import AfRisk
from ecg_core.urgent_rhythm import UrgentFinding
from ecg_core.waves import ONSET, QRS, P, Waves

UNSTATED = Summary("", Score(None, "undetermined", None, "nothing was stated yet"), "")
"""Before the findings are stated."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is said about one recording."""

    recording: Recording
    subject: Subject
    """What the file, or whoever sent it, says about the person."""
    quality: Quality
    reversals: Reversals
    """Electrodes that seem to be exchanged."""
    beats: Beats
    classes: BeatClasses
    waves: Waves
    part: Part
    """The part of the recording that the waves, and all measurements but the rates, speak of."""
    measurements: Measurements
    rhythm: DecidedRhythm
    pacing: Pacing
    predictions: Mapping[str, Prediction]
    """What each model says, by its name; empty where none is installed."""
    af_risk: AfRisk
    urgent: tuple[UrgentFinding, ...]
    provenance: Mapping[str, Any]
    """Software, settings, models and time, JSON-ready."""
    findings: tuple[Finding, ...] = ()
    """The critical first, then by theme."""
    summary: Summary = UNSTATED

    @property
    def ventricular_pacing(self) -> bool:
        """Whether the ventricles are paced, so that QRS, ST and T are not the heart's own."""
        return "ventricular" in self.pacing.chambers

    @property
    def disagreement(self) -> str | None:
        """What in the recording speaks against the stated rhythm; nothing is averaged."""
        return "; ".join(self.objections) or None

    @property
    def objections(self) -> tuple[str, ...]:
        """The same, one by one."""
        found = [self.rhythm.other_voice] if self.rhythm.other_voice else []
        if self.rhythm.label == "N" and self.pacing.paced:
            found.append("spikes of a pacemaker are seen")
        marks = self.waves.global_.marks
        seen = ~np.isnan(marks[:, :, ONSET])
        n, with_p = int(seen[:, QRS].sum()), int((seen[:, QRS] & seen[:, P]).sum())
        if self.rhythm.fibrillates and n and with_p > n / 2:
            found.append(f"P waves are marked before {with_p} of {n} beats")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, without the samples. A figure that could not be had is None, with a reason."""
        summary = self.recording.summary()
        del summary["subject"]
        part = {"start_s": self.part.start_s, "end_s": self.part.end_s, "part": self.part.reason}
        return {
            "recording": summary,
            "subject": self.subject.to_dict(),
            "quality": self.quality.to_dict() | self._suspected(),
            "beats": self.beats.to_dict() | self._classes(),
            "waves": {**part, "reason": self.waves.reason, **self.waves.to_dict()},
            "measurements": self.measurements.to_dict(),
            "rhythm": self.rhythm.to_dict() | {"disagreement": self.disagreement},
            "pacing": self.pacing.to_dict(),
            "predictions": {name: found.to_dict() for name, found in self.predictions.items()},
            "af_risk": self.af_risk.to_dict(),
            "urgent": [finding.to_dict() for finding in self.urgent],
            "findings": [finding.to_dict() for finding in self.findings],
            "summary": self.summary.to_dict(),
            "provenance": dict(self.provenance),
        }

    def _suspected(self) -> dict[str, Any]:
        found = self.reversals
        return {"suspected": [item.to_dict() for item in found.suspected], "suspected_reason": found.reason}

    def _classes(self) -> dict[str, Any]:
        found = self.classes
        return {
            "classes": None if found.reason else list(found.classes),
            "class_counts": None if found.reason else dict(found.counts),
            "classes_reason": found.reason,
        }
