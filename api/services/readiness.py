"""Whether the service can do its work: its database, its store and its models."""

from __future__ import annotations

import logging
from hashlib import sha256
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from api import migrations
from api.db import Database
from api.runtime import Runtime
from api.schemas import Check, Checks
from api.services.warm_up import is_warm
from api.storage import BlobStore

_PROBE = b"can this be written?"
_KEY = f"{sha256(_PROBE).hexdigest()}-{UUID(int=0)}"
_OK = Check(state="ok")
logger = logging.getLogger(__name__)


def check_parts(runtime: Runtime) -> Checks:
    """Return how each part is. Blocks."""
    return Checks(database=_check_database(runtime.database), store=_check_store(runtime.store), models=_check_models())


def _check_database(database: Database) -> Check:
    try:
        current = migrations.is_current(database)
    except (SQLAlchemyError, OSError):
        logger.exception("the database does not answer")
        return Check(state="failed", reason="it does not answer")
    return _OK if current else Check(state="failed", reason="it has not the tables of this version: ecg db upgrade")


def _check_store(store: BlobStore) -> Check:
    try:
        store.put(_KEY, _PROBE)
        store.delete(_KEY)
    except OSError:
        logger.exception("the store cannot be written")
        return Check(state="failed", reason="it cannot be written")
    return _OK


def _check_models() -> Check:
    warm = is_warm()
    if warm is None:
        return Check(state="starting", reason="the models are being loaded")
    return _OK if warm else Check(state="failed", reason="the models cannot be run; the log says why")
