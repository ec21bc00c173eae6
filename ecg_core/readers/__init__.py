"""Every way to read an ECG: one module a format, each of which registers itself in `READERS`."""

from importlib import import_module
from pkgutil import iter_modules

from ecg_core.readers.base import READERS, Files, Limits, Reader, ReadOptions, Sniff

for _module in iter_modules(__path__):
    if not _module.name.startswith("_"):
        import_module(f"{__name__}.{_module.name}")

__all__ = ["READERS", "Files", "Limits", "ReadOptions", "Reader", "Sniff"]
