"""What was sent: the person, the recording, its samples, and what it is good for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import Schema


class Subject(Schema):
    """What the file, or whoever sent it, says about the person."""

    id: str | None = Field(default=None, description="Identifier in the file.", examples=["P-0042"])
    age: float | None = Field(default=None, description="Years at the time of the recording.", examples=[63])
    sex: Literal["female", "male"] | None = Field(default=None, examples=["female"])
    facts: dict[str, Any] = Field(default={}, description="Other named facts.", examples=[{"height_cm": 171}])


class Step(Schema):
    """One step applied to the recording, with everything needed to apply it again."""

    name: str = Field(examples=["resample"])
    parameters: dict[str, Any] = Field(default={}, examples=[{"fs": 500, "method": "polyphase"}])


class Recording(Schema):
    """An ECG as it was read, short of its samples."""

    format: str | None = Field(description="Name of the format it was recognised as.", examples=["wfdb"])
    name: str | None = Field(description="Name of the (main) file: a label, nothing more.", examples=["100.hea"])
    sha256: str | None = Field(description="Of the file; of several, of the list of their checksums.")
    fs: float = Field(description="Samples per second of every lead.", examples=[500])
    leads: list[str] = Field(description="Lead names, in the order of the file.", examples=[["I", "II", "V1"]])
    derived: list[str] = Field(
        default=[], description="Leads computed from others instead of recorded.", examples=[["aVR"]]
    )
    n_samples: int = Field(description="Samples of every lead.", examples=[5000])
    duration_s: float = Field(description="Length in seconds.", examples=[10.0])
    start: str | None = Field(
        default=None, description="Date and time of the first sample (ISO 8601), if the file says so."
    )
    annotations: dict[str, int] = Field(
        default={}, description="Marks that came with the file: how many, by annotator."
    )
    history: list[Step] = Field(default=[], description="Every step applied since the file was read.")
    warnings: list[str] = Field(
        [],
        description="Every assumption made on reading, and whatever looks wrong in the recording.",
        examples=[["units: mV, stated by the file", "flat: V3: one value throughout"]],
    )


class Signal(Schema):
    """Samples of every lead over one window."""

    fs: float = Field(description="Samples per second.", examples=[500])
    unit: Literal["mV"] = "mV"
    start_s: float = Field(
        default=0.0, description="Seconds from the first sample of the recording to that of the window."
    )
    leads: list[str] = Field(description="One name a row of `values`.", examples=[["I", "II"]])
    values: list[list[float | None]] = Field(
        description="Millivolts to the nearest 0.1 uV, one row a lead; null where nothing was recorded.",
        examples=[[[0.012, 0.015, None], [0.031, 0.029, 0.03]]],
    )


class LeadQuality(Schema):
    """What one lead is good for."""

    verdict: Literal["good", "usable", "poor"] = Field(examples=["usable"])
    reasons: list[str] = Field(
        default=[], description="Each begins with what is wrong.", examples=[["mains: hum of 0.12 mV"]]
    )


class Suspicion(Schema):
    """An exchange of electrodes that may have happened. Nothing is corrected."""

    kind: str = Field(examples=["RA-LA"])
    title: str = Field(examples=["right arm and left arm exchanged"])
    leads: list[str] = Field(
        description="Leads that would not be what they are called.", examples=[["I", "II", "III", "aVR", "aVL"]]
    )
    confidence: float = Field(examples=[0.97])
    evidence: list[str] = Field(default=[], description="What speaks for it.")
    advice: str = Field(examples=["check the cables and record again"])
    undo: dict[str, tuple[int, str]] | None = Field(
        default=None,
        description="What each of these leads should be, by sign and recorded lead; null where a potential was lost.",
        examples=[{"I": [-1, "I"], "II": [1, "III"]}],
    )


class Quality(Schema):
    """What the recording is good for; analyses abstain from what is poor."""

    verdict: Literal["good", "usable", "poor"] = Field(examples=["good"])
    reasons: list[str] = Field(default=[], description="Why it is not good.", examples=[["poor: V3"]])
    unacceptable_probability: float | None = Field(
        description="That an expert would call the twelve leads unacceptable.", examples=[0.02]
    )
    unacceptable_reason: str | None = Field(
        default=None, description="Why there is no probability, where there is none."
    )
    model: dict[str, str] | None = Field(
        default=None,
        description="Name, version and sha256 of the model that gave it.",
        examples=[{"name": "quality", "version": "1.0.0"}],
    )
    leads: dict[str, LeadQuality] = Field(examples=[{"II": {"verdict": "good", "reasons": []}}])
    suspected: list[Suspicion] = Field(
        default=[], description="Exchanges of electrodes that may have happened, the most probable first."
    )
    suspected_reason: str | None = Field(default=None, description="Why that could not be judged, where it could not.")
