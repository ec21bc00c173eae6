"""Recordings in other formats, and as they were sent."""

from __future__ import annotations

from dataclasses import replace

from api import tables
from api.errors import Refusal
from api.services.downloads import OCTETS, Download, as_download, stem_of
from api.storage import BlobStore
from ecg_core.errors import InvalidValue
from ecg_core.readers import READERS
from ecg_core.recording import Recording, Subject

FORMATS = tuple(reader.name for reader in READERS.values() if reader.write is not None)
"""Formats that can be written."""


def export(recording: Recording, name: str, form: str, *, identity: bool) -> Download:
    """Return a recording as a file of a format; as a zip archive where the format takes several. Blocks.

    Parameters
    ----------
    name
        What the recording is called; the file is called after it.
    identity
        Whether the person, the date and the name go along.

    Raises
    ------
    InvalidValue
        The format is not one of `FORMATS`.
    WriteError
        The format cannot hold this recording.
    """
    if form not in FORMATS:
        raise InvalidValue("not a format that can be written", field="format", found=form, options=FORMATS)
    stem = stem_of(name) if identity else "ecg"
    if not identity:
        recording = replace(recording, subject=Subject(), start=None)
    write = READERS[form].write
    assert write is not None  # noqa: S101 - `FORMATS` holds no other
    return as_download(write(recording, stem), f"{stem}_{form}.zip")


def original(store: BlobStore, row: tables.Recording, name: str | None) -> Download:
    """Return what was sent: one file as it is, several as a zip archive; or the one that is named. Blocks."""
    chosen = [file for file in row.files if name in (None, file.name)]
    if not chosen:
        raise Refusal(
            404, "not_found", "no such file", field="name", found=name, options=[file.name for file in row.files]
        )
    files = {file.name: store.get(file.blob.key) for file in chosen}
    return replace(as_download(files, f"{stem_of(row.name)}.zip"), media_type=OCTETS)
