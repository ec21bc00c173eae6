"""How good models are on labelled recordings: figures with their intervals, and what exactly was lost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.models import ModelMetric
from api.schemas.recording import Signal

Truth = Literal["beats", "waves", "labels"]

_METRICS = {"f1_150ms": {"value": 0.998, "low": 0.995, "high": 1.0}}


class Accuracy(Schema):
    """A score of the China Physiological Signal Challenge 2019, the mean over recordings, 0 to 1."""

    official: ModelMetric = Field(description="As the script of the challenge computes it.")
    strict: ModelMetric | None = Field(
        description="Of beats: every false one counts, also between the first two, where the script does not look."
        " Of the heart rate: no rounding to whole beats a minute. Null where it was not computed."
    )


class LostRecord(Schema):
    """A recording that cost something, and what went wrong in it. Times are seconds from the first sample."""

    name: str = Field(examples=["pvc_V5_-6dB"])
    grade: str | None = Field(default=None, description="Of noise, in the bundled set.", examples=["-6dB"])
    cost: dict[str, float] = Field(
        default={},
        description="Points lost in each score, of 1; empty for recordings that are no strips of 10 s.",
        examples=[{"qrs_official": 1.0, "qrs_strict": 1.0, "hr_official": 0.0, "hr_strict": 0.0}],
    )
    missed: int = Field(description="Reference beats that were not found.", examples=[2])
    extra: int = Field(description="Beats found where there are none.", examples=[1])
    missed_s: list[float] = Field(description="Those missed; 1,000 at most.", examples=[[2.4504, 5.2886]])
    extra_s: list[float] = Field(description="Those invented; 1,000 at most.", examples=[[2.68]])
    reference_s: list[float] = Field(description="All beats that there are; 1,000 at most.", examples=[[0.42, 1.27]])
    found_s: list[float] = Field(description="All beats found; 1,000 at most.", examples=[[0.42, 1.28]])
    reference_bpm: float | None = Field(
        default=None, description="Over the mean interval of the beats within 5.5-9.5 s.", examples=[91.46]
    )
    found_bpm: float | None = Field(
        default=None, description="The same of the beats found; null where fewer than two were.", examples=[91.32]
    )


class TrainedOn(Schema):
    """Recordings that the model was trained on, told by what was recorded."""

    n: int = Field(examples=[0])
    included: bool = Field(description="Whether they were scored all the same.")


class EvaluationReport(Schema):
    """How good a model is on labelled recordings."""

    model: str = Field(description="As `GET /evaluate/sets` names it.", examples=["beats"])
    version: str = Field(examples=["1.0.0"])
    sha256: str | None = Field(
        default=None, description="Of the model's manifest; null where the answer comes from the software alone."
    )
    software: str = Field(description="Version of the software.", examples=["0.1.0"])
    data: str = Field(description="The data set, or `upload`.", examples=["mitdb"])
    split: str | None = Field(default=None, description="Which part of it.", examples=["ds1"])
    n: int = Field(description="Recordings scored.", examples=[168])
    qrs_accuracy: Accuracy | None = Field(default=None, description="Of the R peaks; null where it is not defined.")
    hr_accuracy: Accuracy | None = Field(default=None, description="Of the heart rate; null where it is not defined.")
    metrics: dict[str, ModelMetric] = Field(
        description="Every figure with its 95 % bootstrap interval, resampled by patient where these are known. `se`"
        " sensitivity, `ppv` positive predictive value, `sp` specificity; `_150ms` the tolerance; `mean_` and `sd_` of"
        " boundary errors in ms; `macro_` means over labels.",
        examples=[_METRICS],
    )
    left_out: dict[str, str] = Field(
        default={},
        description="Recordings that could not be scored, and why.",
        examples=[{"101.hea": "101.hea: annotations: no annotated beats came with it"}],
    )
    missing: int = Field(default=0, description="Recordings of the set's own list that are not installed.")
    trained_on: TrainedOn
    records: dict[str, dict[str, float | None]] = Field(
        default={},
        description="Figures of each recording alone, where they make sense.",
        examples=[{"100.hea": {"qrs_official": 1.0}}],
    )
    lost: list[LostRecord] = Field(default=[], description="Recordings that cost something, in the order of the set.")


class GradeReport(Schema):
    """The same at one grade of noise."""

    grade: str = Field(examples=["12dB"])
    snr_db: float | None = Field(description="Ratio of signal to noise; null without noise.", examples=[12.0])
    n: int = Field(description="Recordings.", examples=[24])
    qrs_accuracy: Accuracy | None = Field(default=None, description="Of the R peaks; null where it is not defined.")
    hr_accuracy: Accuracy | None = Field(default=None, description="Of the heart rate; null where it is not defined.")
    metrics: dict[str, ModelMetric] = Field(description="As those over all grades.", examples=[_METRICS])


class BundledEvaluation(EvaluationReport):
    """How good a model is on the bundled set, over all of it and by grade of noise."""

    grade: str | None = Field(description="The grade that was asked for; null for all.", examples=["-6dB"])
    grades: list[GradeReport] = Field(description="From no noise to the most.")
    notice: str = (
        "Synthetic recordings, made by this software: they show what noise costs, not how good it is on people."
    )


class BundledRecord(Schema):
    """One recording of the bundled set, to be looked at: its samples, its beats, and those found."""

    name: str = Field(examples=["pvc_V5_-6dB"])
    grade: str = Field(examples=["-6dB"])
    snr_db: float | None = Field(description="Ratio of signal to noise; null without noise.", examples=[-6.0])
    noise: list[str] = Field(description="Kinds of noise in it.", examples=[["baseline", "motion", "muscle"]])
    rhythm: str = Field(examples=["pvc"])
    shape: str = Field(description="Of the ventricular complexes.", examples=["normal"])
    statements: list[str] = Field(description="SCP codes that fit it.", examples=[["PVC"]])
    duration_s: float = Field(examples=[10.0])
    lead: str = Field(description="The lead in which beats are timed.", examples=["V5"])
    method: str = Field(description="The detector that was asked.", examples=["robust"])
    reference_s: list[float] = Field(description="Seconds from the first sample.", examples=[[0.42, 1.27]])
    classes: list[str] = Field(description="Class of each reference beat (AAMI).", examples=[["N", "V"]])
    found_s: list[float] = Field(description="Seconds from the first sample.", examples=[[0.42, 1.28]])
    missed_s: list[float] = Field(description="Reference beats not found within 75 ms.", examples=[[5.2886]])
    extra_s: list[float] = Field(description="Beats found where there are none.", examples=[[2.68]])
    signal: Signal


class SplitChoice(Schema):
    """A part of a data set."""

    name: str = Field(examples=["ds1"])
    about: str = Field(examples=["de Chazal 2004, first half: fit and cross-validate"])


class SetChoice(Schema):
    """A labelled data set."""

    name: str = Field(description="As `data` of `POST /evaluate` takes it.", examples=["mitdb"])
    title: str = Field(examples=["MIT-BIH Arrhythmia Database"])
    about: str = Field(examples=["2 leads, 30 min, 360 Hz; every beat and rhythm annotated"])
    licence: str = Field(examples=["ODC-By 1.0"])
    citation: str = Field(examples=["Moody & Mark 2001, IEEE Eng Med Biol 20(3):45-50"])
    page: str = Field(examples=["https://physionet.org/content/mitdb/1.0.0/"])
    synthetic: bool = Field(description="Whether it is of this software's own making.")
    installed: bool = Field(description="Whether it is here.")
    install: str | None = Field(
        description="The command, on the server, that brings it; null where it is here.",
        examples=["ecg data get mitdb"],
    )
    splits: list[SplitChoice] = Field(description="Its parts.")
    models: list[str] = Field(description="Installed models that are examined on it.", examples=[["beats", "pacing"]])


class UploadChoice(Schema):
    """A model that is examined on what you upload."""

    model: str = Field(examples=["beats"])
    needs: Truth = Field(
        description="The truth that has to come with it: annotated `beats` or `waves`, or a table of `labels`."
    )
    labels: list[str] = Field(
        default=[],
        description="The labels that it knows, where they are few and fixed.",
        examples=[["N", "A", "O", "~"]],
    )


class EvaluationChoices(Schema):
    """What can be examined here, and on what."""

    bundled: list[str] = Field(description="Models that `GET /evaluate` examines.", examples=[["beats", "beats_fast"]])
    grades: list[str] = Field(description="Grades of noise of the bundled set.", examples=[["clean", "12dB", "-6dB"]])
    sets: list[SetChoice] = Field(description="Data sets for `POST /evaluate`.")
    uploads: list[UploadChoice] = Field(description="Models for an upload to `POST /evaluate`.")
