"""Recordings that are kept: sent, shown and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from api import tables
from api.db import Database
from api.errors import Refusal, not_found
from api.principal import Principal
from api.repositories import audit, recordings
from api.runtime import Runtime
from api.schemas import (
    KeptFile,
    KeptRecording,
    RecordingChanges,
)
from api.services.analyses import Stated
from api.services.fingerprints import content_fingerprint
from api.services.keeping import keep_recording
from ecg_core.errors import SeveralRecordings
from ecg_core.quality import assess_quality
from ecg_core.readers import ReadOptions
from ecg_core.recording import Recording, Subject
from ecg_core.risk import parse_facts

_KEPT_BEFORE = (
    "it was kept before and nothing of it was changed; PATCH /recordings/{id} changes name, notes and subject"
)
_PRESSURES = ("systolic_mmhg", "diastolic_mmhg")


def add(
    runtime: Runtime,
    who: Principal,
    files: Mapping[str, bytes],
    *,
    fs: float | None,
    units: str | None,
    stated: Stated,
    subject_id: str | None,
    notes: str,
) -> tuple[KeptRecording, bool]:
    """Keep an upload and return it with whether that is new; the same one again changes nothing. Blocks."""
    options = {"fs": fs, "units": units}
    content = content_fingerprint(files, options)
    with runtime.database.read() as session:
        known = recordings.find_same(session, who.user_id, content)
    if known is not None:
        return describe(open_row(runtime.database, who, known.id), _KEPT_BEFORE), False
    with runtime.inference.admitted(who.user_id):
        recording = _identified(stated.of(_read(runtime, files, fs, units)), subject_id)
        quality = assess_quality(recording).to_dict()
    kept, _ = keep_recording(
        runtime.database, runtime.store, who, files, content, recording, quality, options, notes=notes
    )
    if kept.created:
        runtime.signals.put(content, recording)
    return describe(kept.row, None if kept.created else _KEPT_BEFORE), kept.created


def open_row(database: Database, who: Principal, recording_id: str, action: str = "read") -> tables.Recording:
    """Return an account's recording, and note what is done with it."""
    with database.write() as session:
        row = recordings.find_recording(session, who.user_id, recording_id)
        if row is None:
            raise not_found("recording", recording_id)
        audit.note(session, who, action, "recording", row.id)
    return row


def load(runtime: Runtime, who: Principal, row: tables.Recording) -> Recording:
    """Return the samples of a recording. Blocks."""
    try:
        return runtime.signals.load(row)
    except KeyError:
        with runtime.database.read() as session:
            if recordings.find_recording(session, who.user_id, row.id) is None:
                raise not_found("recording", row.id) from None
        raise


def change(
    database: Database, who: Principal, recording_id: str, changes: RecordingChanges, if_match: str | None
) -> KeptRecording:
    """Change name, notes or subject of an account's recording, and return it.

    Parameters
    ----------
    if_match
        Tags of the states of the recording that may be changed; any where None.
    """
    stated = changes.stated()
    with database.write() as session:
        row = recordings.find_recording(session, who.user_id, recording_id, to_change=True)
        if row is None:
            raise not_found("recording", recording_id)
        if if_match is not None and not {tag_of(row), "*"} & {tag.strip() for tag in if_match.split(",")}:
            raise Refusal(
                412,
                "changed_meanwhile",
                "the recording was changed since it was read",
                field="If-Match",
                found=if_match[:200],
                expected=tag_of(row),
                options=["read it again, then change it", "leave out If-Match"],
            )
        if "name" in stated:
            row.name = stated["name"] or row.files[0].name
        if "notes" in stated:
            row.notes = stated["notes"] or ""
        if "subject" in stated:
            row.subject = _changed(row.subject, stated["subject"])
        if session.is_modified(row):
            audit.note(session, who, "changed", "recording", row.id)
    return describe(row)


def tag_of(row: tables.Recording | KeptRecording) -> str:
    """Return the ETag of a recording as it now is."""
    return f'"{sha256(f"{row.id} {row.updated_at.isoformat()}".encode()).hexdigest()[:32]}"'


def describe(row: tables.Recording, note: str | None = None) -> KeptRecording:
    """Return a recording as it is answered."""
    files = [KeptFile(name=file.name, size=file.blob.size, sha256=file.blob.sha256) for file in row.files]
    named = {
        name: getattr(row, name) for name in KeptRecording.model_fields if name not in ("files", "quality", "note")
    }
    return KeptRecording.model_validate({**named, "files": files, "quality": row.quality_detail, "note": note})


def _read(runtime: Runtime, files: Mapping[str, bytes], fs: float | None, units: str | None) -> Recording:
    try:
        return runtime.pool.read(files, ReadOptions(fs=fs, units=units, limits=runtime.settings.limits()))
    except SeveralRecordings as error:
        said = {**error.to_dict(), "options": ("send one recording", "POST /batches for many")}
        raise SeveralRecordings.from_dict(said) from error


def _identified(recording: Recording, subject_id: str | None) -> Recording:
    """Return the recording with the id that its sender states of the person; a warning where the file says another."""
    said = recording.subject
    if not subject_id or said.id == subject_id:
        return recording
    changed = replace(recording, subject=Subject(subject_id, said.age, said.sex, said.facts))
    if said.id is None:
        return changed
    return changed.with_warnings(f"subject: id {subject_id} as stated by the sender; the file says {said.id}")


def _changed(subject: Mapping[str, Any], patch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a subject after a merge patch."""
    if patch is None:
        return Subject().to_dict()
    changed = {**subject, **{name: patch[name] for name in ("id", "age", "sex") if name in patch}}
    changed["id"] = changed["id"] or None
    if "facts" in patch:
        stated = patch["facts"]
        changed["facts"] = {} if stated is None else _changed_facts(subject["facts"], stated)
    return changed


def _changed_facts(facts: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    known = parse_facts({name: value for name, value in stated.items() if value is not None})
    # What is stated to be null or unknown goes, the file's own facts too.
    changed = {**{name: value for name, value in facts.items() if name not in stated}, **known}
    if known.keys() & set(_PRESSURES):
        parse_facts({name: changed[name] for name in _PRESSURES if name in changed})
    return changed
