"""Quality on the real sets, where EINTHOVEN_DATA_DIR names a folder that holds them: it may only get better."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ecg_core.datasets import DATASETS
from ecg_core.quality import assess_quality
from training import Recipe, trainer_of

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")


def test_recipe_out_of_fold_on_cinc2011():
    recipe = Recipe.named("quality")
    metrics = trainer_of(recipe).cross_validate(recipe, ROOT, None).metrics
    assert metrics["auc"].value >= 0.98
    assert metrics["auc"].low >= 0.95
    assert metrics["auc_with_signal"].value >= 0.975
    assert metrics["specificity"].value >= 0.96


def test_clinical_recordings_are_not_called_poor():
    recordings = [item.recording for item in DATASETS["ludb"].iterate(ROOT, limit=40)]
    verdicts = [assess_quality(recording).verdict for recording in recordings]
    assert "poor" not in verdicts
    assert np.mean([verdict == "good" for verdict in verdicts]) >= 0.9
