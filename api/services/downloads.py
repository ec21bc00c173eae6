"""Files to be saved."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

OCTETS = "application/octet-stream"
_THEN = (1980, 1, 1, 0, 0, 0)
_MEDIA_TYPES = {".csv": "text/csv", ".xml": "application/xml", ".zip": "application/zip", ".dcm": "application/dicom"}
MEDIA_TYPES = (OCTETS, *_MEDIA_TYPES.values())
"""What a file can be."""
_STEM = 60


@dataclass(frozen=True)
class Download:
    """A file to be saved."""

    name: str
    content: bytes
    media_type: str = OCTETS

    @property
    def headers(self) -> dict[str, str]:
        """Say what it is called, and that it is to be saved."""
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", self.name).lstrip(".") or "file"
        return {
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.name, safe='')}"
        }


def as_download(files: Mapping[str, bytes], archive: str) -> Download:
    """Return one file as it is, several as a zip archive of this name; the same files give the same bytes."""
    if len(files) == 1:
        (name, content), *_ = files.items()
    else:
        name, content = archive, _packed(files)
    suffix = f".{name.rpartition('.')[2].lower()}"
    return Download(name, content, _MEDIA_TYPES.get(suffix, OCTETS))


def stem_of(name: str) -> str:
    """Return a file's name without its ending, in characters that every format and system takes."""
    base = name.replace("\\", "/").rpartition("/")[2]
    stem = base.rpartition(".")[0] or base
    return re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[:_STEM] or "ecg"


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for label, content in files.items():
            out.writestr(zipfile.ZipInfo(label, _THEN), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
