"""From the numbers that a guest gives to answers: probabilities, quantities in their units, curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ecg_core.errors import ModelError
from ecg_core.guests.spec import GuestSpec, HeadSpec
from ecg_core.predictors.value import Curve, Head, LabelAnswer, Quantity

MOST_PROBABLE = "most probable"
THRESHOLD = "as its manifest states"
_SLACK = 1e-3
"""How far a probability may lie outside 0 to 1, or their sum from 1: some models compute in half precision."""


def select_outputs(spec: GuestSpec, outputs: Mapping[str, np.ndarray], model: str) -> list[np.ndarray]:
    """Return the output of every head, shape (n_records, width).

    Raises
    ------
    ModelError
        The model has no such output, or one of another width than the head needs.
    """
    names = list(outputs)
    found = []
    for head in spec.heads:
        if head.output is None and len(names) > 1:
            raise ModelError("has several outputs; the head names none", file=model, field=head.name, options=names)
        wanted = names[0] if head.output is None else head.output
        if isinstance(wanted, int):
            if not 0 <= wanted < len(names):
                raise ModelError(
                    "has no output of that number", file=model, field=head.name, found=wanted, options=names
                )
            wanted = names[wanted]
        if wanted not in outputs:
            raise ModelError("has no such output", file=model, field=head.name, found=wanted, options=names)
        values = np.asarray(outputs[wanted], np.float64)
        values = values.reshape(len(values), -1)
        _check_width(head, values.shape[1], model)
        found.append(values)
    return found


def decode(spec: GuestSpec, values: list[np.ndarray], record: int, model: str) -> dict[str, Head]:
    """Return what is said of one record; heads that are withheld are left out."""
    answers: dict[str, Head] = {}
    for head, found in zip(spec.heads, values, strict=True):
        if head.withheld is None:
            answers |= _decode(head, found[record], model)
    return answers


def _check_width(head: HeadSpec, width: int, model: str) -> None:
    least = {"regression": 1, "survival": head.intervals or 1}.get(head.kind, len(head.labels))
    if width < least if head.kind == "survival" else width != least:
        raise ModelError(
            f"gives another number of values than a head of kind {head.kind} needs",
            file=model,
            field=head.name,
            found=width,
            expected=f"{least}{' or more' if head.kind == 'survival' else ''}",
        )


def _decode(head: HeadSpec, values: np.ndarray, model: str) -> dict[str, Head]:
    if not np.isfinite(values).all():
        raise ModelError("gives no number", file=model, field=head.name, found=values[~np.isfinite(values)][0])
    if head.kind == "regression":
        return {head.name: Quantity(float(values[0]) * head.scale + head.offset, unit=head.unit)}
    if head.kind == "survival":
        return _survival(head, values, model)
    return {head.name: _labels(head, values, model)}


def _labels(head: HeadSpec, values: np.ndarray, model: str) -> dict[str, LabelAnswer]:
    softmax = head.kind == "softmax"
    if head.logits:
        values = _softmax(values) if softmax else 1 / (1 + np.exp(-np.clip(values, -500, 500)))
    _check_probabilities(head, values, model)
    if softmax and abs(values.sum() - 1) > _SLACK:
        raise ModelError(
            "its probabilities do not add up to 1",
            file=model,
            field=head.name,
            found=f"{values.sum():.4g}",
            options=("logits = true", 'kind = "multi_label"'),
        )
    best = int(values.argmax())
    answers = {}
    for at, (label, value) in enumerate(zip(head.labels, np.clip(values, 0, 1), strict=True)):
        threshold = head.thresholds.get(label)
        if threshold is not None:
            answers[label] = LabelAnswer(float(value), threshold, bool(value >= threshold), THRESHOLD)
        elif softmax:
            answers[label] = LabelAnswer(float(value), None, at == best, MOST_PROBABLE)
        else:
            answers[label] = LabelAnswer(float(value), reason="its manifest states no threshold")
    return answers


def _survival(head: HeadSpec, values: np.ndarray, model: str) -> dict[str, Head]:
    """Return the share that is free of the event at the end of each interval, and the risk at the last."""
    parts = values[: head.intervals]
    _check_probabilities(head, parts, model)
    parts = np.clip(parts, 0, 1)
    surviving = {"conditional": parts.cumprod(), "hazards": (1 - parts).cumprod(), "survival": parts}[head.curve]
    days = head.interval_days * np.arange(1, len(parts) + 1)
    answers: dict[str, Head] = {
        head.name: Curve(tuple(days.tolist()), tuple(float(value) for value in surviving), "days")
    }
    if head.risk:
        answers[head.risk] = Quantity(float(1 - surviving[-1]))
    return answers


def _check_probabilities(head: HeadSpec, values: np.ndarray, model: str) -> None:
    if (values < -_SLACK).any() or (values > 1 + _SLACK).any():
        worst = values[np.argmax(np.abs(values - 0.5))]
        raise ModelError(
            "gives what is no probability",
            file=model,
            field=head.name,
            found=f"{worst:.4g}",
            expected="0 to 1",
            options=() if head.kind == "survival" else ("logits = true",),
        )


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())
