"""The files' bytes: which are kept, and which nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, exists, inspect, select
from sqlalchemy.orm import Session

from api.tables import Blob, JobFile, JobItemFile, RecordingFile

_WITH_CONTENT = select(Blob).where(Blob.sha256.in_(bindparam("sha256s", expanding=True)))
"""Put together once: it is asked with every upload."""


class BlobGone(Exception):
    """The bytes were deleted meanwhile, since nothing referred to them."""


def find_blobs(session: Session, sha256s: Iterable[str]) -> dict[str, Blob]:
    """Return those of these contents that are kept, by their sha256."""
    found = session.scalars(_WITH_CONTENT, {"sha256s": list(set(sha256s))})
    return {blob.sha256: blob for blob in found}


def add_blobs(session: Session, staged: Mapping[str, Blob]) -> dict[str, Blob]:
    """Add what is not kept yet, and return all as they are kept, by sha256.

    An IntegrityError at the end of the transaction says that another one added the same at this moment.

    Raises
    ------
    BlobGone
        What was kept when it was staged is no longer: it has to be staged anew.
    """
    found = find_blobs(session, staged)
    missing = {sha256: blob for sha256, blob in staged.items() if sha256 not in found}
    if any(inspect(blob).has_identity for blob in missing.values()):
        raise BlobGone
    session.add_all(missing.values())
    return {**found, **missing}


def new_among(staged: Iterable[Blob]) -> list[Blob]:
    """Return those that were not kept yet when they were staged."""
    return [blob for blob in staged if not inspect(blob).has_identity]


def drop_unused(session: Session, blob_ids: Iterable[str]) -> list[str]:
    """Delete the rows of those that nothing refers to; return their keys, for the store once that is committed."""
    unused = (
        Blob.id.in_(set(blob_ids)),
        ~exists().where(RecordingFile.blob_id == Blob.id),
        ~exists().where(JobFile.blob_id == Blob.id),
        ~exists().where(JobItemFile.blob_id == Blob.id),
    )
    rows = session.scalars(select(Blob).where(*unused)).all()
    session.execute(delete(Blob).where(Blob.id.in_([row.id for row in rows])))
    return [row.key for row in rows]


def known_keys(session: Session, keys: Iterable[str]) -> set[str]:
    """Return those of these keys of the store that a row stands for."""
    wanted = list(keys)
    rows = session.scalars(select(Blob).where(Blob.sha256.in_({key[:64] for key in wanted})))
    return {row.key for row in rows} & set(wanted)
