"""Models that say what a recording shows: one module an architecture, each of which registers itself.

>>> from ecg_core.predictors import predictors
>>> {name: predictor.predict([context])[0] for name, predictor in predictors().items()}
"""

from importlib import import_module
from pkgutil import iter_modules

from ecg_core.predictors.base import PREDICTORS, Context, Predictor, identity_of, predictors
from ecg_core.predictors.value import (
    DEFAULT_POINT,
    OPERATING_POINTS,
    ConformalSet,
    Curve,
    Identity,
    LabelAnswer,
    OperatingPoint,
    Prediction,
    Quantity,
)

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "DEFAULT_POINT",
    "OPERATING_POINTS",
    "PREDICTORS",
    "ConformalSet",
    "Context",
    "Curve",
    "Identity",
    "LabelAnswer",
    "OperatingPoint",
    "Prediction",
    "Predictor",
    "Quantity",
    "identity_of",
    "predictors",
]
