"""Parameters of what is shown of a recording."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from api.services.exports import FORMATS

Leads = Annotated[
    str | None,
    Query(
        max_length=1000,
        pattern=r"^[^\x00]*$",
        description="Names, separated by commas; all where left out. Limb leads that were not recorded are derived from"
        " two others.",
        examples=["I,II,V1"],
    ),
]
Start = Annotated[float, Query(ge=0, allow_inf_nan=False, description="Seconds from the first sample.")]
End = Annotated[
    float | None,
    Query(ge=0, allow_inf_nan=False, description="Seconds from the first sample; all to the end where left out."),
]
AnalysisOf = Annotated[
    str | None,
    Query(
        max_length=36, pattern=r"^[^\x00]*$", description="An analysis of this recording; its latest where left out."
    ),
]
Form = Annotated[
    str,
    Query(
        alias="format",
        max_length=40,
        description=f"`{'`, `'.join(FORMATS)}`. A WFDB record, two files, comes as a zip archive.",
        examples=["edf"],
        json_schema_extra={"enum": list(FORMATS)},
    ),
]
Identity = Annotated[bool, Query(description="Whether the person, the date and the name go along.")]
OCTETS: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def split(names: str | None) -> tuple[str, ...] | None:
    """Return the names in a list with commas; None for none."""
    found = tuple(name.strip() for name in names.split(",") if name.strip()) if names else ()
    return found or None
