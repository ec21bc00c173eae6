"""Upload a recording, get what can be said about it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from api.answers import json_answer
from api.deps import RuntimeOf, WriterOf
from api.errors import describe_problems
from api.routes.fields import ChosenOf, Files, Fs, Notes, StatedOf, Units, split_parts
from api.schemas import Prediction, SelectedParts
from api.services.analyses import Wanted, predict_case, predict_upload
from api.services.uploads import Upload, collect_files
from ecg_core.errors import InvalidValue

router = APIRouter(tags=["Analysis"])

NoFiles: Files = []
Case = Annotated[
    str | None,
    Form(
        max_length=60,
        description="A demo case of `GET /cases` instead of files; it is not stored.",
        examples=["normal"],
    ),
]
Parts = Annotated[
    str | None,
    Form(
        max_length=300,
        description="Parts of the answer, separated by commas; all where left out.",
        examples=["beats,measurements,predictions"],
    ),
]
WithSignal = Annotated[bool, Form(description="Whether the answer carries the recording's first seconds of samples.")]
Store = Annotated[bool, Form(description="Whether recording and analysis are kept.")]


@router.post(
    "/predict",
    response_model=Prediction | SelectedParts,
    responses=describe_problems(400, 401, 403, 404, 413, 415, 422, 429, 500, 503),
)
def predict(
    who: WriterOf,
    runtime: RuntimeOf,
    stated: StatedOf,
    choices: ChosenOf,
    files: Files = NoFiles,
    case: Case = None,
    fs: Fs = None,
    units: Units = None,
    notes: Notes = "",
    parts: Parts = None,
    signal: WithSignal = False,
    store: Store = True,
) -> Response:
    """Upload the files of one recording and get what can be said about it.

    The format is recognised by content; `GET /info` lists the formats. A WFDB recording is its `.hea` and its `.dat`
    together. Whatever had to be assumed on reading stands in `recording.warnings`. A file that leaves out its sampling
    rate is answered with `needs_option`; send it again with `fs`. Several recordings at once are answered with
    `several_recordings`: send them to `POST /batches`.

    Recording and analysis are kept unless `store=false`, and `stored` says where. The same files again give the same
    recording; asked the same, what was computed before is given again.

    Every installed model is asked unless `models` names some. What is stated of the person (age, sex, height, blood
    pressure, ...) is taken as stated and never guessed; the risk of atrial fibrillation says which facts it lacks. A
    field that cannot be used is answered with `invalid_value`, its name, what was found and what is possible.
    """
    wanted = Wanted(choices.models, choices.operating_point, signal)
    chosen = split_parts(parts)
    if (case is None) == (not files):
        raise InvalidValue("either files or a case", field="files", found="both" if files else "neither")
    if case is not None:
        answer = predict_case(runtime, who, case, stated=stated, wanted=wanted)
    else:
        uploads = collect_files([Upload(file.filename, file.file) for file in files], runtime.settings.max_files)
        answer = predict_upload(
            runtime, who, uploads, fs=fs, units=units, stated=stated, wanted=wanted, notes=notes, store=store
        )
    return json_answer(answer, chosen)
