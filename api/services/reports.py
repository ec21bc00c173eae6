"""From a kept analysis to its report in several forms."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from api.principal import Principal
from api.runtime import Runtime
from api.services.explanations import explain_for_report, find
from ecg_core.report.document import to_report
from ecg_core.report.fhir import to_fhir
from ecg_core.report.note import to_note


@dataclass(frozen=True)
class Explained:
    """What a report explains: ``none``, ``auto`` (what is called first) or a label; and by which method."""

    explain: str = "auto"
    method: str | None = None


def as_pdf(runtime: Runtime, who: Principal, analysis_id: str, page: str, explained: Explained) -> bytes:
    """Return the report on a page, and the explanation on a second. Blocks."""
    said, row = find(runtime, who, analysis_id, "exported")
    explanation = explain_for_report(runtime, who, said, row, explained.explain, explained.method)
    return to_report(said.result, runtime.signals.load(row), page=page, notes=row.notes, explanation=explanation)


def as_text(runtime: Runtime, who: Principal, analysis_id: str, explained: Explained) -> str:
    """Return the report as a note. Blocks."""
    said, row = find(runtime, who, analysis_id, "exported")
    explanation = explain_for_report(runtime, who, said, row, explained.explain, explained.method)
    return to_note(said.result, notes=row.notes, explanation=explanation)


def as_fhir(runtime: Runtime, who: Principal, analysis_id: str, explained: Explained, *, with_pdf: bool) -> bytes:
    """Return the report as a FHIR bundle in JSON; its waveform is a link to the service. Blocks."""
    said, row = find(runtime, who, analysis_id, "exported")
    pdf = None
    if with_pdf:
        explanation = explain_for_report(runtime, who, said, row, explained.explain, explained.method)
        pdf = to_report(said.result, runtime.signals.load(row), notes=row.notes, explanation=explanation)
    waveform = f"{(runtime.settings.public_url or '').rstrip('/')}/recordings/{row.id}/file"
    return to_json(to_fhir(said.result, identifier=said.id, pdf=pdf, waveform_url=waveform, notes=row.notes))
