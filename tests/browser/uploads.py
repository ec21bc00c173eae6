"""Files as people have them: of demo cases and made recordings, and what is no ECG."""

from __future__ import annotations

import io
import zipfile
from functools import cache

from PIL import Image

from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases
from tests.service import files_of


@cache
def demo(name: str) -> Recording:
    """Return the recording of a demo case."""
    return bundled_cases()[name].synthesize().recording


def case_files(name: str, form: str = "wfdb") -> dict[str, bytes]:
    """Return a demo case as files of a format, named after it."""
    return files_of(demo(name), form, name)


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def table_without_rate(name: str) -> bytes:
    """Return lead II of a demo case as a table that does not say how many samples a second has."""
    return ("II (mV)\n" + "\n".join(f"{value:.3f}" for value in demo(name).lead("II")) + "\n").encode()


def picture() -> bytes:
    """Return a picture, as somebody sends who renamed it."""
    png = io.BytesIO()
    Image.linear_gradient("L").save(png, "PNG")
    return png.getvalue()
