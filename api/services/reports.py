"""From a kept analysis to its report in several forms."""

from __future__ import annotations

from pydantic_core import to_json

from api import tables
from api.errors import not_found
from api.principal import Principal
from api.repositories import analyses, audit, recordings
from api.runtime import Runtime
from ecg_core.report.document import to_report
from ecg_core.report.fhir import to_fhir
from ecg_core.report.note import to_note


def as_pdf(runtime: Runtime, who: Principal, analysis_id: str, page: str) -> bytes:
    """Return the report on a page. Blocks."""
    said, row = _find(runtime, who, analysis_id)
    return to_report(said.result, runtime.signals.load(row), page=page, notes=row.notes)


def as_text(runtime: Runtime, who: Principal, analysis_id: str) -> str:
    """Return the report as a note."""
    said, row = _find(runtime, who, analysis_id)
    return to_note(said.result, notes=row.notes)


def as_fhir(runtime: Runtime, who: Principal, analysis_id: str, *, with_pdf: bool) -> bytes:
    """Return the report as a FHIR bundle in JSON; its waveform is a link to the service. Blocks."""
    said, row = _find(runtime, who, analysis_id)
    pdf = to_report(said.result, runtime.signals.load(row), notes=row.notes) if with_pdf else None
    waveform = f"{(runtime.settings.public_url or '').rstrip('/')}/recordings/{row.id}/file"
    return to_json(to_fhir(said.result, identifier=said.id, pdf=pdf, waveform_url=waveform, notes=row.notes))


def _find(runtime: Runtime, who: Principal, analysis_id: str) -> tuple[tables.Analysis, tables.Recording]:
    """Return an account's analysis and its recording, and note that a report was made."""
    with runtime.database.write() as session:
        said = analyses.find_analysis(session, who.user_id, analysis_id)
        if said is None:
            raise not_found("analysis", analysis_id)
        row = recordings.find_recording(session, who.user_id, said.recording_id)
        assert row is not None  # noqa: S101 - an analysis goes with its recording
        audit.note(session, who, "exported", "analysis", said.id)
    return said, row
