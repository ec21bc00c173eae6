"""The database's tables. Only `api.repositories` reads and writes them; `api.migrations` brings them about."""

from __future__ import annotations

import unicodedata
import zlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic_core import from_json, to_json
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, mapped_column, relationship
from sqlalchemy.types import TypeDecorator, TypeEngine

_LONGEST_KEY = 200
"""Characters that lists are sorted by."""
_LEVEL = 1
"""Of compression: the fastest; higher ones gain little on figures."""


def new_id() -> str:
    """Return a random identifier that nobody can guess."""
    return str(uuid4())


def fold(text: str) -> str:
    """Return text as it is searched and sorted: without regard to case, nor to how a letter is written.

    PostgreSQL holds no NUL.
    """
    return unicodedata.normalize("NFKC", text).casefold().replace("\0", "")


def _bytewise(length: int) -> TypeEngine[str]:
    """Return the type of a text that both databases put in the same order."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class Utc(TypeDecorator[datetime]):
    """A moment. SQLite forgets the zone, so that only UTC goes in and comes out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Take a moment of any zone."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give it back in UTC."""
        return None if value is None else (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


class CompressedJson(TypeDecorator[Any]):
    """A large JSON value: an analysis has 110 kB in plain text and a tenth of that here."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> bytes | None:
        """Write it down."""
        return None if value is None else zlib.compress(to_json(value), _LEVEL)

    def process_result_value(self, value: bytes | None, _dialect: Dialect) -> Any:
        """Read it again."""
        return None if value is None else from_json(zlib.decompress(value))


class Table(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Utc(), dict[str, Any]: JSON(), list[Any]: JSON()}  # noqa: RUF012 - as SQLAlchemy asks


def _id() -> Mapped[str]:
    return mapped_column(String(36), primary_key=True, default=new_id)


def _owner() -> Mapped[str]:
    return mapped_column(String(36), ForeignKey("users.id", ondelete="CASCADE"))


class User(Table):
    """An account."""

    __tablename__ = "users"

    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(254))
    """As it was written."""
    folded_name: Mapped[str] = mapped_column(String(254), unique=True)
    """As names are compared."""
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="user")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_sign_in_at: Mapped[datetime | None]


class SignIn(Table):
    """One sign-in: a chain of refresh tokens, of which the last is good, and the access tokens made from them."""

    __tablename__ = "sign_ins"

    id: Mapped[str] = _id()
    user_id: Mapped[str] = mapped_column(String(36), ForeignKey("users.id", ondelete="CASCADE"), index=True)
    refresh_hash: Mapped[str] = mapped_column(String(64))
    """sha256 of the one refresh token that is good; any other of this sign-in was used before, so it was stolen."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    refreshed_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ApiToken(Table):
    """A personal token for scripts and the dashboard."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = _id()
    user_id: Mapped[str] = _owner()
    name: Mapped[str] = mapped_column(String(100))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginFailure(Table):
    """How often signing in failed of late, by account and address."""

    __tablename__ = "login_failures"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A keyed hash: neither names nor addresses are kept."""
    weight: Mapped[float] = mapped_column(default=0.0)
    """Failures as of the last one; the older, the less each weighs."""
    last_at: Mapped[datetime] = mapped_column(default=now, index=True)


class AuditEvent(Table):
    """Who did what to which record. It outlives the record, and so refers to it by its bare id."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "owner_id", "at"), Index(None, "object_id", "at"))

    id: Mapped[str] = _id()
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor_id: Mapped[str | None] = mapped_column(String(36), index=True)
    """Whose account it was; None where nobody was signed in, or the service itself acted."""
    token_id: Mapped[str | None] = mapped_column(String(36))
    """The API token that was used, where one was."""
    action: Mapped[str] = mapped_column(String(40))
    object_kind: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str | None] = mapped_column(String(36))
    owner_id: Mapped[str | None] = mapped_column(String(36))
    """Whose record it is or was."""
    request_id: Mapped[str | None] = mapped_column(String(64))


class Blob(Table):
    """The bytes of one file, kept once however often they were sent; the store holds them under ``key``."""

    __tablename__ = "blobs"

    id: Mapped[str] = _id()
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def key(self) -> str:
        """Where the store keeps it. A file that is sent again after it was deleted gets another key."""
        return f"{self.sha256}-{self.id}"


class Recording(Table):
    """A recording that was kept: what it is, who sent it, and what was stated of the person."""

    __tablename__ = "recordings"
    __table_args__ = (
        UniqueConstraint("owner_id", "fingerprint"),
        Index(None, "owner_id", "created_at", "id"),
        Index(None, "owner_id", "sort_name", "id"),
    )

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    fingerprint: Mapped[str] = mapped_column(String(64))
    """sha256 over the files' names and contents and the reading options."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the content, as analyses name it."""
    name: Mapped[str] = mapped_column(String(200))
    format: Mapped[str] = mapped_column(String(20))
    fs: Mapped[float]
    """Samples per second."""
    leads: Mapped[list[Any]]
    n_leads: Mapped[int]
    derived: Mapped[list[Any]]
    n_samples: Mapped[int]
    duration_s: Mapped[float]
    start: Mapped[str | None] = mapped_column(_bytewise(40))
    """ISO 8601, as the file says."""
    subject: Mapped[dict[str, Any]]
    """id, age, sex, facts: the file's, or those of whoever changed them."""
    age: Mapped[float | None]
    sex: Mapped[str | None] = mapped_column(String(6))
    notes: Mapped[str] = mapped_column(Text, default="")
    sort_name: Mapped[str] = mapped_column(_bytewise(_LONGEST_KEY))
    sort_subject: Mapped[str | None] = mapped_column(_bytewise(_LONGEST_KEY))
    search_text: Mapped[str] = mapped_column(Text)
    """Name, subject's id and notes, folded; this and the columns from others are written whenever the row is."""
    annotations: Mapped[dict[str, Any]]
    """Marks that came with the file: how many, by annotator."""
    warnings: Mapped[list[Any]]
    quality: Mapped[str] = mapped_column(String(10))
    """The verdict: good, usable or poor."""
    quality_detail: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    """What the sender knew beyond the file: fs, units."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    files: Mapped[list[RecordingFile]] = relationship(
        order_by="RecordingFile.position", cascade="all, delete-orphan", passive_deletes=True, lazy="selectin"
    )

    def write_what_follows(self) -> None:
        """Write the columns that lists search and sort by: they follow from others."""
        person = str(self.subject["id"]) if self.subject["id"] else None
        self.age, self.sex, self.n_leads = self.subject["age"], self.subject["sex"], len(self.leads)
        self.sort_name = fold(self.name)[:_LONGEST_KEY]
        self.sort_subject = person and fold(person)[:_LONGEST_KEY]
        self.search_text = fold("\n".join((self.name, person or "", self.notes)))


@event.listens_for(Recording, "before_insert")
@event.listens_for(Recording, "before_update")
def _write_what_follows(_mapper: Mapper[Recording], _connection: Connection, row: Recording) -> None:
    row.write_what_follows()


class RecordingFile(Table):
    """One of a recording's files."""

    __tablename__ = "recording_files"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    blob_id: Mapped[str] = mapped_column(ForeignKey("blobs.id", ondelete="RESTRICT"), index=True)
    blob: Mapped[Blob] = relationship(lazy="joined")


class Analysis(Table):
    """What was said about a recording, once for each choice of models and settings."""

    __tablename__ = "analyses"
    __table_args__ = (
        UniqueConstraint("recording_id", "fingerprint"),
        Index(None, "recording_id", "created_at"),
        Index(None, "owner_id", "created_at"),
    )

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """sha256 over all that the answer follows from: content, subject, models by their weights, settings, software."""
    settings: Mapped[dict[str, Any]]
    """What was asked for: models, operating point."""
    summary: Mapped[dict[str, Any]]
    """A few figures for lists: diagnosis, heart rate, rhythm, urgent."""
    result: Mapped[dict[str, Any]] = mapped_column(CompressedJson, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Job(Table):
    """Long work. This row is the truth; queues carry its id."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "owner_id", "created_at", "id"), Index(None, "status", "lease_until"))

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    kind: Mapped[str] = mapped_column(String(20))
    """batch or evaluation."""
    status: Mapped[str] = mapped_column(String(20), default="queued")
    """queued, running, done, failed or cancelled."""
    parameters: Mapped[dict[str, Any]]
    total: Mapped[int] = mapped_column(default=0)
    """Items; 0 until they are known."""
    done: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    message: Mapped[str | None] = mapped_column(String(200))
    """What is being done, for people."""
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The problem that ended the whole job."""
    result: Mapped[dict[str, Any] | None] = mapped_column(CompressedJson, deferred=True)
    cancel_asked: Mapped[bool] = mapped_column(default=False)
    worker: Mapped[str | None] = mapped_column(String(36))
    """Who works it; whoever it is renews the lease, and stops when it is another's."""
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    """How often its work as a whole was begun: an evaluation, the unpacking of a batch."""
    served_at: Mapped[datetime | None]
    """When it last had its turn; whoever waited longest is next."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    files: Mapped[list[JobFile]] = relationship(
        order_by="JobFile.position", cascade="all, delete-orphan", passive_deletes=True
    )


class JobFile(Table):
    """One of the files that a job was given; let go when it is unpacked, finished or, of some evaluations, deleted."""

    __tablename__ = "job_files"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    blob_id: Mapped[str] = mapped_column(ForeignKey("blobs.id", ondelete="RESTRICT"), index=True)
    blob: Mapped[Blob] = relationship(lazy="joined")


class JobItem(Table):
    """One recording of a batch, or one file of it that is none, and what became of it."""

    __tablename__ = "job_items"
    __table_args__ = (UniqueConstraint("job_id", "position"), Index(None, "job_id", "status", "position"))

    id: Mapped[str] = _id()
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(400))
    """Of its main file, as it was sent: archive and path within."""
    tries: Mapped[int] = mapped_column(default=0)
    """How often it was begun; one that ends its process each time is given up."""
    status: Mapped[str] = mapped_column(String(20), default="waiting")
    """waiting, done, failed or cancelled."""
    recording_id: Mapped[str | None] = mapped_column(ForeignKey("recordings.id", ondelete="SET NULL"), index=True)
    analysis_id: Mapped[str | None] = mapped_column(ForeignKey("analyses.id", ondelete="SET NULL"), index=True)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    finished_at: Mapped[datetime | None]
    files: Mapped[list[JobItemFile]] = relationship(
        order_by="JobItemFile.position", cascade="all, delete-orphan", passive_deletes=True
    )


class JobItemFile(Table):
    """One of the files of an item that waits; let go when it is finished."""

    __tablename__ = "job_item_files"

    item_id: Mapped[str] = mapped_column(ForeignKey("job_items.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    blob_id: Mapped[str] = mapped_column(ForeignKey("blobs.id", ondelete="RESTRICT"), index=True)
    blob: Mapped[Blob] = relationship(lazy="joined")


class IdempotentRequest(Table):
    """An answer that is given again to whoever repeats a request with its Idempotency-Key."""

    __tablename__ = "idempotent_requests"
    __table_args__ = (UniqueConstraint("owner_id", "key"),)

    id: Mapped[str] = _id()
    owner_id: Mapped[str] = _owner()
    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    """sha256 over method, path and body."""
    status: Mapped[int | None]
    """None while the first request is being answered."""
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
