"""The real service in this process, and uploads for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from ecg_core.readers import READERS
from ecg_core.recording import Recording


@contextmanager
def running_app(**settings: object) -> Iterator[TestClient]:
    """Give a client of a started app; errors of the app come back as answers, as they do over a network."""
    app = create_app(Settings(**{"read_workers": 1, **settings}))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def files_of(recording: Recording, form: str = "npz", stem: str = "ecg") -> dict[str, bytes]:
    """Return the recording as files of a format."""
    write = READERS[form].write
    assert write is not None
    return write(recording, stem)
