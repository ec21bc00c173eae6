"""Form fields and parameters that several routes take."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, File, Form, Path, Query, UploadFile

from api.routes.choices import Choices, stated_choices
from api.routes.facts import StatedFacts, stated_facts
from api.schemas.analysis import PARTS
from api.services.analyses import Stated
from ecg_core.errors import InvalidValue

Files = Annotated[
    list[UploadFile],
    File(description="The files of one recording, or a zip or tar.gz archive of them. Their names are only labels."),
]
Fs = Annotated[
    float | None,
    Form(gt=0, allow_inf_nan=False, description="Samples per second, where the file does not say.", examples=[500]),
]
Units = Annotated[
    str | None,
    Form(
        max_length=40,
        description="`mV`, `uV`, `V`, `nV`, or the millivolts of one stored step, where the file does not say.",
        examples=["mV"],
    ),
]
Age = Annotated[
    float | None,
    Form(ge=0, le=130, description="Years at the time of the recording; goes before the file's.", examples=[63]),
]
Sex = Annotated[Literal["female", "male"] | None, Form(description="Goes before the file's.")]
Notes = Annotated[str, Form(max_length=20_000, description="Your notes, kept with the recording.")]
Facts = Annotated[StatedFacts, Depends(stated_facts)]
ChosenOf = Annotated[Choices, Depends(stated_choices)]

_ID = "^[0-9A-Za-z-]+$"
RecordingId = Annotated[str, Path(max_length=36, pattern=_ID, description="Of one of your recordings.")]
AnalysisId = Annotated[str, Path(max_length=36, pattern=_ID, description="Of one of your analyses.")]
EarlierId = Annotated[str, Query(max_length=36, pattern=_ID, description="The earlier one: another of your analyses.")]
Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before; the first page where left out.")
]
Limit = Annotated[int, Query(ge=1, le=200, description="Items of a page at most.")]


def state_person(facts: Facts, age: Age = None, sex: Sex = None) -> Stated:
    """Return what is stated of the person."""
    return Stated(age, sex, facts)


StatedOf = Annotated[Stated, Depends(state_person)]


def split_parts(parts: str | None) -> tuple[str, ...] | None:
    """Return the parts of an answer that are asked for, or None for all."""
    names = tuple(name.strip() for name in parts.split(",") if name.strip()) if parts else ()
    if unknown := [name for name in names if name not in PARTS]:
        raise InvalidValue("no such part", field="parts", found=unknown[0], options=PARTS)
    return names or None
