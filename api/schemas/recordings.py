"""Recordings that are kept: what is sent, shown, listed and changed of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas.analysis import AnalysisSummary
from api.schemas.base import Schema
from api.schemas.recording import Quality, Subject

Verdict = Literal["good", "usable", "poor"]
Sex = Literal["female", "male"]
_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def _in_utc(value: datetime) -> datetime:
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("not a date of this calendar") from None


def _of_characters(value: str) -> str:
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("NUL and halves of characters are no text")
    return value


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Text = Annotated[str, AfterValidator(_of_characters)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class KeptFile(Schema):
    """One of the files that were sent."""

    name: str = Field(description="As it was sent: a label, nothing more.", examples=["100.dat"])
    size: int = Field(description="Bytes.", examples=[120_000])
    sha256: str


class ReadingOptions(Schema):
    """What the sender knew beyond the file."""

    fs: float | None = Field(default=None, description="Samples per second.", examples=[500])
    units: str | None = Field(default=None, examples=["mV"])


class RecordingItem(Schema):
    """A recording in a list."""

    id: str = Field(examples=[_ID])
    name: str = Field(description="Of its main file, unless it was renamed.", examples=["100.hea"])
    format: str = Field(description="Name of the format it was recognised as.", examples=["wfdb"])
    fs: float = Field(description="Samples per second of every lead.", examples=[500])
    leads: list[str] = Field(description="Lead names, in the order of the file.", examples=[["I", "II", "V1"]])
    duration_s: float = Field(description="Length in seconds.", examples=[10.0])
    start: str | None = Field(description="Date and time of the first sample (ISO 8601), if the file says so.")
    subject: Subject
    notes: str = Field(examples=["before ablation"])
    quality: Verdict = Field(description="What it is good for.", examples=["good"])
    created_at: datetime = Field(description="When it was sent (UTC).")
    updated_at: datetime = Field(description="When name, notes or subject were changed last (UTC).")
    latest_analysis: AnalysisSummary | None = Field(
        default=None, description="The last that was said about it; null where it was not analysed."
    )


class RecordingPage(Schema):
    """Some of your recordings."""

    items: list[RecordingItem]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next ones; null at the end.")
    total: int | None = Field(
        default=None, description="How many there are on all pages, where that was asked for.", examples=[1]
    )


class KeptRecording(Schema):
    """A recording that is kept."""

    id: str = Field(examples=[_ID])
    name: str = Field(description="Of its main file, unless it was renamed.", examples=["100.hea"])
    format: str = Field(description="Name of the format it was recognised as.", examples=["wfdb"])
    sha256: str = Field(description="Of the file; of several, of the list of their checksums.")
    fs: float = Field(description="Samples per second of every lead.", examples=[500])
    leads: list[str] = Field(description="Lead names, in the order of the file.", examples=[["I", "II", "V1"]])
    derived: list[str] = Field(description="Leads computed from others instead of recorded.", examples=[["aVR"]])
    n_samples: int = Field(description="Samples of every lead.", examples=[5000])
    duration_s: float = Field(description="Length in seconds.", examples=[10.0])
    start: str | None = Field(description="Date and time of the first sample (ISO 8601), if the file says so.")
    annotations: dict[str, int] = Field(
        description="Marks that came with the file: how many, by annotator.", examples=[{"atr": 2273}]
    )
    warnings: list[str] = Field(
        description="Every assumption made on reading, and whatever looks wrong in the recording.",
        examples=[["units: mV, stated by the file"]],
    )
    quality: Quality
    files: list[KeptFile] = Field(description="What was sent; `GET /recordings/{id}/file` gives it back.")
    options: ReadingOptions
    subject: Subject
    notes: str = Field(examples=["before ablation"])
    created_at: datetime = Field(description="When it was sent (UTC).")
    updated_at: datetime = Field(description="When name, notes or subject were changed last (UTC).")
    note: str | None = Field(default=None, description="What was not done with what was sent, and why.")


class RecordingQuery(BaseModel):
    """Which recordings to list, in what order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: Text | None = Field(
        default=None, max_length=200, description="Part of the name, the notes or the subject's id, in any case."
    )
    format: Text | None = Field(default=None, max_length=20, description="As `GET /info` lists it.", examples=["edf"])
    quality: Verdict | None = Field(default=None, description="What it is good for.")
    sex: Sex | None = Field(default=None, description="Whose sex is unknown is left out.")
    min_age: Number | None = Field(default=None, description="Years; whose age is unknown is left out.")
    max_age: Number | None = Field(default=None, description="Years; whose age is unknown is left out.")
    n_leads: int | None = Field(default=None, ge=1, le=1_000_000, description="Number of leads.", examples=[12])
    min_duration_s: Number | None = Field(default=None, description="Seconds.")
    max_duration_s: Number | None = Field(default=None, description="Seconds.")
    created_from: Moment | None = Field(
        default=None, description="Sent at this time or later (ISO 8601; UTC where no zone is given)."
    )
    created_to: Moment | None = Field(default=None, description="Sent before this time.")
    analysed: bool | None = Field(default=None, description="Whether an analysis of it is kept.")
    urgent: bool | None = Field(
        default=None, description="Whether its latest analysis has critical findings; those without one are left out."
    )
    rhythm: Text | None = Field(
        default=None, max_length=40, description="Label of the rhythm in its latest analysis.", examples=["A"]
    )
    sort: Literal["created_at", "name", "duration_s", "subject_id", "start"] = Field(
        default="created_at", description="What they are sorted by; those without it come last."
    )
    order: Literal["asc", "desc"] = Field(
        default="desc", description="Whether the smallest comes first, or the largest."
    )
    cursor: str | None = Field(
        default=None,
        max_length=4000,
        description="`next_cursor` of the page before, with the same filters and order; the first page where left out.",
    )
    limit: int = Field(default=50, ge=1, le=200, description="Items of a page at most.")
    total: bool = Field(default=False, description="Whether to count those on all pages.")


class SubjectChanges(BaseModel):
    """What is to be changed of the person; null removes, what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[Text, Field(max_length=200)] | None = Field(default=None, examples=["P-0042"])
    age: float | None = Field(
        default=None, ge=0, le=130, allow_inf_nan=False, description="Years at the time of the recording."
    )
    sex: Sex | None = None
    facts: dict[str, bool | float | Annotated[str, Field(max_length=40)] | None] | None = Field(
        default=None,
        max_length=100,
        description="By the names that `GET /info` lists; numbers may carry a unit.",
        examples=[{"height_cm": 171, "diabetes": "yes", "smoker": None}],
    )


class RecordingChanges(BaseModel):
    """A JSON merge patch (RFC 7396): null removes, what is left out stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="What it is called; null gives it back the name of its file."
    )
    notes: Annotated[Text, Field(max_length=20_000)] | None = Field(default=None, examples=["before ablation"])
    subject: SubjectChanges | None = Field(
        default=None, description="What is noted of the person; null forgets it all."
    )

    def stated(self) -> dict[str, Any]:
        """Return what was stated, null too."""
        return self.model_dump(exclude_unset=True)
