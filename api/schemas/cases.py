"""The demo cases: ECGs of our own making, whose truth is known."""

from __future__ import annotations

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.recording import Subject

SYNTHETIC = "Made by this software, of nobody: no patient's recording, and no measure of how good the analysis is."


class CaseSummary(Schema):
    """One demo case, in short."""

    name: str = Field(description="As `case` of `POST /predict` takes it.", examples=["atrial_fibrillation"])
    title: str = Field(examples=["Atrial fibrillation"])
    description: str = Field(examples=["Irregular beats at 92/min without P waves, over a fibrillating baseline."])
    subject: Subject = Field(description="The person that it is made out to be of.")


class CaseList(Schema):
    """The demo cases."""

    cases: list[CaseSummary]
    notice: str = SYNTHETIC


class Planted(Schema):
    """What was put into a case, known by construction. Intervals and axes are of its normal beats."""

    rhythm: str = Field(examples=["af"])
    shape: str = Field(description="Of the ventricular complexes.", examples=["lbbb"])
    statements: list[str] = Field(
        description="SCP codes that fit it; `GET /info` has them in words.", examples=[["AFIB"]]
    )
    heart_rate_bpm: float | None = Field(description="Over the mean RR.", examples=[92.4])
    pr_ms: float | None = Field(description="Null where no P wave leads to a beat.", examples=[160])
    p_ms: float | None = Field(examples=[100])
    qrs_ms: float | None = Field(examples=[92])
    qt_ms: float | None = Field(examples=[380])
    p_axis_deg: float | None = Field(examples=[50])
    qrs_axis_deg: float | None = Field(examples=[40])
    t_axis_deg: float | None = Field(examples=[35])
    st_mv: dict[str, dict[str, float | None]] = Field(
        description="ST level in each lead, at J and 40, 60 and 80 ms after it.", examples=[{"J": {"II": 0.02}}]
    )
    pacing_spikes_s: list[float] = Field(description="Seconds from the first sample.", examples=[[0.4, 1.3]])
    noise: dict[str, float | None] = Field(
        description="Kinds of noise, with the ratio of signal to each of them in dB.", examples=[{"muscle": 26.0}]
    )
    reversal: list[str] = Field(description="Electrodes that were exchanged.", examples=[["RA-LA"]])
    leads_off: dict[str, tuple[float, float]] = Field(
        description="Leads that were off, from and to which second.", examples=[{"V2": (4.0, 10.0)}]
    )


class CaseDetails(CaseSummary):
    """One demo case: what was planted, and the recording that it makes."""

    planted: Planted
    fs: float = Field(description="Samples per second.", examples=[500])
    duration_s: float = Field(examples=[10.0])
    leads: list[str] = Field(examples=[["I", "II", "V1"]])
    sha256: str | None = Field(description="Of the recording, as its analysis names it.")
    formats: list[str] = Field(description="What `GET /cases/{name}/file` can write.", examples=[["edf", "wfdb"]])
    notice: str = SYNTHETIC
