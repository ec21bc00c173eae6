"""Two analyses of an account beside one another."""

from __future__ import annotations

from typing import Any

from api import tables
from api.db import Database
from api.errors import not_found
from api.principal import Principal
from api.repositories import analyses, audit, recordings
from api.schemas import Comparison
from ecg_core.comparison import compare_analyses


def compare(database: Database, who: Principal, before_id: str, after_id: str) -> Comparison:
    """Return what changed from one analysis to the other, and note that both were read."""
    with database.write() as session:
        found = []
        for analysis_id in (after_id, before_id):
            said = analyses.find_analysis(session, who.user_id, analysis_id)
            if said is None:
                raise not_found("analysis", analysis_id)
            row = recordings.find_recording(session, who.user_id, said.recording_id)
            assert row is not None  # noqa: S101 - an analysis goes with its recording
            audit.note(session, who, "read", "analysis", said.id)
            found.append((said, _of_person(said, row)))
    (after, told_after), (before, told_before) = found
    changed = compare_analyses(told_before, told_after).to_dict()
    for side, said in (("before", before), ("after", after)):
        changed[side] |= {"analysis_id": said.id, "recording_id": said.recording_id}
    return Comparison.model_validate(changed)


def _of_person(said: tables.Analysis, row: tables.Recording) -> dict[str, Any]:
    """Return what was said, of the person whom the recording is now noted as of."""
    told = said.result["subject"]
    return {**said.result, "subject": {**told, "id": row.subject.get("id") or told["id"]}}
