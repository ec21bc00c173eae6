"""The whole way from a recording to what can be said about it, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecg_core.beats import PREFERRED_LEAD, Beats, detect_beats, no_beats
from ecg_core.quality import Quality, assess_quality
from ecg_core.recording import Recording, Subject


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is said about one recording: the same parts in Python, in JSON, in the API and in reports."""

    recording: Recording
    subject: Subject
    """What the file, or whoever sent it, says about the person."""
    quality: Quality
    beats: Beats
    provenance: Mapping[str, Any]
    """Software, settings, models and time, JSON-ready."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form, without the samples. A figure that could not be had is None, with a reason."""
        summary = self.recording.summary()
        del summary["subject"]
        return {
            "recording": summary,
            "subject": self.subject.to_dict(),
            "quality": self.quality.to_dict(),
            "beats": self.beats.to_dict(),
            "provenance": dict(self.provenance),
        }


def analyze(recording: Recording) -> Analysis:
    """Say what can be said about ``recording``; what its quality forbids is left out, with the reason."""
    quality = assess_quality(recording)
    beats = _find_beats(recording, quality)
    return Analysis(
        recording=recording,
        subject=recording.subject,
        quality=quality,
        beats=beats,
        provenance=_provenance({"beats": beats.method}, {"quality": quality.model}),
    )


def _find_beats(recording: Recording, quality: Quality) -> Beats:
    """Find beats in II, or the first lead, among those that can be trusted."""
    leads = sorted(quality.trusted_leads, key=lambda name: name != PREFERRED_LEAD)
    if not leads:
        return no_beats("fast", quality.refusal(recording.leads) or "no lead can be trusted")
    return detect_beats(recording, leads[0])


def _provenance(settings: Mapping[str, Any], models: Mapping[str, Mapping[str, str] | None]) -> dict[str, Any]:
    from ecg_core import __version__

    return {
        "software": {"name": "einthoven", "version": __version__},
        "models": {name: dict(model) for name, model in models.items() if model is not None},
        "settings": dict(settings),
        "analysed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
