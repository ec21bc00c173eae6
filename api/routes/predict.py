"""Upload a recording, get what can be said about it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, File, Form, UploadFile

from api.deps import PoolOf, SettingsOf
from api.errors import describe_problems
from api.routes.choices import Choices, stated_choices
from api.routes.facts import StatedFacts, stated_facts
from api.schemas import Prediction
from api.services.predict import Upload, predict_upload

router = APIRouter(tags=["Analysis"])

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
Facts = Annotated[StatedFacts, Depends(stated_facts)]
ChosenOf = Annotated[Choices, Depends(stated_choices)]
WithSignal = Annotated[bool, Form(description="Whether the answer carries the recording's first seconds of samples.")]


@router.post("/predict", responses=describe_problems(400, 413, 415, 422, 500, 503))
def predict(
    files: Files,
    pool: PoolOf,
    settings: SettingsOf,
    facts: Facts,
    choices: ChosenOf,
    fs: Fs = None,
    units: Units = None,
    age: Age = None,
    sex: Sex = None,
    signal: WithSignal = False,
) -> Prediction:
    """Upload the files of one recording and get what can be said about it.

    The format is recognised by content; `GET /info` lists the formats. A WFDB recording is its `.hea` and its `.dat`
    together. Whatever had to be assumed on reading stands in `recording.warnings`. A file that leaves out its sampling
    rate is answered with `needs_option`; send it again with `fs`. Several recordings at once are answered with
    `several_recordings`.

    Every installed model is asked unless `models` names some. What is stated of the person (age, sex, height, blood
    pressure, ...) is taken as stated and never guessed; the risk of atrial fibrillation says which facts it lacks. A
    field that cannot be used is answered with `invalid_value`, its name, what was found and what is possible.
    """
    uploads = [Upload(file.filename, file.file) for file in files]
    return predict_upload(
        uploads,
        pool,
        settings,
        fs=fs,
        units=units,
        age=age,
        sex=sex,
        facts=facts,
        models=choices.models,
        operating_point=choices.operating_point,
        with_signal=signal,
    )
