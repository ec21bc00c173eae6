"""Analyses of recordings that are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from api.schemas import AnalysisPage, AnalysisSummary, StoredAnalysis
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

    def report_pdf(self, analysis_id: str, *, page: Literal["a4", "letter"] = "a4") -> Download:
        """Give the report on a page, at true scale."""
        return self._http.download(path_of("analyses", analysis_id, "report.pdf"), params={"page": page})

    def report_text(self, analysis_id: str) -> Download:
        """Give the report as a note."""
        return self._http.download(path_of("analyses", analysis_id, "report.txt"))

    def report_fhir(self, analysis_id: str, *, pdf: bool = True) -> Download:
        """Give the report as a FHIR R4 bundle in JSON, with the page attached where that is wanted."""
        return self._http.download(path_of("analyses", analysis_id, "fhir"), params=form_of(pdf=pdf))

    def delete(self, analysis_id: str) -> None:
        """Delete an analysis; its recording stays."""
        self._http.send("DELETE", path_of("analyses", analysis_id))
