"""The shapes that travel over HTTP, with their units. They import pydantic alone, so that clients can share them."""

from api.schemas.analysis import Analysis, Prediction, Provenance, Software
from api.schemas.base import NOTICE, Schema
from api.schemas.beats import BeatClass, Beats, BeatWaves, HeartRate, Hrv, HrvFigure, RrSummary, Wave, Waves
from api.schemas.findings import Finding, Kind, Score, Summary, UrgentFinding
from api.schemas.measurements import Measurement, Measurements, Range
from api.schemas.predictions import (
    ConformalSet,
    Curve,
    Head,
    Identity,
    LabelAnswer,
    ModelAnswer,
    OperatingPoint,
    Quantity,
)
from api.schemas.recording import LeadQuality, Quality, Recording, Signal, Step, Subject, Suspicion
from api.schemas.rhythm import Episode, Pacing, Rhythm, RhythmLabel, SingleLead
from api.schemas.risk import AfRisk, Estimate, Fact, Narrowing, ReferenceRisk, Signature
from api.schemas.service import Format, Health, Info, InvalidField, Problem, UploadLimits

__all__ = [
    "NOTICE",
    "AfRisk",
    "Analysis",
    "BeatClass",
    "BeatWaves",
    "Beats",
    "ConformalSet",
    "Curve",
    "Episode",
    "Estimate",
    "Fact",
    "Finding",
    "Format",
    "Head",
    "Health",
    "HeartRate",
    "Hrv",
    "HrvFigure",
    "Identity",
    "Info",
    "InvalidField",
    "Kind",
    "LabelAnswer",
    "LeadQuality",
    "Measurement",
    "Measurements",
    "ModelAnswer",
    "Narrowing",
    "OperatingPoint",
    "Pacing",
    "Prediction",
    "Problem",
    "Provenance",
    "Quality",
    "Quantity",
    "Range",
    "Recording",
    "ReferenceRisk",
    "Rhythm",
    "RhythmLabel",
    "RrSummary",
    "Schema",
    "Score",
    "Signal",
    "Signature",
    "SingleLead",
    "Software",
    "Step",
    "Subject",
    "Summary",
    "Suspicion",
    "UploadLimits",
    "UrgentFinding",
    "Wave",
    "Waves",
]
