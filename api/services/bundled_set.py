"""How good the models are on the bundled set: computed once, then at hand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Any

import numpy as np

from api.schemas import BundledEvaluation, BundledRecord, GradeReport
from api.services.evaluation_reports import accuracies, report_of
from api.services.signals import cut_signal
from api.settings import Settings
from ecg_core import __version__
from ecg_core.artefacts import list_models, load_model
from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.datasets.bundled import GRADES, HEARTS, Bundled, grade_of
from ecg_core.errors import InvalidValue
from ecg_core.evaluation import EXAMS, Evaluation, Metric, evaluate
from ecg_core.evaluation.exams.beats import FAST
from ecg_core.evaluation.strips import compare_beats, tell_apart
from ecg_core.registry import Registry
from ecg_core.robust import MODEL as BEATS

METHODS = {"robust": BEATS, "fast": FAST}
"""Beat detector to the model's name in `EXAMS`."""
MODELS = tuple(sorted(model for model in EXAMS if Bundled.name in EXAMS[model]))
"""Those that are examined on this set."""


class _Kept:
    """Results by model, each computed once; who asks meanwhile waits for the same computation."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: dict[str, tuple[object, Future[Evaluation]]] = {}

    def get(self, model: str, key: object, compute: Callable[[], Evaluation]) -> Evaluation:
        """Return the result for a model as it is now; ``key`` tells when it has changed."""
        with self._lock:
            known, future = self._held.get(model, (None, None))
            mine = future is None or known != key
            if mine:
                future = Future()
                self._held[model] = key, future
        assert future is not None  # noqa: S101 - made above where there was none
        if mine:
            try:
                future.set_result(compute())
            except BaseException as error:
                with self._lock:
                    del self._held[model]
                future.set_exception(error)
        return future.result()


_kept = _Kept()


def evaluate_bundled(model: str = BEATS, method: str | None = None, grade: str | None = None) -> BundledEvaluation:
    """Examine a model on the bundled set; computed once for each version of the models. Blocks for seconds then.

    Raises
    ------
    UnknownName
        There is no such model, or it is not examined on this set.
    InvalidValue
        No such grade or method.
    """
    name = _by_method(model, method)
    _ = EXAMS[name][Bundled.name]
    if grade is not None and grade not in GRADES:
        raise InvalidValue("no such grade of noise", field="grade", found=repr(grade), options=GRADES)
    found = _kept.get(name, _versions(), lambda: evaluate(name, Bundled.name))
    lost = {record: what for record, what in found.lost.items() if grade in (None, what["grade"])}
    reports = [_grade(found, one) for one in GRADES if grade in (None, one)]
    metrics = found.metrics if grade is None else _of_grade(found, grade)
    whole = report_of(found) | accuracies(metrics)
    return BundledEvaluation.model_validate(
        whole
        | {
            "split": grade,
            "grade": grade,
            "n": sum(report.n for report in reports),
            "metrics": {key: value.to_dict() for key, value in metrics.items() if "." not in key},
            "records": {
                record: figures for record, figures in found.records.items() if grade in (None, grade_of(record))
            },
            "lost": [{"name": record, **what} for record, what in lost.items()],
            "grades": reports,
        }
    )


def _by_method(model: str, method: str | None) -> str:
    if method is None:
        return model
    if method not in METHODS:
        raise InvalidValue("no such beat detector", field="method", found=repr(method), options=METHODS)
    if model not in METHODS.values():
        raise InvalidValue("only beats are found by a method", field="method", found=model, options=(BEATS,))
    return METHODS[method]


def _versions() -> tuple[str, ...]:
    """Return what the results depend on."""
    names = sorted({model.name for model in list_models() if model.name in MODELS})
    return (__version__, *(load_model(name).sha256 for name in names))


def _of_grade(found: Evaluation, grade: str) -> dict[str, Metric]:
    start = f"{grade}."
    return {name.removeprefix(start): value for name, value in found.metrics.items() if name.startswith(start)}


def _grade(found: Evaluation, grade: str) -> GradeReport:
    metrics = _of_grade(found, grade)
    plain = {name: value.to_dict() for name, value in metrics.items()}
    return GradeReport.model_validate(
        {"grade": grade, "snr_db": GRADES[grade], "n": len(HEARTS), "metrics": plain} | accuracies(metrics)
    )


def show_bundled_record(name: str, method: str, settings: Settings) -> BundledRecord:
    """Return one record of the bundled set with its beats and those that a detector finds.

    Raises
    ------
    UnknownName
        There is no such record.
    """
    if method not in METHODS:
        raise InvalidValue("no such beat detector", field="method", found=repr(method), options=METHODS)
    records: Registry[Any] = Registry("record of the bundled set")
    for entry in DATASETS[Bundled.name].listing():
        records.register(entry.name, entry)
    entry = records[name]
    recording, truth = entry.load(), entry.truth()
    found_s = detect_beats(recording, method=method).times_s
    duration_s = recording.duration_s
    answer = compare_beats(truth.r_s, found_s, recording.fs, duration_s)
    missed, extra = tell_apart(answer)
    return BundledRecord(
        name=name,
        grade=truth.grade,
        snr_db=GRADES[truth.grade],
        noise=list(truth.made.noise),
        rhythm=truth.made.rhythm,
        shape=truth.made.shape,
        statements=list(truth.made.statements),
        duration_s=duration_s,
        lead=truth.lead,
        method=method,
        reference_s=np.round(truth.r_s, 4).tolist(),
        classes=list(truth.made.symbol),
        found_s=np.round(found_s, 4).tolist(),
        missed_s=np.round(missed, 4).tolist(),
        extra_s=np.round(extra, 4).tolist(),
        signal=cut_signal(recording, 0.0, duration_s, settings.signal_max_values),
    )
