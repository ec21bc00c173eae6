"""Recordings that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, lazyload

from api.schemas import RecordingQuery
from api.tables import Analysis, Recording, fold

SORTED_BY = {
    "created_at": Recording.created_at,
    "name": Recording.sort_name,
    "duration_s": Recording.duration_s,
    "subject_id": Recording.sort_subject,
    "start": Recording.start,
}
"""What lists can be sorted by."""
_LATEST = (
    select(Analysis.id)
    .where(Analysis.recording_id == Recording.id)
    .order_by(Analysis.created_at.desc(), Analysis.id.desc())
    .limit(1)
    .correlate(Recording)
    .scalar_subquery()
)


def find_recording(session: Session, owner_id: str, recording_id: str, *, to_change: bool = False) -> Recording | None:
    """Return an account's recording with this id; ``to_change`` keeps others from changing it meanwhile."""
    query = select(Recording).where(Recording.id == recording_id, Recording.owner_id == owner_id)
    return session.scalar(query.with_for_update(of=Recording) if to_change else query)


def find_same(session: Session, owner_id: str, fingerprint: str) -> Recording | None:
    """Return an account's recording of this content, read with these options."""
    return session.scalar(select(Recording).where(Recording.owner_id == owner_id, Recording.fingerprint == fingerprint))


def list_recordings(
    session: Session, owner_id: str, wanted: RecordingQuery, after: tuple[Any, str] | None, limit: int
) -> Sequence[tuple[Recording, Analysis | None]]:
    """Return some of an account's recordings, each with its latest analysis, in the order that is wanted.

    Those without what the list is sorted by come last, in either order.

    Parameters
    ----------
    after
        The place to go on from: what the list is sorted by, and the id, of the last one before.
    """
    key, row_id = SORTED_BY[wanted.sort], Recording.id
    descending = wanted.order == "desc"
    query = _wanted(select(Recording.id), owner_id, wanted)
    if after is not None:
        query = query.where(_beyond(key, *after, descending=descending))
    order: list[Any] = [key.desc(), row_id.desc()] if descending else [key.asc(), row_id.asc()]
    if _may_lack(key):
        order.insert(0, key.is_(None).asc())
    ids = session.scalars(query.order_by(*order).limit(limit)).all()
    shown = (
        select(Recording, Analysis)
        .outerjoin(Analysis, Analysis.id == _LATEST)
        .where(row_id.in_(ids))
        .options(lazyload(Recording.files))
    )
    found = {row.id: (row, said) for row, said in session.execute(shown)}
    return [found[item] for item in ids]


def count_recordings(session: Session, owner_id: str, wanted: RecordingQuery) -> int:
    """Return how many recordings of an account there are of those that are wanted."""
    ids = _wanted(select(Recording.id), owner_id, wanted).subquery()
    return session.scalar(select(func.count()).select_from(ids)) or 0


def delete_recordings(session: Session, rows: Iterable[Recording]) -> set[str]:
    """Delete recordings, and all that was said about them; return the ids of the blobs that they referred to."""
    rows = list(rows)
    for row in rows:
        session.expunge(row)
    session.execute(delete(Recording).where(Recording.id.in_([row.id for row in rows])))
    return {file.blob_id for row in rows for file in row.files}


def list_to_forget(
    session: Session, limit: int, *, owner_id: str | None = None, before: datetime | None = None
) -> Sequence[Recording]:
    """Return some recordings of an account, or from before a time, that nobody else is about to delete."""
    query = select(Recording).order_by(Recording.created_at).limit(limit)
    if owner_id is not None:
        query = query.where(Recording.owner_id == owner_id)
    if before is not None:
        query = query.where(Recording.created_at < before)
    return session.scalars(query.with_for_update(of=Recording, skip_locked=True)).all()


def known_fingerprints(session: Session, fingerprints: Iterable[str]) -> set[str]:
    """Return those of these fingerprints that a recording of anybody has."""
    return set(session.scalars(select(Recording.fingerprint).where(Recording.fingerprint.in_(set(fingerprints)))))


def _wanted(query: Select[str], owner_id: str, wanted: RecordingQuery) -> Select[str]:
    """Narrow down to an account's recordings that are wanted."""
    clauses: list[ColumnElement[bool]] = [Recording.owner_id == owner_id]
    if wanted.search:
        clauses.append(Recording.search_text.contains(fold(wanted.search), autoescape=True))
    equal: tuple[tuple[InstrumentedAttribute[Any], Any], ...] = (
        (Recording.format, wanted.format),
        (Recording.quality, wanted.quality),
        (Recording.sex, wanted.sex),
        (Recording.n_leads, wanted.n_leads),
    )
    clauses += [column == value for column, value in equal if value is not None]
    if wanted.min_age is not None:
        clauses.append(Recording.age >= wanted.min_age)
    if wanted.max_age is not None:
        clauses.append(Recording.age <= wanted.max_age)
    if wanted.min_duration_s is not None:
        clauses.append(Recording.duration_s >= wanted.min_duration_s)
    if wanted.max_duration_s is not None:
        clauses.append(Recording.duration_s <= wanted.max_duration_s)
    if wanted.created_from is not None:
        clauses.append(Recording.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        clauses.append(Recording.created_at < wanted.created_to)
    if not any(item is not None for item in (wanted.analysed, wanted.urgent, wanted.rhythm)):
        return query.where(*clauses)
    if wanted.rhythm is not None:
        clauses.append(Analysis.summary["rhythm"].as_string() == wanted.rhythm)
    if wanted.analysed is not None:
        clauses.append(Analysis.id.is_not(None) if wanted.analysed else Analysis.id.is_(None))
    if wanted.urgent is not None:
        n_urgent = func.json_array_length(Analysis.summary["urgent"])
        clauses += [Analysis.id.is_not(None), n_urgent > 0 if wanted.urgent else n_urgent == 0]
    return query.outerjoin(Analysis, Analysis.id == _LATEST).where(*clauses)


def _beyond(key: Any, value: Any, row_id: str, *, descending: bool) -> ColumnElement[bool]:
    """Return what tells the rows after a place in the order of `list_recordings`."""
    later_id = Recording.id < row_id if descending else Recording.id > row_id
    if value is None:
        return and_(key.is_(None), later_id)
    if not _may_lack(key):
        # As a pair it is found in the index.
        here, there = tuple_(key, Recording.id), tuple_(value, row_id)
        return here < there if descending else here > there
    later = key < value if descending else key > value
    return or_(later, and_(key == value, later_id), key.is_(None))


def _may_lack(key: InstrumentedAttribute[Any]) -> bool:
    return bool(key.property.columns[0].nullable)
