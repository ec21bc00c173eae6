"""Recordings that are kept."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.tables import Recording


def find_recording(session: Session, owner_id: str, recording_id: str) -> Recording | None:
    """Return an account's recording with this id."""
    return session.scalar(select(Recording).where(Recording.id == recording_id, Recording.owner_id == owner_id))


def find_same(session: Session, owner_id: str, fingerprint: str) -> Recording | None:
    """Return an account's recording of this content, read with these options."""
    return session.scalar(select(Recording).where(Recording.owner_id == owner_id, Recording.fingerprint == fingerprint))
