"""Keeping recordings and what was said about them; forgetting them for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api import tables
from api.db import Database
from api.principal import Principal
from api.repositories import analyses, audit, blobs, recordings
from api.repositories.adding import add_new
from api.storage import BlobStore
from ecg_core.recording import Recording

T = TypeVar("T")
_TRIES = 3
LONGEST_NAME = 200


@dataclass(frozen=True)
class Kept:
    """A recording as it is kept, and whether that is new."""

    row: tables.Recording
    created: bool


@dataclass(frozen=True)
class NewAnalysis:
    """What was said about a recording, to be kept with it."""

    fingerprint: str
    settings: Mapping[str, Any]
    result: Mapping[str, Any]


def stage(store: BlobStore, database: Database, contents: Sequence[bytes]) -> dict[str, tables.Blob]:
    """Write contents that are not kept yet to the store; return a row for each, by sha256, to be added to the tables.

    Files whose rows are never added are found and deleted by the sweep.
    """
    by_hash = {sha256(content).hexdigest(): content for content in contents}
    with database.read() as session:
        found = blobs.find_blobs(session, by_hash)
    staged = dict(found)
    for digest, content in by_hash.items():
        if digest not in found:
            blob = tables.Blob(id=tables.new_id(), sha256=digest, size=len(content))
            store.put(blob.key, content)
            staged[digest] = blob
    return staged


def storable(text: str, longest: int | None = None) -> str:
    """Return text that can be kept and sent, of bounded length: names in archives may hold what is no character."""
    return text.encode(errors="replace").decode().replace("\0", "")[:longest]


def retried(action: Callable[[], T]) -> T:
    """Return what ``action`` gives, tried again where another request did the same at the same moment."""
    for _ in range(_TRIES - 1):
        try:
            return action()
        except (IntegrityError, blobs.BlobGone):
            continue
    return action()


def keep_recording(
    database: Database,
    store: BlobStore,
    who: Principal,
    files: Mapping[str, bytes],
    fingerprint: str,
    recording: Recording,
    quality: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    notes: str = "",
    analysis: NewAnalysis | None = None,
    seems_new: bool = False,
    also: Callable[[Session, tables.Recording, tables.Analysis | None], None] | None = None,
) -> tuple[Kept, tables.Analysis | None]:
    """Keep a recording, and an analysis with it, in one transaction; the same one again changes nothing of it.

    Parameters
    ----------
    files
        What was sent, ``{label: content}``.
    fingerprint
        `content_fingerprint` of it.
    recording
        As it was read, with what its sender stated of the person.
    quality
        JSON-ready, with its ``verdict``.
    options
        ``fs`` and ``units`` where the sender stated them.
    seems_new
        Whether it was looked for a moment ago, and not found.
    also
        What else is to happen in the transaction.
    """

    def attempt() -> tuple[Kept, tables.Analysis | None]:
        nonlocal seems_new
        staged = stage(store, database, list(files.values()))
        with database.write() as session:
            # What is new is simply added: where another request is quicker, or deletes a file, keys of the tables
            # forbid it, and the next attempt looks first.
            row = None if seems_new else recordings.find_same(session, who.user_id, fingerprint)
            seems_new, created = False, row is None
            if row is None:
                row = _row(who, fingerprint, recording, quality, options, notes)
                row.files = [
                    tables.RecordingFile(recording_id=row.id, position=at, name=name, blob_id=blob.id, blob=blob)
                    for at, (name, content) in enumerate(files.items())
                    for blob in (staged[sha256(content).hexdigest()],)
                ]
                add_new(session, *blobs.new_among(staged.values()), row, *row.files)
                audit.note(session, who, "created", "recording", row.id)
            said = None if analysis is None else keep_analysis(session, who, row, analysis, first=created)
            if also is not None:
                also(session, row, said)
        return Kept(row, created), said

    return retried(attempt)


def keep_analysis(
    session: Session, who: Principal, row: tables.Recording, analysis: NewAnalysis, *, first: bool = False
) -> tables.Analysis:
    """Keep an analysis, or return the one that followed from just the same; there is none where it is the first."""
    if not first and (found := analyses.find_same(session, row.id, analysis.fingerprint)) is not None:
        return found
    said = tables.Analysis(
        id=tables.new_id(),
        owner_id=row.owner_id,
        recording_id=row.id,
        fingerprint=analysis.fingerprint,
        settings=dict(analysis.settings),
        summary=summary_of(analysis.result),
        result=dict(analysis.result),
    )
    add_new(session, said)
    audit.note(session, who, "created", "analysis", said.id)
    return said


def summary_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few figures of an analysis that lists show."""
    return {
        "diagnosis": result["summary"]["diagnosis"],
        "heart_rate_bpm": result["beats"]["heart_rate"]["bpm"],
        "rhythm": result["rhythm"]["label"],
        "quality": result["quality"]["verdict"],
        "urgent": [finding["code"] for finding in result["urgent"]],
    }


def _row(
    who: Principal,
    fingerprint: str,
    recording: Recording,
    quality: Mapping[str, Any],
    options: Mapping[str, Any],
    notes: str,
) -> tables.Recording:
    summary = recording.summary()
    row = tables.Recording(
        id=tables.new_id(),
        owner_id=who.user_id,
        fingerprint=fingerprint,
        sha256=summary["sha256"],
        name=storable(summary["name"], LONGEST_NAME),
        format=summary["format"],
        fs=recording.fs,
        leads=list(recording.leads),
        derived=list(recording.derived),
        n_samples=recording.n_samples,
        duration_s=recording.duration_s,
        start=summary["start"],
        subject=summary["subject"],
        notes=storable(notes),
        annotations={storable(name): count for name, count in summary["annotations"].items()},
        warnings=[storable(warning) for warning in recording.warnings],
        quality=quality["verdict"],
        quality_detail=dict(quality),
        options=dict(options),
    )
    row.write_what_follows()
    return row
