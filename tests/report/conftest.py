from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from ecg_core.explain import Explanation, Figure, Heat, Segment
from ecg_core.pipeline import analyze
from ecg_core.predictors.value import Identity
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases

NAMES = ("normal", "anterior_infarction", "atrial_fibrillation", "poor_quality", "paced")


@cache
def _said(name: str) -> tuple[dict[str, Any], Recording]:
    recording = bundled_cases()[name].synthesize().recording
    return json.loads(json.dumps(analyze(recording).to_dict())), recording


@pytest.fixture(params=NAMES)
def said(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Recording]:
    """An analysis in JSON, as it is kept, and its recording."""
    return _said(request.param)


@pytest.fixture
def infarction() -> tuple[dict[str, Any], Recording]:
    return _said("anterior_infarction")


@pytest.fixture
def normal() -> tuple[dict[str, Any], Recording]:
    return _said("normal")


@pytest.fixture
def explained() -> Callable[..., dict[str, Any]]:
    """Return an explanation in JSON, made by hand, with what a test changes of it."""
    return explain_by_hand


def explain_by_hand(**changes: Any) -> dict[str, Any]:
    heat = {lead: np.zeros(250) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")}
    for beat in range(10):
        heat["V3"][25 * beat + 8 : 25 * beat + 12] = 0.05
        heat["II"][25 * beat + 5 : 25 * beat + 7] = -0.02
    parts = [("V3", "st", 2.0), ("II", "qrs", -0.4), ("V2", "t", 0.3), ("V1", "p", 0.001)]
    said: dict[str, Any] = {
        "model": Identity("heart12", "1.0.0", "c3e1" * 16),
        "label": "superclass.MI",
        "title": "Infarct pattern",
        "method": "gradients",
        "probability": 0.818,
        "answer": 1.5,
        "unit": "log odds",
        "base": -0.7,
        "trees": 0.25,
        "residual": 0.049,
        "adds_up": True,
        "start_s": 0.0,
        "end_s": 10.0,
        "leads": tuple(heat),
        "sentence": "The ST segment of V3 carries 87 % of what speaks for this answer.",
        "heat": Heat(0.0, 0.04, heat),
        "segments": tuple(Segment(lead, wave, value, 0.87 if value == 2 else None) for lead, wave, value in parts),
        "cautions": ("the age is not stated: an adult is assumed",),
        "settings": {"steps": 16, "baseline": "straight lines"},
    }
    return json.loads(json.dumps(Explanation(**said | changes).to_dict()))


def figures_by_hand(**changes: Any) -> dict[str, Any]:
    figures = (Figure("QRS duration", 141.7, 1.25, "ms"), Figure("PR", None, -0.5, "ms"))
    said = {"method": "shap", "heat": None, "segments": (), "figures": figures, "trees": 0.0, "residual": 0.0}
    return explain_by_hand(**said | {"base": -1.0, "answer": -0.25, "probability": 0.44} | changes)
