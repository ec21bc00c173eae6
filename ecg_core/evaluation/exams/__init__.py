"""Which model is examined on which data set: one module a model, each of which registers itself in `EXAMS`."""

from importlib import import_module
from pkgutil import iter_modules

from ecg_core.evaluation.exams.base import EXAMS, Exam, evaluate, register

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["EXAMS", "Exam", "evaluate", "register"]
