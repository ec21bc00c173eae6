"""Analyses of recordings that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from api.schemas import (
    AnalysisPage,
    AnalysisSummary,
    Comparison,
    Explainable,
    ExplanationAnswer,
    ExplanationMethod,
    StoredAnalysis,
)
from dashboard.client.forms import form_of, path_of
from dashboard.client.http import Download, Http


class Analyses:
    """What was said about one's recordings."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def create(
        self,
        recording_id: str,
        *,
        models: Sequence[str] | None = None,
        operating_point: str | None = None,
        idempotency_key: str | None = None,
    ) -> StoredAnalysis:
        """Analyse a recording with what is now noted of the person; just the same as before is given again.

        Parameters
        ----------
        models
            Models to ask; every installed one where None.
        operating_point
            What the thresholds are chosen for.
        idempotency_key
            A name for this request, under which it can be sent again safely; one of its own where None.
        """
        form = form_of(models=models, operating_point=operating_point)
        path, once = path_of("recordings", recording_id, "analyses"), self._http.name_once(idempotency_key)
        return self._http.call(StoredAnalysis, "POST", path, data=form, headers=once)

    def list(self, recording_id: str) -> Iterator[AnalysisSummary]:
        """Go through the analyses of a recording, the newest first."""
        return self._http.pages(AnalysisPage, path_of("recordings", recording_id, "analyses"), {})

    def get(self, analysis_id: str) -> StoredAnalysis:
        """Give an analysis again, as it was made."""
        return self._http.call(StoredAnalysis, "GET", path_of("analyses", analysis_id))

    def explainable(self, analysis_id: str) -> Explainable:
        """List what can be explained of an analysis, what is called first."""
        return self._http.call(Explainable, "GET", path_of("analyses", analysis_id, "explainable"))

    def explain(
        self,
        analysis_id: str,
        label: str | None = None,
        method: ExplanationMethod | None = None,
        *,
        model: str = "heart12",
    ) -> ExplanationAnswer:
        """Explain an answer of an analysis.

        Parameters
        ----------
        label
            Head and label, or a label alone; what is called and most worth explaining where None.
        method
            The first that the model has where None.
        model
            Whose answer it is.
        """
        query = form_of(label=label, method=method, model=model)
        return self._http.call(ExplanationAnswer, "GET", path_of("analyses", analysis_id, "explanations"), params=query)

    def comparison(self, analysis_id: str, *, before: str) -> Comparison:
        """Set an analysis beside an earlier one of the same person: what changed, beside what differs anyway.

        Parameters
        ----------
        before
            The id of the earlier analysis.
        """
        path = path_of("analyses", analysis_id, "comparison")
        return self._http.call(Comparison, "GET", path, params={"before": before})

    def report_pdf(
        self,
        analysis_id: str,
        *,
        page: Literal["a4", "letter"] = "a4",
        explain: str = "auto",
        method: ExplanationMethod | None = None,
    ) -> Download:
        """Give the report on a page, at true scale, with a second that explains an answer.

        Parameters
        ----------
        page
            The sheet.
        explain
            ``"auto"`` (what is called and most worth it), ``"none"``, or a label.
        method
            How it is explained.
        """
        query = form_of(page=page, explain=explain, method=method)
        return self._http.download(path_of("analyses", analysis_id, "report.pdf"), params=query)

    def report_text(
        self, analysis_id: str, *, explain: str = "auto", method: ExplanationMethod | None = None
    ) -> Download:
        """Give the report as a note, with the explanation in a sentence."""
        query = form_of(explain=explain, method=method)
        return self._http.download(path_of("analyses", analysis_id, "report.txt"), params=query)

    def report_fhir(
        self, analysis_id: str, *, pdf: bool = True, explain: str = "auto", method: ExplanationMethod | None = None
    ) -> Download:
        """Give the report as a FHIR R4 bundle in JSON, with the PDF attached where that is wanted."""
        query = form_of(pdf=pdf, explain=explain, method=method)
        return self._http.download(path_of("analyses", analysis_id, "fhir"), params=query)

    def delete(self, analysis_id: str) -> None:
        """Delete an analysis; its recording stays."""
        self._http.send("DELETE", path_of("analyses", analysis_id))
