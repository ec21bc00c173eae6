"""Analyses that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session, undefer

from api.tables import Analysis


def find_analysis(session: Session, owner_id: str, analysis_id: str) -> Analysis | None:
    """Return an account's analysis with this id, and all that it says."""
    return session.scalar(
        select(Analysis)
        .where(Analysis.id == analysis_id, Analysis.owner_id == owner_id)
        .options(undefer(Analysis.result))
    )


def find_same(session: Session, recording_id: str, fingerprint: str) -> Analysis | None:
    """Return the analysis of a recording that followed from just the same."""
    return session.scalar(
        select(Analysis)
        .where(Analysis.recording_id == recording_id, Analysis.fingerprint == fingerprint)
        .options(undefer(Analysis.result))
    )


def list_analyses(
    session: Session, recording_id: str, after: tuple[datetime, str] | None, limit: int
) -> Sequence[Analysis]:
    """Return some of a recording's analyses, the newest first, from the place ``after`` on."""
    query = select(Analysis).where(Analysis.recording_id == recording_id)
    if after is not None:
        query = query.where(tuple_(Analysis.created_at, Analysis.id) < tuple_(*after))
    return session.scalars(query.order_by(Analysis.created_at.desc(), Analysis.id.desc()).limit(limit)).all()


def delete_analysis(session: Session, owner_id: str, analysis_id: str) -> bool:
    """Delete an account's analysis; return whether there was one."""
    gone = session.execute(
        delete(Analysis).where(Analysis.id == analysis_id, Analysis.owner_id == owner_id).returning(Analysis.id)
    )
    return gone.first() is not None


def find_latest(session: Session, recording_id: str) -> Analysis | None:
    """Return the last analysis of a recording, and all that it says."""
    return session.scalar(
        select(Analysis)
        .where(Analysis.recording_id == recording_id)
        .order_by(Analysis.created_at.desc(), Analysis.id.desc())
        .limit(1)
        .options(undefer(Analysis.result))
    )
