"""The whole way from a recording to what can be said about it, on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ecg_core.beats import Beats, detect_beats
from ecg_core.recording import Recording, Subject


@dataclass(frozen=True, eq=False)
class Analysis:
    """What is said about one recording: the same parts in Python, in JSON, in the API and in reports."""

    recording: Recording
    subject: Subject
    """What the file, or whoever sent it, says about the person."""
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
            "beats": self.beats.to_dict(),
            "provenance": dict(self.provenance),
        }


def analyze(recording: Recording) -> Analysis:
    """Say what can be said about ``recording``."""
    beats = detect_beats(recording)
    return Analysis(
        recording=recording,
        subject=recording.subject,
        beats=beats,
        provenance=_provenance({"beats": beats.method}),
    )


def _provenance(settings: Mapping[str, Any]) -> dict[str, Any]:
    from ecg_core import __version__

    return {
        "software": {"name": "einthoven", "version": __version__},
        "models": {},
        "settings": dict(settings),
        "analysed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
