"""Models on recordings that came with their truth: marks beside the signal, or labels in a table.

Marks are `Recording.annotations`; a table says which recording shows what (`ecg_core.evaluation.labels`). Which model
needs which, `ecg_core.evaluation.ways` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ecg_core.artefacts import RECORDS, load_model, record_hash
from ecg_core.errors import EcgError, InvalidValue
from ecg_core.evaluation.bootstrap import RESAMPLES, measure
from ecg_core.evaluation.exams.base import tell_lost
from ecg_core.evaluation.exams.parts import Progress, score_each
from ecg_core.evaluation.labels import FIELD, Labels
from ecg_core.evaluation.report import Evaluation
from ecg_core.evaluation.ways import Way, find_way
from ecg_core.reading import ReadResult

UPLOAD = "upload"
"""What takes the place of a data set's name in the report."""


def examine_labelled(
    model: str,
    results: Iterable[ReadResult],
    labels: Labels | None = None,
    *,
    include_trained: bool = False,
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> Evaluation:
    """Examine a model on recordings as they are read, holding one at a time.

    Parameters
    ----------
    model
        A name in `ways`.
    results
        The recordings. Those that cannot be read or have no truth are named in the report with the reason.
    labels
        What a table says of them, for a model that needs it.
    include_trained
        Score the recordings too that the model was trained on, whatever format they come in.
    progress
        Called before each recording with the number in all as 0, which is not known, and once at the end.

    Raises
    ------
    InvalidValue
        The model is not examined so, or no recording could be scored.
    """
    way = find_way(model)
    seen = _seen(way.artefact)
    answers, names, groups, trained_on = [], [], [], []
    left_out: dict[str, str] = {}
    done = 0
    for done, result in enumerate(results, 1):
        if progress:
            progress(done - 1, 0, result.name)
        recording = result.recording
        if recording is None:
            left_out[result.name] = str(result.error)
            continue
        try:
            truth = _labels_of(result.name, labels) if way.needs == FIELD else frozenset[str]()
            if seen and record_hash(recording) in seen:
                trained_on.append(result.name)
                if not include_trained:
                    continue
            answers.append(way.answer(recording, truth))
        except EcgError as error:
            left_out[result.name] = str(error)
            continue
        names.append(result.name)
        groups.append(recording.subject.id or result.name)
    if progress:
        progress(done, done, "")
    if not answers:
        raise _nothing(way, done, left_out, trained_on)
    score = way.score(answers)
    return Evaluation(
        model=model,
        version=way.version(),
        data=UPLOAD,
        n=len(answers),
        metrics=measure(score, groups, resamples=resamples),
        unreadable=left_out,
        trained_on=tuple(trained_on),
        trained_on_included=include_trained,
        records=score_each(score, names, way.per_record),
        lost=tell_lost(way.lost, names, answers),
    )


def _seen(model: str | None) -> frozenset[str]:
    """Return the hashes of all recordings that a model was trained on."""
    if model is None:
        return frozenset()
    artefact = load_model(model)
    held = artefact.json(RECORDS) if RECORDS in artefact.files else {}
    return frozenset().union(*(artefact.trained_on(data) for data in held))


def _nothing(way: Way, done: int, left_out: Mapping[str, str], trained_on: Sequence[str]) -> InvalidValue:
    truth = {
        "beats": "annotations of beats (WFDB `.atr` and the like, or `ref/R_*.mat` beside `data/data_*.mat`)",
        "waves": "annotations of waves (WFDB, brackets around `p`, `N` and `t`)",
        "labels": "a row of the table `labels`",
    }[way.needs]
    first = next((f"; the first was left out because: {reason}" for reason in left_out.values()), "")
    seen = f", {len(trained_on)} of which the model was trained on" if trained_on else ""
    return InvalidValue(
        "no recording could be scored",
        field="files",
        found=f"{done} recordings{seen}{first}",
        expected=f"one or more that can be read, each with {truth}",
        options=("include_trained=true",) if trained_on else (),
    )


def _labels_of(name: str, labels: Labels | None) -> frozenset[str]:
    found = labels.find(name) if labels is not None else None
    if found is None:
        raise InvalidValue("the table has no row for it", file=name, field=FIELD, expected="its name in the table")
    return found
