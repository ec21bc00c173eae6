"""Beats and waves: when they are, what kind they are, how they vary."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.measurements import Measurement


class HeartRate(Schema):
    """Beats per minute, or the reason why there is no figure."""

    bpm: float | None = Field(description="60 over the median RR interval, in beats per minute.", examples=[72.3])
    mean_bpm: float | None = Field(
        default=None, description="60 over the mean RR interval, in beats per minute.", examples=[71.9]
    )
    low: float | None = Field(description="60 over the longest RR interval, in beats per minute.", examples=[68.1])
    high: float | None = Field(description="60 over the shortest RR interval, in beats per minute.", examples=[77.0])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")


class RrSummary(Schema):
    """The intervals from a beat to the next, none across what was not recorded, or the reason why there are none."""

    n: int = Field(description="Intervals.", examples=[11])
    median_ms: float | None = Field(description="In milliseconds.", examples=[830.0])
    mean_ms: float | None = Field(description="In milliseconds.", examples=[834.2])
    min_ms: float | None = Field(description="Shortest, in milliseconds.", examples=[779.0])
    max_ms: float | None = Field(description="Longest, in milliseconds.", examples=[881.0])
    reason: str | None = Field(default=None, description="Why there is no figure, where there is none.")


class Hrv(Schema):
    """Heart rate variability, from the intervals between normal beats (Task Force 1996)."""

    n_intervals: int = Field(description="Intervals between beats.", examples=[301])
    n_left_out: int = Field(
        description="Of these, left out: not 0.3-2.0 s, or over 20 % off the median around.", examples=[3]
    )
    figures: dict[str, Measurement] = Field(
        description="mean_nn_ms, sdnn_ms, rmssd_ms, pnn50_percent, sd1_ms, sd2_ms, sd1_sd2, vlf_ms2, lf_ms2, hf_ms2,"
        " lf_hf, lf_nu, hf_nu."
    )


BeatClass = Literal["N", "S", "V", "F", "Q"]


class Beats(Schema):
    """The heartbeats."""

    method: str = Field(description="Name of the detector.", examples=["robust"])
    leads: list[str] = Field(description="Leads that were searched; empty where none could be.", examples=[["II"]])
    times_s: list[float] = Field(
        description="Seconds from the first sample, increasing.", examples=[[0.412, 1.240, 2.066]]
    )
    confidence: list[float] | None = Field(
        default=None,
        description="Of each beat, 0 to 1; null where the detector gives none.",
        examples=[[0.99, 0.98, 0.99]],
    )
    classes: list[BeatClass] | None = Field(
        default=None, description="AAMI class of each beat; null where they were not told.", examples=[["N", "N", "V"]]
    )
    class_counts: dict[BeatClass, int] | None = Field(default=None, examples=[{"N": 9, "S": 0, "V": 1, "F": 0, "Q": 0}])
    classes_reason: str | None = Field(default=None, description="Why they were not told.")
    reason: str | None = Field(default=None, description="Why there are no beats, where there are none.")
    heart_rate: HeartRate
    rr: RrSummary | None = Field(default=None, description="The intervals in figures.")
    hrv: Hrv | None = Field(default=None, description="How the intervals vary.")


class Wave(Schema):
    """One wave, seen whole."""

    onset_s: float = Field(description="Seconds from the first sample.", examples=[0.242])
    peak_s: float = Field(description="Seconds from the first sample.", examples=[0.290])
    end_s: float = Field(description="Seconds from the first sample.", examples=[0.344])


BeatWaves = dict[Literal["p", "qrs", "t"], Wave]
"""The waves of one beat; what is absent, or not seen whole, is left out."""


class Waves(Schema):
    """When P, QRS and T of each beat begin, peak and end."""

    start_s: float = Field(description="The waves are those from here, in seconds from the first sample,", examples=[0])
    end_s: float = Field(description="to here.", examples=[10])
    part: str | None = Field(default=None, description="Which part of a long recording that is.")
    reason: str | None = Field(default=None, description="Why there are no waves, where there are none.")
    global_: list[BeatWaves] = Field(
        alias="global", description="Beat by beat, from the earliest onset to the latest end in any lead."
    )
    leads: dict[str, list[BeatWaves]] = Field(description="The same in each lead that was marked.")
