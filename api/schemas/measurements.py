"""The table of measurements."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.schemas.base import Schema


class Range(Schema):
    """What is usual for the person."""

    low: float | None = Field(description="Null where there is no lower limit.", examples=[120])
    high: float | None = Field(description="Null where there is no upper limit.", examples=[200])
    high_included: bool = Field(default=True, description="Whether `high` itself is still usual.")
    source: str = Field(description="Who says so.", examples=["AHA/ACCF/HRS 2009 part III"])


class Measurement(Schema):
    """One value, or the reason why there is none."""

    value: float | None = Field(description="In the unit that its name ends with.", examples=[158.0])
    reason: str | None = Field(default=None, description="Why there is no value.")
    spread: float | None = Field(
        default=None, description="Robust standard deviation over the beats; null for fewer than three.", examples=[4.4]
    )
    n: int = Field(default=0, description="Beats, or intervals, that it rests on.", examples=[10])
    method: str = Field(description="How it was measured.", examples=["P onset to QRS onset, median over the beats"])
    range: Range | None = Field(default=None, description="What is usual; null where it is not known or not meant.")
    flag: Literal["low", "normal", "high"] | None = Field(
        default=None,
        description="Null without a range, and where a caution forbids the judgement.",
        examples=["normal"],
    )
    caution: str | None = Field(default=None, description="What the value must not be read without.")


class Measurements(Schema):
    """The table of an electrocardiograph, from the beats of the dominant shape. Nothing is clipped to what is usual."""

    hr_bpm: Measurement = Field(description="Mean heart rate.")
    rr_min_ms: Measurement = Field(description="Shortest interval between beats.")
    rr_max_ms: Measurement = Field(description="Longest interval between beats.")
    pr_ms: Measurement = Field(description="P onset to QRS onset.")
    p_ms: Measurement = Field(description="P duration.")
    qrs_ms: Measurement = Field(description="QRS duration.")
    qt_ms: Measurement = Field(description="QRS onset to T end.")
    jt_ms: Measurement = Field(description="QRS end to T end.")
    qtc_bazett_ms: Measurement = Field(description="QT / RR^(1/2).")
    qtc_fridericia_ms: Measurement = Field(description="QT / RR^(1/3).")
    qtc_framingham_ms: Measurement = Field(description="QT + 154 (1 - RR).")
    qtc_hodges_ms: Measurement = Field(description="QT + 1.75 (rate - 60).")
    p_axis_deg: Measurement = Field(description="Frontal axis of P, -180 to 180.")
    qrs_axis_deg: Measurement = Field(description="Frontal axis of QRS, -180 to 180.")
    t_axis_deg: Measurement = Field(description="Frontal axis of T, -180 to 180.")
    sokolow_lyon_mv: Measurement = Field(description="S in V1 + the larger R of V5 and V6.")
    cornell_mv: Measurement = Field(description="S in V3 + R in aVL.")
    r_transition: Measurement = Field(description="Where from V1 (1) to V6 (6) R outgrows Q and S.")
    leads: dict[str, dict[str, Measurement]] = Field(
        description="Of each lead: q_mv, r_mv, s_mv (sizes of the waves), st_j_mv, st_j40_mv, st_j60_mv, st_j80_mv."
    )
    notes: list[str] = Field(
        default=[], description="What was assumed or withheld.", examples=[["the age is unknown: an adult is assumed"]]
    )
