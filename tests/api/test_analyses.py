"""Analyses: made once, kept, given again, and only to whom they belong."""

from __future__ import annotations

import pytest

from api.schemas import Prediction, StoredAnalysis
from ecg_core.synthesis import synthesize
from tests.service import as_upload, files_of


@pytest.fixture(scope="module")
def normal():
    return as_upload(files_of(synthesize(seed=1).recording))


def test_an_upload_is_analysed_kept_and_given_again(ada, normal):
    first = ada.post("/predict", files=normal, data={"age": 50})
    assert first.status_code == 200, first.text
    answer = Prediction.model_validate(first.json())
    assert answer.stored is not None
    assert answer.stored.new_recording
    assert answer.stored.new_analysis
    again = Prediction.model_validate(ada.post("/predict", files=normal, data={"age": 50}).json())
    assert again.stored is not None
    assert (again.stored.new_recording, again.stored.new_analysis) == (False, False)
    assert again.stored.analysis_id == answer.stored.analysis_id
    assert again.model_dump(exclude={"stored"}) == answer.model_dump(exclude={"stored"})
    kept = ada.get(f"/analyses/{answer.stored.analysis_id}")
    assert StoredAnalysis.model_validate(kept.json()).measurements == answer.measurements
