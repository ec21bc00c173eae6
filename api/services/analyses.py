"""From an upload, a case or a kept recording to what can be said about it; nothing is computed twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api import tables
from api.db import Database
from api.errors import Refusal, not_found
from api.paging import read_cursor, write_cursor
from api.principal import Principal
from api.repositories import analyses, audit, recordings
from api.runtime import Runtime
from api.schemas import AnalysisPage, AnalysisSummary
from api.services import idempotency
from api.services.cases import synthesize_case
from api.services.fingerprints import analysis_fingerprint, content_fingerprint
from api.services.keeping import NewAnalysis, keep_analysis, keep_recording
from api.services.signals import cut_signal
from ecg_core.pipeline import state_subject
from ecg_core.predictors import DEFAULT_POINT, OperatingPoint
from ecg_core.readers import ReadOptions
from ecg_core.recording import Recording, Sex, Subject
from ecg_core.risk import parse_facts


@dataclass(frozen=True)
class Stated:
    """What the sender says of the person."""

    age: float | None = None
    sex: Sex | None = None
    facts: Mapping[str, Any] | None = None

    def of(self, recording: Recording) -> Recording:
        """Return ``recording`` with it; it goes before the file's."""
        return state_subject(recording, self.age, self.sex, self.facts)


@dataclass(frozen=True)
class Wanted:
    """How a recording is to be analysed, and what of that is to be answered."""

    models: tuple[str, ...] | None = None
    operating_point: OperatingPoint = DEFAULT_POINT
    with_signal: bool = False

    def settings(self) -> dict[str, Any]:
        """Return what an analysis is kept with."""
        return {"models": None if self.models is None else sorted(self.models), "operating_point": self.operating_point}


def predict_upload(
    runtime: Runtime,
    who: Principal,
    files: Mapping[str, bytes],
    *,
    fs: float | None = None,
    units: str | None = None,
    stated: Stated,
    wanted: Wanted,
    notes: str = "",
    store: bool = True,
) -> dict[str, Any]:
    """Return all that can be said about an upload, and keep it unless ``store`` is false. Blocks."""
    options = {"fs": fs, "units": units}
    content = content_fingerprint(files, options)
    with runtime.inference.admitted(who.user_id):
        known = None
        if store:
            with runtime.database.read() as session:
                known = recordings.find_same(session, who.user_id, content)
        if known is not None:
            recording, subject = None, _stated_anew(known, stated)
        else:
            recording = stated.of(
                runtime.pool.read(files, ReadOptions(fs=fs, units=units, limits=runtime.settings.limits()))
            )
            subject = recording.subject.to_dict()
        fingerprint = analysis_fingerprint(content, subject, wanted.models, wanted.operating_point)
        if known is not None and (found := _find(runtime, who, known.id, fingerprint)) is not None:
            return _answer(runtime, found.result, known, found, wanted, recording, new=(False, False))
        if recording is None:
            assert known is not None  # noqa: S101 - else it was read above
            recording = stated.of(runtime.signals.load(known))
        result = _analyse(runtime, recording, wanted)
    if not store:
        return _answer(runtime, result, None, None, wanted, recording, new=(False, False))
    new = NewAnalysis(fingerprint, wanted.settings(), result)
    kept, said = keep_recording(
        runtime.database,
        runtime.store,
        who,
        files,
        content,
        recording,
        result["quality"],
        options,
        notes=notes,
        analysis=new,
        seems_new=known is None,
    )
    return _answer(runtime, result, kept.row, said, wanted, recording, new=(kept.created, True))


def predict_case(runtime: Runtime, who: Principal, name: str, *, stated: Stated, wanted: Wanted) -> dict[str, Any]:
    """Return all that can be said about a demo case; nothing is kept. Blocks."""
    recording = stated.of(synthesize_case(name))
    with runtime.inference.admitted(who.user_id):
        result = _analyse(runtime, recording, wanted)
    return _answer(runtime, result, None, None, wanted, recording, new=(False, False))


def analyse_kept(
    runtime: Runtime, who: Principal, row: tables.Recording, wanted: Wanted
) -> tuple[tables.Analysis, bool]:
    """Return the analysis of a kept recording, and whether it had to be made. Blocks."""
    fingerprint = analysis_fingerprint(row.fingerprint, row.subject, wanted.models, wanted.operating_point)
    if (found := _find(runtime, who, row.id, fingerprint)) is not None:
        return found, False
    with runtime.inference.admitted(who.user_id):
        result = _analyse(runtime, runtime.signals.load(row), wanted)
    with runtime.database.write() as session:
        if recordings.find_recording(session, who.user_id, row.id) is None:
            raise Refusal(404, "not_found", "the recording was deleted meanwhile", field="recording", found=row.id)
        said = keep_analysis(session, who, row, NewAnalysis(fingerprint, wanted.settings(), result))
    return said, True


def create(runtime: Runtime, who: Principal, recording_id: str, wanted: Wanted) -> tuple[dict[str, Any], bool]:
    """Return the analysis of an account's recording as it is answered, and whether it had to be made. Blocks."""
    with runtime.database.read() as session:
        row = recordings.find_recording(session, who.user_id, recording_id)
    if row is None:
        raise not_found("recording", recording_id)
    said, created = analyse_kept(runtime, who, row, wanted)
    return _stored(said), created


def show(database: Database, who: Principal, analysis_id: str) -> dict[str, Any]:
    """Return an account's analysis as it is answered, and note that it was read."""
    with database.write() as session:
        said = analyses.find_analysis(session, who.user_id, analysis_id)
        if said is None:
            raise not_found("analysis", analysis_id)
        audit.note(session, who, "read", "analysis", said.id)
    return _stored(said)


def list_page(database: Database, who: Principal, recording_id: str, cursor: str | None, limit: int) -> AnalysisPage:
    """Return some of a recording's analyses, the newest first."""
    after = None if cursor is None else read_cursor(cursor, datetime, str)
    with database.read() as session:
        if recordings.find_recording(session, who.user_id, recording_id) is None:
            raise not_found("recording", recording_id)
        rows = analyses.list_analyses(session, recording_id, after, limit + 1)
    more = len(rows) > limit
    items = [
        AnalysisSummary(
            id=row.id, recording_id=row.recording_id, created_at=row.created_at, **row.settings, **row.summary
        )
        for row in rows[:limit]
    ]
    return AnalysisPage(
        items=items, next_cursor=write_cursor(rows[limit - 1].created_at, rows[limit - 1].id) if more else None
    )


def delete(database: Database, who: Principal, analysis_id: str) -> None:
    """Delete an account's analysis."""
    with database.write() as session:
        if not analyses.delete_analysis(session, who.user_id, analysis_id):
            raise not_found("analysis", analysis_id)
        idempotency.forget(session, who.user_id, analysis_id)
        audit.note(session, who, "deleted", "analysis", analysis_id)


def _stored(said: tables.Analysis) -> dict[str, Any]:
    return {**said.result, "id": said.id, "recording_id": said.recording_id, "created_at": said.created_at}


def _find(runtime: Runtime, who: Principal, recording_id: str, fingerprint: str) -> tables.Analysis | None:
    """Return the analysis that followed from just the same, where one is kept."""
    with runtime.database.read() as session:
        found = analyses.find_same(session, recording_id, fingerprint)
    if found is not None:
        with runtime.database.write() as session:
            audit.note(session, who, "read", "analysis", found.id)
    return found


def _stated_anew(row: tables.Recording, stated: Stated) -> dict[str, Any]:
    """Return what is known of a kept recording's person, and now stated."""
    noted = Subject(**row.subject)
    facts = {**noted.facts, **parse_facts(stated.facts or {})}
    age = noted.age if stated.age is None else stated.age
    return Subject(noted.id, age, stated.sex or noted.sex, facts).to_dict()


def _analyse(runtime: Runtime, recording: Recording, wanted: Wanted) -> dict[str, Any]:
    most = runtime.settings.max_duration_s
    if recording.duration_s > most:
        raise Refusal(
            413,
            "recording_too_long",
            "the recording is too long to be analysed while its sender waits",
            found=f"{recording.duration_s:.0f} s",
            expected=f"at most {most:.0f} s",
            options=["POST /batches"],
        )
    return runtime.inference.analyze(recording, wanted.models, wanted.operating_point).to_dict()


def _answer(
    runtime: Runtime,
    result: Mapping[str, Any],
    row: tables.Recording | None,
    said: tables.Analysis | None,
    wanted: Wanted,
    recording: Recording | None,
    *,
    new: tuple[bool, bool],
) -> dict[str, Any]:
    stored = signal = None
    if row is not None and said is not None:
        stored = {
            "recording_id": row.id,
            "analysis_id": said.id,
            "new_recording": new[0],
            "new_analysis": new[1],
            "note": None if new[0] else "this recording was kept before; what is noted of its person is unchanged",
        }
    if wanted.with_signal:
        if recording is None:
            assert row is not None  # noqa: S101 - one of the two is at hand
            recording = runtime.signals.load(row)
        limits = runtime.settings
        start_s = result["waves"]["start_s"]
        signal = cut_signal(recording, start_s, limits.signal_window_s, limits.signal_max_values).model_dump()
    return {**result, "signal": signal, "stored": stored}
