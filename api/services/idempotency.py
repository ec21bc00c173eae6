"""A request that is sent again with its Idempotency-Key is done once, and answered as the first time."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from api.db import Database
from api.errors import Refusal
from api.repositories import idempotency
from api.services.keeping import retried
from api.tables import now

ABANDONED_AFTER = timedelta(minutes=5)
"""A request that has no answer by then was cut off with its process: the next with its key is done."""
_RETRY_S = "2"
_LEVEL = 1
_IDS = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_IDS = 100


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def ids(self) -> list[str]:
        """What it names that is kept."""
        names = dict.fromkeys(found.decode() for found in _IDS.findall(self.body))
        return list(names)[:_MOST_IDS]


def claim(database: Database, owner_id: str, key: str, request_hash: str, keep_s: float) -> str | Answer:
    """Return the first answer where there is one, else an id under which the request now is being answered.

    Raises
    ------
    Refusal
        422 `idempotency_key_reused`: it was another request; 409 `idempotency_in_progress`: it is still being answered.
    """

    def attempt() -> str | Answer:
        with database.write() as session:
            row = idempotency.find_request(session, owner_id, key)
            good_for = ABANDONED_AFTER if row is not None and row.status is None else timedelta(seconds=keep_s)
            if row is not None and row.created_at < now() - good_for:
                idempotency.drop_request(session, row.id)
                row = None
            if row is None:
                return idempotency.add_request(session, owner_id, key, request_hash)
            if row.request_hash != request_hash:
                raise Refusal(422, "idempotency_key_reused", "this key was sent with another request")
            if row.status is None:
                detail = "the first request with this key is still being answered"
                raise Refusal(409, "idempotency_in_progress", detail, headers={"Retry-After": _RETRY_S})
            return Answer(row.status, row.headers["sent"], zlib.decompress(row.body or b""))

    return retried(attempt)


def settle(database: Database, claim_id: str, answer: Answer | None) -> None:
    """Keep an answer that made something; without one, or where nothing was made, the key is free again.

    Whatever was refused, failed or only computed can be asked again as well as answered again.
    """
    ids = [] if answer is None or not 200 <= answer.status < 300 else answer.ids
    with database.write() as session:
        if answer is None or not ids:
            idempotency.drop_request(session, claim_id)
            return
        headers = {"sent": [list(header) for header in answer.headers], "ids": ids}
        idempotency.keep_answer(session, claim_id, answer.status, headers, zlib.compress(answer.body, _LEVEL))


def forget(session: Session, owner_id: str, *object_ids: str) -> None:
    """Delete an account's kept answers that name one of these objects, in the transaction that deletes those."""
    gone = set(object_ids)
    for row_id, headers in idempotency.answers_of(session, owner_id):
        if gone.intersection(headers["ids"]):
            idempotency.drop_request(session, row_id)
