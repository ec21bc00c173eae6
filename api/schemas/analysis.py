"""All that is said about one recording."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Optional

from pydantic import Field, create_model

from api.schemas.base import NOTICE, Schema
from api.schemas.beats import Beats, Waves
from api.schemas.findings import Finding, Summary, UrgentFinding
from api.schemas.measurements import Measurements
from api.schemas.predictions import ModelAnswer, OperatingPoint
from api.schemas.recording import Quality, Recording, Signal, Subject
from api.schemas.rhythm import Pacing, Rhythm
from api.schemas.risk import AfRisk


class Software(Schema):
    """What computed an answer."""

    name: str = Field(examples=["einthoven"])
    version: str = Field(examples=["0.1.0"])


class Provenance(Schema):
    """How the figures came about."""

    software: Software
    models: dict[str, Any] = Field(
        default={}, description="Each model used, with its version and the sha256 of its weights."
    )
    settings: dict[str, Any] = Field(default={}, examples=[{"beats": "robust"}])
    notes: list[str] = Field(default=[], description="What had no say, and why.")
    analysed_at: str = Field(description="Date and time (ISO 8601, UTC).", examples=["2026-01-31T09:30:00+00:00"])


class Analysis(Schema):
    """What can be said about one recording. A figure that could not be had is null, and a reason stands beside it."""

    recording: Recording
    subject: Subject
    quality: Quality
    beats: Beats
    waves: Waves
    measurements: Measurements
    rhythm: Rhythm
    pacing: Pacing
    predictions: dict[str, ModelAnswer] = Field(
        description="What each model says, by its name; empty where none is installed or asked."
    )
    af_risk: AfRisk
    urgent: list[UrgentFinding] = Field(description="Critical findings by rule, the first thing to look at.")
    findings: list[Finding] = Field(description="What was found, the critical first, then by theme.")
    summary: Summary
    provenance: Provenance


class Stored(Schema):
    """Where an answer is kept."""

    recording_id: str = Field(examples=["7c9e6679-7425-40de-944b-e07fc1f90ae7"])
    analysis_id: str = Field(examples=["0f8fad5b-d9cb-469f-a165-70867728950e"])
    new_recording: bool = Field(description="False where the same files were kept already.")
    new_analysis: bool = Field(description="False where just the same was computed before, and is given again.")
    note: str | None = Field(default=None, description="What was not done, and why.")


class Prediction(Analysis):
    """The answer to an upload."""

    stored: Stored | None = Field(default=None, description="Where it is kept; null where it is not.")

    signal: Signal | None = Field(
        default=None, description="The first seconds of the part that was marked, where they were asked for."
    )
    notice: str = NOTICE


class StoredAnalysis(Analysis):
    """An analysis that was kept."""

    id: str = Field(examples=["0f8fad5b-d9cb-469f-a165-70867728950e"])
    recording_id: str = Field(examples=["7c9e6679-7425-40de-944b-e07fc1f90ae7"])
    created_at: datetime = Field(description="When it was kept (UTC).")
    notice: str = NOTICE


class AnalysisSummary(Schema):
    """An analysis in a list."""

    id: str = Field(examples=["0f8fad5b-d9cb-469f-a165-70867728950e"])
    recording_id: str = Field(examples=["7c9e6679-7425-40de-944b-e07fc1f90ae7"])
    created_at: datetime = Field(description="When it was kept (UTC).")
    models: list[str] | None = Field(description="The models that were asked; null for every installed one.")
    operating_point: OperatingPoint
    diagnosis: str = Field(examples=["Sinus rhythm, 69/min; within normal limits"])
    heart_rate_bpm: float | None = Field(examples=[69.0])
    rhythm: str | None = Field(examples=["N"])
    quality: Literal["good", "usable", "poor"]
    urgent: list[str] = Field(description="Codes of critical findings.", examples=[["st_elevation"]])


class AnalysisPage(Schema):
    """Some of a recording's analyses, the newest first."""

    items: list[AnalysisSummary]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next ones; null at the end.")


PARTS = tuple(name for name in Analysis.model_fields)
"""What an answer can be narrowed down to."""


_ALL: dict[str, Any] = {
    name: (Optional[field.annotation], Field(default=None, description=field.description or "As in the whole answer."))  # noqa: UP045 - as a value
    for kind in (Prediction, StoredAnalysis)
    for name, field in kind.model_fields.items()
}
SelectedParts = create_model(
    "SelectedParts", __base__=Schema, __doc__="The parts of an answer that were asked for.", **_ALL
)
