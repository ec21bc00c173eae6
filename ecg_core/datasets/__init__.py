"""Every public set that Einthoven knows: one module a set, each of which registers itself in `DATASETS`.

>>> from ecg_core.datasets import DATASETS
>>> for name, recording, truth in DATASETS["ptbxl"].iterate("~/ecg-data", split="validation", limit=10):
...     print(name, recording.fs, truth.superclasses)
"""

from importlib import import_module
from pkgutil import iter_modules

from ecg_core.datasets.base import DATASETS, DataSet, Entry, Item, Listing, Split, data_dir
from ecg_core.datasets.fetch import Origin, Progress, Report
from ecg_core.datasets.splits import folds

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "DATASETS",
    "DataSet",
    "Entry",
    "Item",
    "Listing",
    "Origin",
    "Progress",
    "Report",
    "Split",
    "data_dir",
    "folds",
]
