"""All that is said about one recording."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.base import NOTICE, Schema
from api.schemas.beats import Beats, Waves
from api.schemas.findings import Finding, Summary, UrgentFinding
from api.schemas.measurements import Measurements
from api.schemas.predictions import ModelAnswer
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


class Prediction(Analysis):
    """The answer to an upload."""

    signal: Signal | None = Field(
        default=None, description="The first seconds of the part that was marked, where they were asked for."
    )
    notice: str = NOTICE
