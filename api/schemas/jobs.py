"""Long work: how far it is, what went wrong, what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from api.schemas.analysis import StoredAnalysis
from api.schemas.base import Schema
from api.schemas.service import Problem

JobKind = Literal["batch", "evaluation"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
_ID = "0b8a4f9e-6a2c-4a53-9d0e-4f1d5f0f6a11"
_AT = "2026-03-01T12:00:00Z"


class Job(Schema):
    """Long work, and how far it is."""

    id: str = Field(examples=[_ID])
    kind: JobKind
    status: JobStatus = Field(
        description="`done` once everything was tried, whatever came of each file; `failed` where nothing could be."
    )
    total: int = Field(
        description="Recordings in all, and files that are none; 0 until the files were unpacked.", examples=[500]
    )
    done: int = Field(description="How many of them were analysed.", examples=[120])
    failed: int = Field(description="How many of them could not be.", examples=[2])
    message: str | None = Field(description="What is being done.", examples=["analysing the recordings"])
    cancel_asked: bool = Field(description="Whether it is to be cancelled after the recording at hand.")
    error: Problem | None = Field(description="What ended the whole job, where something did.")
    parameters: dict[str, Any] = Field(
        description="What was asked for, as it was sent.",
        examples=[{"fs": None, "units": None, "age": 63, "models": None, "operating_point": "max_f1"}],
    )
    created_at: datetime = Field(examples=[_AT])
    started_at: datetime | None = Field(examples=[_AT])
    finished_at: datetime | None


class FileError(Schema):
    """One file, or recording, that could not be analysed."""

    position: int = Field(description="Its place among the results, from 0.", examples=[7])
    file: str = Field(
        description="As it was sent; of an archive, the path within after its name.", examples=["study.zip/p7/ecg.hea"]
    )
    error: Problem


class JobDetails(Job):
    """A job, with what went wrong."""

    seconds_left: int | None = Field(
        description="An estimate, from how long the last recordings took; null where there is no ground for one.",
        examples=[95],
    )
    errors: list[FileError] = Field(description="The first 100 that could not be analysed; the results name all.")


class JobPage(Schema):
    """Some of your jobs, the newest first."""

    items: list[Job]
    next_cursor: str | None = Field(description="For the next page; null where this is the last.")


class JobResult(Schema):
    """One line of a batch's results: a recording, or a file that is none."""

    position: int = Field(description="Its place, from 0.", examples=[0])
    file: str = Field(
        description="As it was sent; of an archive, the path within after its name.", examples=["study.zip/p7/ecg.hea"]
    )
    status: Literal["done", "failed", "cancelled"]
    error: Problem | None = Field(description="Why it failed, where it did.")
    recording_id: str | None = Field(description="Where it is kept, unless it was deleted since.")
    analysis: StoredAnalysis | None = Field(description="What was said, unless that was deleted since.")


class OwnedJob(Schema):
    """Somebody's job, without what it is about."""

    id: str = Field(examples=[_ID])
    owner_id: str = Field(description="Whose account it is.")
    kind: JobKind
    status: JobStatus
    total: int
    done: int
    failed: int
    cancel_asked: bool
    error_code: str | None = Field(description="`code` of what ended the whole job, where something did.")
    worker: str | None = Field(description="Who works on it now.")
    lease_until: datetime | None = Field(description="From when another may, unless this one gives a sign of life.")
    created_at: datetime = Field(examples=[_AT])
    started_at: datetime | None
    finished_at: datetime | None


class OwnedJobPage(Schema):
    """Some of all jobs, the newest first."""

    items: list[OwnedJob]
    next_cursor: str | None = Field(description="For the next page; null where this is the last.")
