"""How good the models are, on labelled recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from api.schemas import BundledEvaluation, BundledRecord, EvaluationChoices, EvaluationReport, Job, SignalWindow
from dashboard.client.forms import Content, Files, form_of, parts_of, path_of
from dashboard.client.http import Http

Method = Literal["robust", "fast"]


class Evaluation:
    """Models examined: on the bundled set at once, on installed sets and labelled uploads as a job."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def bundled(
        self, model: str = "beats", *, method: Method | None = None, grade: str | None = None
    ) -> BundledEvaluation:
        """Say how good a model is on the bundled, synthetic set, over all of it and by grade of noise.

        Parameters
        ----------
        model
            One whose truth the set holds, as `sets` lists them.
        method
            The beat detector: another way to say which.
        grade
            Only this grade of noise.
        """
        query = form_of(model=model, method=method, grade=grade)
        return self._http.call(BundledEvaluation, "GET", "/evaluate", params=query)

    def record(self, name: str, method: Method = "robust") -> BundledRecord:
        """Show one recording of the bundled set: its samples, its beats, and those that a detector finds in it."""
        query = form_of(method=method)
        return self._http.call(BundledRecord, "GET", path_of("evaluate", "records", name), params=query)

    def sets(self) -> EvaluationChoices:
        """List what can be examined here: which models, on which sets, which of these are installed."""
        return self._http.call(EvaluationChoices, "GET", "/evaluate/sets")

    def create(
        self,
        files: Files | None = None,
        *,
        labels: Content | None = None,
        model: str = "beats",
        data: str | None = None,
        split: str | None = None,
        include_trained: bool = False,
        fs: float | None = None,
        units: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Examine a model on labelled recordings, or on an installed set, as a job; `report` has what came of it.

        Parameters
        ----------
        files
            Recordings with their truth beside them, or archives of such, ``{file name: content}``.
        labels
            A CSV table of labels, a row a recording, for models that need it.
        model
            As `sets` lists them.
        data, split
            An installed set instead of files, and the part of it.
        include_trained
            Whether recordings that the model was trained on are scored too.
        fs, units
            Samples per second, and the unit of the samples, where the files do not say.
        idempotency_key
            A name for this request, under which it can be sent again safely; one of its own where None.
        """
        form = form_of(model=model, data=data, split=split, include_trained=include_trained, fs=fs, units=units)
        sent = parts_of(files)
        if labels is not None:
            sent += parts_of({"labels.csv": labels}, "labels")
        once = self._http.name_once(idempotency_key)
        return self._http.call(Job, "POST", "/evaluate", data=form, files=sent, headers=once)

    def report(self, job_id: str) -> EvaluationReport:
        """Return what came of such a job, once it is done; until then it is refused with `no_results`."""
        return self._http.call(EvaluationReport, "GET", path_of("jobs", job_id, "results"))

    def signal(
        self,
        job_id: str,
        record: str,
        *,
        leads: Sequence[str] | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
    ) -> SignalWindow:
        """Get samples of a recording that such a job was made on, as `EvaluationReport.lost` names it.

        Parameters
        ----------
        leads
            All where None.
        start_s, end_s
            Seconds from the first sample; to the end where None.
        """
        query = form_of(record=record, leads=leads, start_s=start_s, end_s=end_s)
        return self._http.call(SignalWindow, "GET", path_of("jobs", job_id, "signal"), params=query)
