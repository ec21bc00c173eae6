"""What can be examined here, and whether a request for it can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.errors import Refusal
from api.schemas import EvaluationChoices, SetChoice, SplitChoice, UploadChoice
from api.services.evaluation_reports import WITHOUT_ARTEFACT
from api.services.uploads import Upload, collect_files, path_of
from ecg_core.artefacts import list_models
from ecg_core.datasets import DATASETS
from ecg_core.datasets.bundled import GRADES, Bundled
from ecg_core.errors import InvalidValue
from ecg_core.evaluation import EXAMS
from ecg_core.evaluation.labels import FIELD, parse_labels
from ecg_core.evaluation.ways import find_way, ways

LABELS = "/labels"
"""Among the files of a job, the table of labels; no name of an upload begins with a slash."""
_RHYTHMS = ["N", "A", "O", "~"]


def describe_sets() -> EvaluationChoices:
    """Return the models and sets that can be examined here."""
    usable = _usable()
    sets = []
    for name, dataset in DATASETS.items():
        if not (examined := sorted(model for model in usable if name in EXAMS[model])):
            continue
        installed = dataset.find() is not None
        sets.append(
            SetChoice(
                name=name,
                title=dataset.title,
                about=dataset.about,
                licence=dataset.licence,
                citation=dataset.citation,
                page=dataset.page,
                synthetic=dataset.in_memory,
                installed=installed,
                install=None if installed else f"ecg data get {name}",
                splits=[SplitChoice(name=split, about=part.about) for split, part in dataset.splits.items()],
                models=examined,
            )
        )
    return EvaluationChoices(
        bundled=sorted(model for model in usable if Bundled.name in EXAMS[model]),
        grades=list(GRADES),
        sets=sets,
        uploads=[
            UploadChoice(model=model, needs=way.needs, labels=_RHYTHMS if model == "rhythm" else [])
            for model, way in sorted(ways().items())
        ],
    )


def _usable() -> list[str]:
    """Return the models with an exam that are installed."""
    installed = {model.name for model in list_models()} | set(WITHOUT_ARTEFACT)
    return [model for model in EXAMS if model in installed]


def collect_labelled(uploads: Sequence[Upload], labels: Upload | None, max_files: int) -> dict[str, bytes]:
    """Return ``{path: content}`` of an upload, whose folders tell its files apart, with the table under `LABELS`.

    Raises
    ------
    LimitExceeded
        There are more than ``max_files``.
    InvalidValue
        Two of them have the same name.
    """
    files = collect_files(uploads, max_files, path_of)
    return files if labels is None else {**files, LABELS: labels.content.read()}


def check_request(
    *,
    model: str,
    data: str | None,
    split: str | None,
    include_trained: bool,
    fs: float | None,
    units: str | None,
    files: Mapping[str, bytes],
) -> dict[str, Any]:
    """Return the parameters of the job, checked as far as they can be before its work.

    Raises
    ------
    UnknownName
        There is no such model or set, or the model is not examined on it.
    InvalidValue
        Neither a set nor an upload, or both; no such split; no table of labels, or none that can be read.
    Refusal
        422 `set_not_installed`.
    """
    uploads = [name for name in files if name != LABELS]
    if (data is None) == (not uploads):
        raise InvalidValue(
            "either an installed set or an upload",
            field="data",
            found="neither" if data is None else "both",
            expected="`data`, the name of a set, or `files`",
        )
    if data is None:
        if split is not None:
            raise InvalidValue("an upload has no splits", field="split", found=repr(split), expected="none")
        _check_upload(model, files)
    else:
        _check_set(model, data, split, files)
    return {
        "model": model,
        "data": data,
        "split": split,
        "include_trained": include_trained,
        "fs": fs,
        "units": units,
    }


def _check_upload(model: str, files: Mapping[str, bytes]) -> None:
    needs = find_way(model).needs
    if needs == FIELD and LABELS not in files:
        raise InvalidValue(
            "this model needs a table of labels",
            field=FIELD,
            found="none",
            expected="a CSV table: a row a recording, its name and its labels",
        )
    if needs != FIELD and LABELS in files:
        raise InvalidValue(
            f"this model is compared with annotated {needs}, not with a table", field=FIELD, found="a table"
        )
    if LABELS in files:
        parse_labels(files[LABELS])


def _check_set(model: str, data: str, split: str | None, files: Mapping[str, bytes]) -> None:
    dataset = DATASETS[data]
    _ = EXAMS[model][data]
    dataset.choose((), split)
    if LABELS in files:
        raise InvalidValue("a set has labels of its own", field=FIELD, found="a table", expected="none with `data`")
    if dataset.find() is None:
        raise Refusal(
            422,
            "set_not_installed",
            f"the data set {data} ({dataset.title}) is not installed on this server",
            field="data",
            found=data,
            options=[f"ecg data get {data}"],
        )
