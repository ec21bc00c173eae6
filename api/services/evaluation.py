"""How good the models are: the work of a job on an installed set or a labelled upload.

What can be asked for is in `evaluation_requests`, the set that is answered at once in `bundled_set`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

from api.schemas import EvaluationReport
from api.services.bundled_set import evaluate_bundled
from api.services.evaluation_reports import accuracies, report_of
from api.services.evaluation_requests import LABELS, check_request, describe_sets
from api.settings import Settings
from ecg_core.datasets import DATASETS
from ecg_core.errors import EcgError
from ecg_core.evaluation import Evaluation, evaluate
from ecg_core.evaluation.labelled import examine_labelled
from ecg_core.evaluation.labels import parse_labels
from ecg_core.isolation import ReadPool, shared_pool
from ecg_core.readers import ReadOptions

__all__ = ["LABELS", "check_request", "describe_sets", "evaluate_bundled", "run_evaluation"]

Progress = Callable[[int, int, str], None]
"""(recordings done, in all or 0 where that is not known yet, name of the next); what it raises ends the work."""


def run_evaluation(
    parameters: Mapping[str, Any],
    files: Mapping[str, bytes] | None,
    progress: Progress,
    *,
    settings: Settings | None = None,
    pool: ReadPool | None = None,
) -> dict[str, Any]:
    """Do the work of a job; the same parameters and files give the same report, however often.

    Parameters
    ----------
    parameters
        From `check_request`.
    files
        The upload, by label, with the table of labels under `LABELS`; none for an installed set.
    progress
        Called before each recording.
    settings, pool
        Limits, and the processes that read; from the environment, and of this process, where left out.

    Returns
    -------
    An `EvaluationReport`, JSON-ready.

    Raises
    ------
    EcgError
        The set has gone, the model cannot be used, or no recording could be scored.
    """
    model, include = parameters["model"], bool(parameters.get("include_trained"))
    if (data := parameters.get("data")) is not None:
        with _without_folder(str(DATASETS[data].find() or "")) as hidden:
            found = evaluate(model, data, split=parameters.get("split"), include_trained=include, progress=progress)
        return _dumped(replace(found, unreadable={name: hidden(why) for name, why in found.unreadable.items()}))
    settings = settings or Settings()
    uploads = {name: content for name, content in (files or {}).items() if name != LABELS}
    labels = parse_labels(files[LABELS]) if files and LABELS in files else None
    options = ReadOptions(fs=parameters.get("fs"), units=parameters.get("units"), limits=settings.limits())
    pool = pool or shared_pool(settings.isolation())
    with closing(pool.read_many(uploads, options)) as results:  # type: ignore[type-var]
        found = examine_labelled(model, results, labels, include_trained=include, progress=progress)
    return _dumped(found)


@contextmanager
def _without_folder(folder: str) -> Iterator[Callable[[str], str]]:
    """Yield what takes the folder of the sets out of a text, and take it out of errors: where it lies is ours alone."""

    def hidden(text: str) -> str:
        return text.replace(f"{folder}/", "").replace(folder, "the set") if folder else text

    try:
        yield hidden
    except EcgError as error:
        told = error.to_dict()
        texts = {name: hidden(value) if isinstance(value, str) else value for name, value in told.items()}
        raise EcgError.from_dict(texts) from error


def _dumped(found: Evaluation) -> dict[str, Any]:
    whole = report_of(found) | accuracies(found.metrics)
    whole |= {"lost": [{"name": record, **what} for record, what in found.lost.items()]}
    return EvaluationReport.model_validate(whole).model_dump(mode="json")
