"""Einthoven's library: an ECG in, findings out.

>>> from ecg_core import read
>>> recording = read("100.hea")

The names below are imported when they are first used, so that looking at one module does not pay for the others.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecg_core.errors import EcgError
    from ecg_core.leads import derive_leads
    from ecg_core.pipeline import Analysis, analyze, analyze_many
    from ecg_core.quality import assess_quality
    from ecg_core.readers import ReadOptions
    from ecg_core.reading import read, read_many
    from ecg_core.recording import Recording, Subject

_HOMES = {
    "Analysis": "pipeline",
    "EcgError": "errors",
    "ReadOptions": "readers",
    "Recording": "recording",
    "Subject": "recording",
    "analyze": "pipeline",
    "analyze_many": "pipeline",
    "assess_quality": "quality",
    "derive_leads": "leads",
    "read": "reading",
    "read_many": "reading",
}

__all__ = [
    "Analysis",
    "EcgError",
    "ReadOptions",
    "Recording",
    "Subject",
    "__version__",
    "analyze",
    "analyze_many",
    "assess_quality",
    "derive_leads",
    "read",
    "read_many",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Kept, since looking it up reads files.
        globals()[name] = _installed_version()
        return globals()[name]
    if name in _HOMES:
        return getattr(import_module(f"ecg_core.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'ecg_core' has no attribute {name!r}")


def _installed_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("einthoven")
    except PackageNotFoundError:
        return "0.0.0"


def __dir__() -> list[str]:
    return __all__
