"""The tiny model, ready to use."""

from __future__ import annotations

import pytest

from ecg_core.artefacts import load_artefact
from ecg_core.predictors.heart12 import Heart12
from tests.predictors.heart12_model import make_model


@pytest.fixture(scope="package")
def tiny(tmp_path_factory) -> Heart12:
    return Heart12(load_artefact(make_model(tmp_path_factory.mktemp("models"))))
