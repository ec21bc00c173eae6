"""What the service is and takes, and what goes wrong."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import NOTICE, Schema
from api.schemas.predictions import OperatingPoint
from api.schemas.risk import Fact


class Format(Schema):
    """A format that can be uploaded."""

    name: str = Field(examples=["edf"])
    title: str = Field(examples=["EDF, EDF+, BDF"])
    suffixes: list[str] = Field(
        description="Usual endings of its files. The content decides, not the name.", examples=[[".edf", ".bdf"]]
    )


class UploadLimits(Schema):
    """How much one upload may hold."""

    max_upload_bytes: int = Field(description="Bytes of the request's body.", examples=[104_857_600])
    max_files: int = Field(description="Files of one upload.", examples=[64])
    max_batch_bytes: int = Field(description="Bytes of the body of one batch.", examples=[1_073_741_824])
    max_batch_files: int = Field(description="Files of one batch, before archives are unpacked.", examples=[2_000])


class Info(Schema):
    """What this service is and takes."""

    name: str = Field(examples=["einthoven"])
    version: str = Field(examples=["0.1.0"])
    formats: list[Format]
    limits: UploadLimits
    models: list[str] = Field(
        default=[], description="Predictors that can be asked, as `models` of `/predict`.", examples=[["heart12"]]
    )
    operating_points: list[OperatingPoint] = Field(
        default=[], description="What thresholds can be chosen for.", examples=[["max_f1", "se95", "sp95"]]
    )
    statements: dict[str, str] = Field(
        default={}, description="SCP codes in plain English.", examples=[{"SR": "Sinus rhythm"}]
    )
    facts: list[Fact] = Field(default=[], description="What can be stated about the person beside age and sex.")
    notice: str = NOTICE


class Health(Schema):
    """Whether the service is up."""

    status: Literal["ok"] = "ok"


class InvalidField(Schema):
    """One field of a request that cannot be used."""

    field: str = Field(description="Where it stands, as a path.", examples=["body.fs"])
    problem: str = Field(examples=["Input should be greater than 0"])


class Problem(Schema):
    """What went wrong (RFC 9457). `code` is stable: programs branch on it, people read `detail`."""

    type: str = Field(examples=["urn:einthoven:problem:needs_option"])
    title: str = Field(description="The kind of problem, in a few words.", examples=["Needs option"])
    status: int = Field(description="The HTTP status.", examples=[422])
    code: str = Field(examples=["needs_option"])
    detail: str = Field(
        description="What happened, in a sentence.",
        examples=["ecg.csv: the file does not state its sampling rate"],
    )
    file: str | None = Field(default=None, description="The file concerned.", examples=["ecg.csv"])
    field: str | None = Field(default=None, description="The field or part concerned.")
    found: str | None = Field(default=None, description="The value found.")
    expected: str | None = Field(default=None, description="What was expected instead.")
    options: list[str] = Field(
        default=[], description="What can be done.", examples=[["say it: fs=<samples per second>"]]
    )
    request_id: str | None = Field(default=None, description="To find it in the service's log.")
    errors: list[InvalidField] = Field(default=[], description="The fields of the request that cannot be used.")
