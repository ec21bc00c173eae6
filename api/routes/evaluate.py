"""How good the models are: on a bundled set at once, on installed sets and labelled uploads as a job."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile

from api.deps import ReaderOf, RuntimeOf, WriterOf
from api.errors import describe_problems
from api.routes.batches import LOCATION
from api.routes.fields import Fs, Units
from api.schemas import BundledEvaluation, BundledRecord, EvaluationChoices, Job
from api.services import bundled_set, jobs
from api.services.bundled_set import MODELS
from api.services.evaluation_requests import check_request, collect_labelled, describe_sets
from api.services.uploads import Upload
from ecg_core.datasets.bundled import GRADES

router = APIRouter(prefix="/evaluate", tags=["Evaluation"])

Method = Literal["robust", "fast"]
Model = Annotated[
    str,
    Query(
        max_length=100,
        description="A model whose truth the set holds: beats, waves, beat classes, rhythm, pacing.",
        examples=["beats"],
        json_schema_extra={"enum": list(MODELS)},
    ),
]
ByMethod = Annotated[
    Method | None,
    Query(description="The beat detector, another way of saying `model`: `robust` is `beats`, `fast` is `beats_fast`."),
]
Grade = Annotated[
    str | None,
    Query(
        max_length=20,
        description="Only this grade of noise; all where left out.",
        examples=["12dB"],
        json_schema_extra={"enum": [*GRADES, None]},
    ),
]
Name = Annotated[
    str, Path(max_length=100, description="As `lost` of `GET /evaluate` names it.", examples=["pvc_V5_-6dB"])
]
Finder = Annotated[Method, Query(description="The beat detector to ask.")]


Files = Annotated[
    list[UploadFile],
    File(
        description="Labelled recordings, or a zip or tar.gz archive of them: WFDB with annotation files (`.atr` and"
        " the like), or `data/data_*.mat` with `ref/R_*.mat` as CPSC 2019 has them (with `fs` and `units`), or any"
        " recordings with a table of `labels`."
    ),
]
NoFiles: Files = []
Labels = Annotated[
    UploadFile | None,
    File(
        description="CSV: a row a recording, its name and its labels (`A0001,N`; `00001,MI;LVH`), or a header with a"
        " column a label and 0 or 1 below. For models that need `labels`."
    ),
]
FormModel = Annotated[str, Form(max_length=100, description="`GET /evaluate/sets` says which.", examples=["beats"])]
Data = Annotated[str | None, Form(max_length=100, description="An installed set instead of files.", examples=["mitdb"])]
Split = Annotated[str | None, Form(max_length=100, description="Only this part of the set.", examples=["ds1"])]
IncludeTrained = Annotated[
    bool, Form(description="Whether recordings that the model was trained on are scored too; else they are left out.")
]


@router.get("", responses=describe_problems(401, 403, 404, 422, 500))
def evaluate_bundled(
    _who: ReaderOf, model: Model = "beats", method: ByMethod = None, grade: Grade = None
) -> BundledEvaluation:
    """Say how good a model is on the bundled set: R peak and heart rate accuracy, over all and by grade of noise.

    The set is synthetic, of exactly known truth: 24 hearts of several rhythms and shapes, in twelve leads or one, each
    without noise and at six signal-to-noise ratios. `lost` names each recording that cost something, with its beats
    and those found; `GET /evaluate/records/{name}` shows it.

    The first call for a model takes seconds, those after it none. The scores are those of the China Physiological
    Signal Challenge 2019, `official` as its script has them and `strict` without its oddities.
    """
    return bundled_set.evaluate_bundled(model, method, grade)


@router.get("/sets", responses=describe_problems(401, 403, 500))
def list_evaluation_sets(_who: ReaderOf) -> EvaluationChoices:
    """List what can be examined here: which models, on which sets, which of these are installed, with which splits."""
    return describe_sets()


@router.get("/records/{name}", responses=describe_problems(401, 403, 404, 422, 500))
def get_bundled_record(_who: ReaderOf, runtime: RuntimeOf, name: Name, method: Finder = "robust") -> BundledRecord:
    """Show one recording of the bundled set: its samples, its beats, and the beats that a detector finds in it."""
    return bundled_set.show_bundled_record(name, method, runtime.settings)


@router.post("", status_code=202, responses={202: LOCATION, **describe_problems(400, 401, 403, 404, 413, 422, 500)})
def evaluate(
    who: WriterOf,
    runtime: RuntimeOf,
    response: Response,
    files: Files = NoFiles,
    labels: Labels = None,
    model: FormModel = "beats",
    data: Data = None,
    split: Split = None,
    include_trained: IncludeTrained = False,
    fs: Fs = None,
    units: Units = None,
) -> Job:
    """Examine a model on an installed set (`data`) or on labelled recordings of your own (`files`), as a job.

    Upload recordings with their truth beside them: annotated beats for `beats`, `beats_fast` and `beat_classes`,
    annotated waves for `waves`, a table of `labels` for the others. `GET /evaluate/sets` says which models take what,
    and which sets are installed.

        curl -F model=beats -F files=@records.zip http://127.0.0.1:8000/evaluate
        curl -F model=rhythm -F files=@records.zip -F labels=@REFERENCE.csv http://127.0.0.1:8000/evaluate
        curl -F model=beats -F data=mitdb -F split=ds1 http://127.0.0.1:8000/evaluate

    Answers at once with the job. `GET /jobs/{id}` follows it, `GET /jobs/{id}/results` has the report when it is done,
    with the reason for each recording that could not be scored. What was uploaded is deleted when the job is finished,
    or, where beats were missed or invented in it, when the job is deleted: until then `GET /jobs/{id}/signal` shows it.
    None of it becomes a recording of yours.
    """
    sent = [Upload(file.filename, file.file) for file in files]
    table = None if labels is None else Upload(labels.filename, labels.file)
    contents = collect_labelled(sent, table, runtime.settings.max_batch_files)
    parameters = check_request(
        model=model,
        data=data,
        split=split,
        include_trained=include_trained,
        fs=fs,
        units=units,
        files=contents,
    )
    job = jobs.create_job(runtime, who, "evaluation", parameters, contents)
    response.headers["Location"] = f"/jobs/{job.id}"
    return job
