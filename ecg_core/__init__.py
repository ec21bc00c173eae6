"""Einthoven's library: an ECG in, findings out.

>>> from ecg_core import read
>>> recording = read("100.hea")
"""

from importlib.metadata import PackageNotFoundError, version

from ecg_core.errors import EcgError
from ecg_core.leads import derive_leads
from ecg_core.reading import ReadOptions, read, read_many
from ecg_core.recording import Recording, Subject

try:
    __version__ = version("einthoven")
except PackageNotFoundError:
    __version__ = "0.0.0"

__all__ = ["EcgError", "ReadOptions", "Recording", "Subject", "__version__", "derive_leads", "read", "read_many"]
