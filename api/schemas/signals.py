"""Samples and marks of recordings that are kept."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema
from api.schemas.recording import Signal


class Decimation(Schema):
    """How the samples were thinned out for drawing; nothing may be measured on them."""

    method: Literal["min_max"] = "min_max"
    samples: int = Field(
        description="Each two values are the lowest and the highest of so many samples, in the order they came.",
        examples=[50],
    )


class SignalWindow(Signal):
    """Samples of some leads over a window."""

    end_s: float = Field(description="Seconds from the first sample of the recording to the window's end.")
    derived: list[str] = Field(
        default=[], description="Leads computed from others instead of recorded.", examples=[["aVR"]]
    )
    decimation: Decimation | None = Field(
        default=None, description="Where `max_points` asked for it: `fs` is then only that of the drawing."
    )


class Mark(Schema):
    """A mark at an instant."""

    time_s: float = Field(description="Seconds from the first sample of the recording.", examples=[0.522])
    symbol: str = Field(
        description="As in WFDB: `N`, `V`, `A`, ... a beat; `(`, `p`, `N`, `t`, `)` a wave's begin, peak and end.",
        examples=["N"],
    )
    note: str = Field(default="", description="What stands beside it.", examples=["(AFIB"])


class Marks(Schema):
    """Marks on a recording, by who made them."""

    source: Literal["file", "analysis"]
    analysis_id: str | None = Field(default=None, description="The analysis that made them.")
    lead: str | None = Field(default=None, description="Of which lead the waves are; null where of all together.")
    start_s: float = Field(description="Where the window begins.")
    end_s: float = Field(description="Where it ends; a mark at the very end is outside.")
    annotators: dict[str, list[Mark]] = Field(
        description="In order of time. Of a file, by its annotators; of an analysis, `beats` and `waves`."
    )
