"""A CSV with a time column in; diagnosis, score and notes out, to be saved as JSON. The typed client."""

from __future__ import annotations

import json

import numpy as np
import pytest

from api.schemas import Prediction
from dashboard.client import ApiProblem
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize


def table(recording: Recording, leads: tuple[str, ...] = ("II",), time: str = "time (s)") -> dict[str, bytes]:
    """Return some leads in millivolts beside a column of time."""
    columns = [np.arange(recording.n_samples) / recording.fs, *(recording.lead(name) for name in leads)]
    rows = "\n".join(",".join(f"{value:.4f}" for value in row) for row in np.stack(columns, axis=1))
    header = ",".join((time, *(f"{name} (mV)" for name in leads)))
    return {"ecg.csv": f"{header}\n{rows}\n".encode()}


def test_a_table_becomes_diagnosis_score_and_notes_as_json(ecg, tmp_path):
    found = ecg.predict(table(synthesize("af", seed=4).recording), age=74, sex="female")
    saved = tmp_path / "ecg.json"
    saved.write_text(found.model_dump_json(by_alias=True))
    said = json.loads(saved.read_text())["summary"]
    assert "fibrillation" in said["diagnosis"].lower()
    assert said["score"]["level"] == "abnormal"
    assert "lead II" in said["notes"]
    assert Prediction.model_validate_json(saved.read_text()) == found
    kept = ecg.analyses.get(found.stored.analysis_id)
    assert (kept.summary, kept.measurements) == (found.summary, found.measurements)


@pytest.mark.parametrize("time", ["time (s)", "Time", "t"])
def test_the_column_of_time_is_time_and_no_lead(ecg, time):
    made = synthesize(fs=250, rate_bpm=75, seed=9)
    found = ecg.predict(table(made.recording, ("I", "II"), time), store=False, signal=True)
    assert (found.recording.leads, found.recording.fs) == (["I", "II"], 250)
    assert found.signal.values[1][:20] == pytest.approx(made.recording.lead("II")[:20].tolist(), abs=0.001)
    assert found.beats.times_s == pytest.approx(made.truth.r_s.tolist(), abs=0.03)


def test_nothing_is_the_same_for_every_table(ecg):
    hearts = [
        synthesize(rate_bpm=60, seed=1),
        synthesize("sinus", "lbbb", rate_bpm=85, seed=2),
        synthesize("sinus", "long_qt", rate_bpm=64, seed=3),
    ]
    leads = hearts[0].recording.leads
    answers = [ecg.predict(table(made.recording, leads), store=False) for made in hearts]
    for name, tolerance in (("hr_bpm", 1), ("pr_ms", 8), ("qrs_ms", 8), ("qt_ms", 12)):
        measured = [getattr(found.measurements, name).value for found in answers]
        truth = [made.truth.to_dict()["heart_rate_bpm" if name == "hr_bpm" else name] for made in hearts]
        assert measured == pytest.approx(truth, abs=tolerance), name
        assert len({round(value, 1) for value in measured}) == 3
    for pick in (
        lambda found: found.summary.diagnosis,
        lambda found: found.summary.notes,
        lambda found: found.summary.score.confidence,
        lambda found: found.predictions["heart12"].labels("superclass")["NORM"].probability,
    ):
        assert len({pick(found) for found in answers}) == 3
    assert all(found.summary.score.confidence != 1 for found in answers)


def test_a_constant_and_a_file_that_is_no_ecg_are_no_diagnosis(ecg):
    flat = Recording(np.zeros((1, 5000), np.float32), 500, ("II",))
    found = ecg.predict(table(flat), store=False)
    assert found.summary.score.level == "undetermined"
    assert found.summary.score.confidence is None
    with pytest.raises(ApiProblem) as caught:
        ecg.predict({"ecg.csv": b"name,price\ntea,3\n"}, store=False)
    assert caught.value.problem.status in (415, 422)
