"""Two recordings of one person beside one another."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api.schemas.base import NOTICE, Schema
from api.schemas.findings import Kind

Verdict = Literal["changed", "within noise", "cannot be told"]
Fate = Literal["appeared", "disappeared", "stays", "cannot be told"]


class NoiseLevel(Schema):
    """How much a figure differs between two looks at one heart that did not change, in the figure's own unit."""

    sd: float = Field(description="Two of three pairs (68.3 %) differ by no more.", examples=[7.7])
    limit: float = Field(
        description="95 of 100 pairs differ by no more: the repeatability coefficient.", examples=[17.0]
    )
    limit_low: float = Field(description="Lower end of the 95 % interval of `limit`.", examples=[16.3])
    limit_high: float = Field(description="Upper end of it.", examples=[17.8])
    n: int = Field(description="Pairs that it rests on.", examples=[1985])
    source: str = Field(description="Which of `noise.sources` it was measured on.", examples=["halves"])


class Change(Schema):
    """One figure in both recordings, beside what it differs by where nothing changed."""

    before: float | None = Field(examples=[402.0])
    after: float | None = Field(examples=[464.0])
    difference: float | None = Field(
        description="After less before, in the unit that the name ends with (an axis the shorter way round, a"
        " probability in log odds); null where either is missing.",
        examples=[62.0],
    )
    verdict: Verdict = Field(
        description="`changed`: the difference is beyond the noise's limit; that says neither why nor whether it"
        " matters. `cannot be told`: see `reason`."
    )
    noise: NoiseLevel | None = Field(default=None, description="Null where it was not measured.")
    reason: str | None = Field(default=None, description="Why nothing can be told, where nothing can.")


class StatementChange(Schema):
    """What became of a finding that either analysis tells."""

    code: str = Field(examples=["CLBBB"])
    text: str = Field(examples=["Complete left bundle branch block"])
    kind: Kind
    fate: Fate = Field(description="`cannot be told`: see `reason`.")
    before: float | None = Field(
        default=None,
        description="Calibrated probability, also where it is not called; null for what rests on a rule.",
        examples=[0.04],
    )
    after: float | None = Field(default=None, description="The same of the second recording.", examples=[0.94])
    beyond_noise: bool | None = Field(
        default=None,
        description="Whether what it rests on (its log odds, or its measurements) changed beyond the noise. False by"
        " `appeared` or `disappeared`: it crossed a limit that it lay close to. Null where that cannot be told.",
    )
    reason: str | None = Field(default=None, description="Why its fate cannot be told, where it cannot.")


class ComparedSide(Schema):
    """What of one recording the comparison rests on."""

    analysis_id: str = Field(examples=["6f2d9a0e-6a0e-4d0b-9a42-2f1c4a5b6c7d"])
    recording_id: str = Field(examples=["1c0e8f8e-0b6a-4f37-8a53-1f0d2c3b4a59"])
    sha256: str | None = Field(description="Of what was recorded.")
    start: str | None = Field(description="When the recording began, where the file says so.")
    duration_s: float = Field(examples=[10.0])
    leads: list[str]
    quality: Literal["good", "usable", "poor"]
    rhythm: str | None = Field(description="Null where none was told.", examples=["sinus rhythm"])
    diagnosis: str = Field(description="The findings in a line.", examples=["Sinus rhythm, 75/min"])


class ComparisonNoise(Schema):
    """Where the noise comes from, and what it is worth."""

    sources: dict[str, dict[str, Any]] = Field(
        description="What it was measured on: `data`, `looks`, `pairs`, what it `includes` and `leaves_out`, `command`."
    )
    checks: dict[str, dict[str, Any]] = Field(
        description="On data that no limit was taken from, with nothing changed: which share of the measurements lay"
        " `beyond` their limit (of single leads: `beyond_leads`), and which share of the pairs had `any_beyond`."
    )


class Comparison(Schema):
    """An analysis beside an earlier one."""

    before: ComparedSide
    after: ComparedSide
    elapsed_s: float | None = Field(description="From start to start; null where either is not known.")
    warnings: list[str] = Field(
        description="Why they may not be what they are compared as: other people, sexes, ages, order in time, leads.",
        examples=[["they are named as of two people: P-1 and P-2"]],
    )
    summary: str = Field(description="What changed, in a few sentences.")
    changed: list[str] = Field(
        description="Measurements of the whole recording that changed, the farthest beyond its limit first.",
        examples=[["qt_ms", "qtc_fridericia_ms"]],
    )
    measurements: dict[str, Change] = Field(description="By the names of `measurements` of an analysis.")
    leads: dict[str, dict[str, Change]] = Field(description="Of each lead: wave heights and ST levels.")
    labels: dict[str, dict[str, Change]] = Field(
        description="Probabilities of the 12-lead model by head and label, with the difference in log odds."
    )
    age: Change = Field(description="Years that the model estimates from the tracing.")
    statements: list[StatementChange] = Field(description="The findings of both, the critical first.")
    noise: ComparisonNoise
    notice: str = NOTICE
