from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from ecg_core.pipeline import analyze
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
