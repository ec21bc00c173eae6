"""`explain`: which model is asked, for which label, by which method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from ecg_core.artefacts import models_held
from ecg_core.errors import InvalidValue
from ecg_core.explain import network, tabular
from ecg_core.explain.value import Explanation, Method
from ecg_core.findings.stated import READER
from ecg_core.findings.statements import VARIANTS
from ecg_core.predictors import Context, Predictor, predictors
from ecg_core.predictors.base import Unusable
from ecg_core.predictors.chain import examine
from ecg_core.predictors.heart12 import Heart12
from ecg_core.predictors.tabular import Tabular
from ecg_core.recording import Recording

_FIRST, _RHYTHM, _NORMAL = "superclass", "rhythm", "NORM"


class _Way(NamedTuple):
    """How models of one kind are explained."""

    labels: Callable[[Any], tuple[str, ...]]
    methods: tuple[Method, ...]
    explain: Callable[[Any, Context, str, Method], Explanation]


_WAYS: Mapping[type, _Way] = {
    Heart12: _Way(network.labels_of, get_args(Method), network.explain),
    Tabular: _Way(tabular.labels_of, ("shap",), tabular.explain),
}


@models_held()
def explain(context: Context, label: str, method: Method = "shap", model: str = READER) -> Explanation:
    """Say why a model answers as it does.

    Parameters
    ----------
    context
        The recording, examined.
    label
        Head and label (``"superclass.MI"``), or the label alone, of the first head that has it, superclasses first.
    method
        See `ecg_core.explain`.
    model
        Name of an installed model.

    Raises
    ------
    InvalidValue
        There is no such label, method or model (``field`` says which), or the model says nothing of this recording or
        withholds this label (``field`` is ``"recording"``, ``found`` the reason).
    """
    return _explain(context, _model(model), label, method)


@models_held()
def explain_recording(recording: Recording, label: str, method: Method = "shap", model: str = READER) -> Explanation:
    """Do as `explain` with a recording that is not examined yet."""
    asked = _model(model)
    _asked_label(asked, label, method)
    return _explain(examine(recording, {model: asked}), asked, label, method)


@models_held()
def explainable(model: str = READER) -> dict[str, tuple[Method, ...]]:
    """Return every label of a model that can be explained, and by which methods."""
    found = _model(model)
    way = _WAYS[type(found)]
    return dict.fromkeys(way.labels(found), way.methods)


def most_notable(analysis: Mapping[str, Any]) -> str | None:
    """Return the label of an analysis (its JSON form) that is most worth explaining, or None.

    The most probable abnormal superclass that is called; else an abnormal rhythm that is; else that it is normal. Of a
    poor signal, which is not interpreted, there is none.
    """
    if analysis.get("quality", {}).get("verdict") == "poor":
        return None
    answer = analysis.get("predictions", {}).get(READER, {})
    for head, unremarkable in ((_FIRST, {_NORMAL}), (_RHYTHM, VARIANTS)):
        called = {
            label: found["probability"]
            for label, found in (answer.get(head) or {}).items()
            if found["positive"] and label not in unremarkable
        }
        if called:
            return f"{head}.{max(called, key=lambda label: called[label])}"
    normal = (answer.get(_FIRST) or {}).get(_NORMAL)
    return f"{_FIRST}.{_NORMAL}" if normal and normal["positive"] else None


def _explain(context: Context, model: Predictor, label: str, method: Method) -> Explanation:
    return _WAYS[type(model)].explain(model, context, _asked_label(model, label, method), method)


def _model(name: str) -> Predictor:
    installed = predictors()
    found = installed.get(name)
    if found is None or type(found) not in _WAYS:
        why = f": {found.reason}" if isinstance(found, Unusable) else ""
        options = [other for other, predictor in installed.items() if type(predictor) in _WAYS]
        raise InvalidValue("no model that can be explained", field="model", found=f"{name}{why}", options=options)
    return found


def _asked_label(model: Predictor, label: str, method: Method) -> str:
    """Return the label with its head; the method is checked, too."""
    way = _WAYS[type(model)]
    labels = way.labels(model)
    if method not in way.methods:
        raise InvalidValue("no such way to explain this model", field="method", found=method, options=way.methods)
    if label in labels:
        return label
    named = [known for known in labels if known.split(".", 1)[1] == label]
    alone = [known for known in labels if known.split(".", 1)[0] == label]
    if not named and len(alone) != 1:
        raise InvalidValue("no such label", field="label", found=label, options=labels)
    return (named or alone)[0]
