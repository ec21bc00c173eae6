"""The rhythm, and pacing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.predictions import Identity

RhythmLabel = Literal["N", "A", "O", "~"]


class Episode(Schema):
    """A stretch of one rhythm."""

    start_s: float = Field(description="Seconds from the first sample.", examples=[0.0])
    end_s: float = Field(description="Seconds from the first sample.", examples=[42.5])
    label: RhythmLabel = Field(examples=["A"])
    probability: float = Field(description="Of that rhythm, on average.", examples=[0.97])


class SingleLead(Schema):
    """What the network that reads one lead says by itself."""

    label: RhythmLabel | None = Field(default=None, examples=["N"])
    title: str | None = Field(default=None, examples=["normal rhythm"])
    probability: float | None = Field(default=None, examples=[0.98])
    reason: str | None = Field(default=None, description="Why it says nothing, where it does not.")


class Rhythm(Schema):
    """The rhythm, who decided it, and what speaks against it; or the reason why it was not told.

    The 12-lead network decides where eight leads or more could be read, else the network that reads one lead. Episodes,
    burden and `probabilities` are always those of the latter.
    """

    label: RhythmLabel | None = Field(
        description="N normal, A atrial fibrillation, O another rhythm, ~ too noisy. Of a long recording, the rhythm"
        " that lasted longest; null where none was told.",
        examples=["N"],
    )
    title: str | None = Field(default=None, description="The rhythm in words.", examples=["sinus rhythm"])
    code: str | None = Field(
        default=None,
        description="SCP code of the rhythm, where the 12-lead network decided.",
        examples=["SR", "AFIB", "SBRAD"],
    )
    probability: float | None = Field(default=None, description="Of what was decided.", examples=[0.98])
    decided_by: Identity | None = Field(default=None, description="The model that decided; null where none did.")
    probabilities: dict[RhythmLabel, float] | None = Field(
        default=None,
        description="Of all four labels, by the network that reads one lead.",
        examples=[{"N": 0.97, "A": 0.01, "O": 0.02, "~": 0.0}],
    )
    lead: str | None = Field(default=None, description="The lead that was read.", examples=["II"])
    reason: str | None = Field(default=None, description="Why it was not told, where it was not.")
    disagreement: str | None = Field(
        default=None,
        description="What in the same recording speaks against the label. It is shown, and not averaged in.",
        examples=["P waves are marked before 9 of 10 beats"],
    )
    episodes: list[Episode] = Field(default=[], description="In order of time; what could not be read lies in none.")
    af_burden: float | None = Field(
        default=None,
        description="Share of the time with a readable rhythm that was atrial fibrillation.",
        examples=[0.0],
    )
    unread_s: float = Field(default=0.0, description="Seconds of which nothing is said.")
    beats_method: str | None = Field(default=None, description="The detector whose beats were read.")
    model: dict[str, str] | None = Field(
        default=None,
        description="Name, version and sha256 of the network that reads one lead.",
        examples=[{"name": "rhythm", "version": "1.0.0"}],
    )
    single_lead: SingleLead = Field(
        default=SingleLead(), description="What the network that reads one lead says, whoever decided."
    )


class Pacing(Schema):
    """Whether a pacemaker was at work, as its spikes show."""

    paced: bool | None = Field(description="Null where it cannot be judged. Small bipolar spikes can stay unseen.")
    times_s: list[float] = Field(default=[], description="Spikes, in seconds from the first sample.")
    chambers: list[Literal["atrial", "ventricular"]] = Field(default=[], description="What each spike seems to pace.")
    leads: list[str] = Field(default=[], description="Leads that show spikes.", examples=[["II", "V1"]])
    evidence: list[str] = Field(default=[], description="What speaks for pacing.")
    reason: str | None = Field(default=None, description="Why it cannot be judged.")
