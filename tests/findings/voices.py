"""A stand-in for the 12-lead network, and analyses that contain what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from ecg_core.findings.statements import RHYTHMS, STATEMENTS
from ecg_core.pipeline import Analysis, conclude
from ecg_core.predictors import DEFAULT_POINT, Context, Identity, LabelAnswer, Prediction, Quantity
from ecg_core.predictors.chain import examine
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases

HEART12 = Identity("heart12", "1.0.0", "0" * 64)
THRESHOLD = 0.4
CASES = bundled_cases()


def answer(probability: float, point: str = DEFAULT_POINT) -> LabelAnswer:
    return LabelAnswer(probability, THRESHOLD, probability >= THRESHOLD, point)


def say(
    called: Mapping[str, float], *, superclass: Mapping[str, float] | None = None, view: str = "full", **more: Any
) -> Prediction:
    """Return what the network says: probabilities of some statements, all others at 0.01."""
    statements = {code: answer(called.get(code, 0.01)) for code in STATEMENTS}
    heads = {
        "statements": statements,
        "superclass": {
            name: answer((superclass or {}).get(name, 0.01)) for name in ("NORM", "MI", "STTC", "CD", "HYP")
        },
        "rhythm": {code: statements[code] for code in RHYTHMS},
        "af": {"AFIB": statements["AFIB"]},
        "normal": {"NORM": statements["NORM"]},
        "sex": {"female": answer(0.9), "male": answer(0.1)},
        "age": Quantity(61.0, 48.0, 74.0, "years", 0.9),
    }
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6") if view == "full" else ("I",)
    return Prediction(HEART12, heads, view=view, leads=leads, **more)


class Fake:
    """A predictor that says the same of every recording."""

    def __init__(self, said: Prediction) -> None:
        self.said = said
        self.batches: list[int] = []
        self.points: list[str] = []

    @property
    def identity(self) -> Identity:
        return self.said.model

    def predict(self, contexts: Sequence[Context], operating_point: str = DEFAULT_POINT) -> list[Prediction]:
        self.batches.append(len(contexts))
        self.points.append(operating_point)
        return [self.said for _ in contexts]


def install(monkeypatch: pytest.MonkeyPatch, **predictors: Any) -> None:
    """Have these predictors installed, and no others."""
    monkeypatch.setattr("ecg_core.pipeline.predictors", lambda: dict(predictors))


@cache
def examined(recording: Recording) -> Context:
    """Return what the steps before the predictors know; of each recording made once."""
    return examine(recording)


@cache
def case(name: str) -> Recording:
    """Return the recording of a demo case, made once."""
    return CASES[name].synthesize().recording


def analysed(recording: Recording, said: Prediction | None) -> Analysis:
    """Analyse a recording with the network saying this, or without a network."""
    return conclude(examined(recording), {} if said is None else {"heart12": said}, DEFAULT_POINT)
