"""The whole way from a recording to what can be said about it, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ecg_core.artefacts import load_model
from ecg_core.beat_classes import BeatClasses, classify_beats
from ecg_core.beats import PREFERRED_LEAD, Beats, detect_beats, no_beats
from ecg_core.delineation import delineate_waves
from ecg_core.measurements import Measurements, Part, choose_part, measure
from ecg_core.pacing import Pacing, find_pacing
from ecg_core.preprocess import crop
from ecg_core.quality import Quality, assess_quality
from ecg_core.quality.assess import MOST_POOR
from ecg_core.quality.reversals import Reversals, suspect_reversals
from ecg_core.recording import Recording, Sex, Subject
from ecg_core.rhythm import Rhythm, classify_rhythm
from ecg_core.urgent import urgent_findings
from ecg_core.urgent_rhythm import UrgentFinding
from ecg_core.waves import ONSET, QRS, P, Waves, WaveTable

METHOD = "robust"


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is said about one recording: the same parts in Python, in JSON, in the API and in reports."""

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
    rhythm: Rhythm
    pacing: Pacing
    urgent: tuple[UrgentFinding, ...]
    provenance: Mapping[str, Any]
    """Software, settings, models and time, JSON-ready."""

    @property
    def disagreement(self) -> str | None:
        """What in the recording speaks against the stated rhythm."""
        if self.rhythm.label == "N" and self.pacing.paced:
            return "spikes of a pacemaker are seen"
        marks = self.waves.global_.marks
        seen = ~np.isnan(marks[:, :, ONSET])
        n, with_p = int(seen[:, QRS].sum()), int((seen[:, QRS] & seen[:, P]).sum())
        if self.rhythm.label == "A" and n and with_p > n / 2:
            return f"P waves are marked before {with_p} of {n} beats"
        return None

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
            "urgent": [finding.to_dict() for finding in self.urgent],
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


def analyze(recording: Recording) -> Analysis:
    """Say what can be said about ``recording``; what its quality forbids is left out, with the reason."""
    quality = assess_quality(recording)
    usable = _usable(recording, quality)
    beats = _find_beats(usable, quality)
    pacing = find_pacing(recording, beats)
    classes = classify_beats(usable, beats, pacing)
    rhythm = _tell_rhythm(usable, beats)
    reversals = suspect_reversals(usable, beats)
    part = choose_part(recording, beats)
    waves = _mark(usable, quality, beats, part)
    measurements = _measure(recording, quality, reversals, beats, waves, rhythm, pacing)
    urgent = urgent_findings(measurements, beats=beats, classes=classes.classes, waves=waves)
    return Analysis(
        recording=recording,
        subject=recording.subject,
        quality=quality,
        reversals=reversals,
        beats=beats,
        classes=classes,
        waves=waves,
        part=part,
        measurements=measurements,
        rhythm=rhythm,
        pacing=pacing,
        urgent=tuple(urgent),
        provenance=_provenance(
            quality=quality.model,
            reversals=reversals.model,
            beats=_identity("beats") if beats.leads else None,
            beat_classes=None if classes.reason else classes.model,
            rhythm=None if rhythm.reason else rhythm.model,
            waves=None if waves.reason else _identity("waves"),
        ),
    )


def state_subject(recording: Recording, age: float | None, sex: Sex | None) -> Recording:
    """Return ``recording`` with what its sender says about the person; a warning where the file says otherwise."""
    said = recording.subject
    stated = Subject(said.id, said.age if age is None else age, sex or said.sex, said.facts)
    if stated == said:
        return recording
    warnings = [
        f"subject: {name} {theirs} as stated by the sender; the file says {old}"
        for name, old, theirs in (("age", said.age, stated.age), ("sex", said.sex, stated.sex))
        if old is not None and old != theirs
    ]
    return replace(recording, subject=stated).with_warnings(*warnings)


def _usable(recording: Recording, quality: Quality) -> Recording:
    """Return the leads that can be trusted; all, where none can, so that each step says so itself."""
    trusted = quality.trusted_leads
    return recording if len(trusted) in (0, recording.n_leads) else recording.select(trusted)


def _find_beats(usable: Recording, quality: Quality) -> Beats:
    if quality.trusted_leads:
        return detect_beats(usable, method=METHOD)
    return no_beats(METHOD, quality.refusal(usable.leads) or "no lead can be trusted")


def _tell_rhythm(usable: Recording, beats: Beats) -> Rhythm:
    """Tell the rhythm from II, or the first lead that can be trusted."""
    lead = PREFERRED_LEAD if PREFERRED_LEAD in usable.leads else usable.leads[0]
    return classify_rhythm(usable.select((lead,)), beats, lead)


def _refusal(quality: Quality) -> str | None:
    """Return why nothing is measured, if so: the recording is poor, and not just in a few leads that are left out."""
    left_out = len(quality.leads) - len(quality.trusted_leads)
    return None if 0 < left_out < MOST_POOR * len(quality.leads) else quality.refusal()


def _mark(usable: Recording, quality: Quality, beats: Beats, part: Part) -> Waves:
    """Mark the waves of the part, timed from the first sample of the recording."""
    if refusal := _refusal(quality):
        return Waves((), reason=refusal)
    if part.reason is None:
        return delineate_waves(usable, beats)
    cut = crop(usable, part.start_s, part.end_s)
    inside = (beats.times_s >= part.start_s) & (beats.times_s < part.end_s)
    own = replace(beats, times_s=beats.times_s[inside] - part.start_s, stretch=beats.stretch[inside], confidence=None)
    found = delineate_waves(cut, own)
    moved = {lead: WaveTable(table.marks + part.start_s) for lead, table in found.per_lead.items()}
    return Waves(WaveTable(found.global_.marks + part.start_s), moved, found.reason)


def _measure(
    recording: Recording,
    quality: Quality,
    reversals: Reversals,
    beats: Beats,
    waves: Waves,
    rhythm: Rhythm,
    pacing: Pacing,
) -> Measurements:
    poor = {lead: quality.refusal((lead,)) or "" for lead in recording.leads if lead not in quality.trusted_leads}
    doubtful = {lead: f"suspected: {item.title}" for item in reversed(reversals.suspected) for lead in item.leads}
    return measure(
        recording,
        waves,
        beats=beats,
        withheld=poor,
        doubtful=doubtful,
        fibrillation=rhythm.label == "A",
        paced="ventricular" in pacing.chambers,
    )


def _provenance(**models: Mapping[str, str] | None) -> dict[str, Any]:
    """Return software, settings and time, and the models that had a say, by name."""
    from ecg_core import __version__

    return {
        "software": {"name": "einthoven", "version": __version__},
        "models": {name: dict(model) for name, model in models.items() if model is not None},
        "settings": {"beats": METHOD},
        "analysed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _identity(name: str) -> dict[str, str]:
    artefact = load_model(name)
    return {"name": artefact.name, "version": artefact.version, "sha256": artefact.sha256}
